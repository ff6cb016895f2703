# SPDX-License-Identifier: Apache-2.0
"""The cold chain of the demonstration: places, produce, sensors, what goes wrong, rules."""

ORG = "fengjie"
CHANNELS = ["air_temperature", "humidity", "product_temperature", "set_point", "door", "defrost", "compressor"]

# id, name, zones: (id, name, lowest and highest air temperature in order)
SITES = [
    ("fengjie-store", "奉节产地冷库", [("room-orange", "1号库 脐橙", 3, 8), ("room-lemon", "2号库 柠檬", 10, 15)]),
    ("wushan-packing", "巫山脆李分拣包装点", [("room-plum", "预冷间 脆李", 0, 5)]),
    ("van-1", "冷藏车 1 (县级集配中心方向)", [("van-1-box", "车厢 脐橙", 2, 8)]),
    ("van-2", "冷藏车 2 (县级集配中心方向)", [("van-2-box", "车厢 脆李", 0, 6)]),
]

# device: [(zone, probe number or "", the simulated zone)]
DEVICES = {
    "fengjie-store": [
        ("room-orange", "1", {"zone": "room", "seed": 11}),
        ("room-lemon", "2", {"zone": "room", "seed": 12, "parameters": {
            "set_point_C": "12", "product_C": "12", "product_kg": "9000", "doors_per_h": "1"}}),
    ],
    "wushan-packing": [
        ("room-plum", "", {"zone": "room", "seed": 13, "parameters": {
            "set_point_C": "2", "product_C": "2.5", "product_kg": "6000", "outside_C": "26", "doors_per_h": "3"},
            "loads": [{"after": "3h", "mass_kg": 1500, "temperature_C": 24}]}),
    ],
    # The driver leaves the door open on the road: opens and closes an incident soon.
    "van-1": [
        ("van-1-box", "", {"zone": "van", "seed": 14, "faults": [
            {"kind": "door_open", "after": "6m", "for": "5m", "every": "3h"}]}),
    ],
    # An old compressor loses power for an hour and a half, and recovers.
    "van-2": [
        ("van-2-box", "", {"zone": "van", "seed": 15, "parameters": {"set_point_C": "2", "product_C": "2.5"},
                           "faults": [{"kind": "compressor_weak", "after": "50m", "for": "90m", "every": "6h",
                                       "factor": 0.1}]}),
    ],
}


def channel_names(probe):
    return [f"{name}-{probe}" if probe else name for name in CHANNELS]


def sensors(device, interval):
    """What the agent of this device samples."""
    return [{"name": zone, "driver": "sim", "interval": interval,
             "channels": [{"name": name} for name in channel_names(probe)], "sim": sim}
            for zone, probe, sim in DEVICES[device]]


def bands(device):
    limits = {zone: (low, high) for _, _, zones in SITES for zone, _, low, high in zones}
    return [{"channel": channel_names(probe)[0], "low": str(limits[zone][0]), "high": str(limits[zone][1])}
            for zone, probe, _ in DEVICES[device]]


def collector_sites():
    return [{"id": site, "name": name,
             "zones": [{"id": zone, "name": label, "band_low": str(low), "band_high": str(high)}
                       for zone, label, low, high in zones]}
            for site, name, zones in SITES]


def collector_devices():
    """One device may measure several rooms, so channels are placed one by one."""
    return [{"id": device, "placements": [{"channel": name, "zone": zone}
                                          for zone, probe, _ in places for name in channel_names(probe)]}
            for device, places in DEVICES.items()]


def rules():
    """Too warm and too cold, for some minutes; silent for a quarter of an hour."""
    found = []
    for _, _, zones in SITES:
        for zone, _, low, high in zones:
            found.append({"id": f"{zone}-warm", "zone": zone, "kind": "above", "levels": [
                {"severity": "warning", "level": high, "delay": "2m", "recovery": str(high - 0.3),
                 "recovery_delay": "2m"},
                {"severity": "critical", "level": high + 6, "delay": "1m", "recovery": str(high),
                 "recovery_delay": "2m"}]})
            found.append({"id": f"{zone}-cold", "zone": zone, "kind": "below", "levels": [
                {"severity": "critical", "level": low - 2, "delay": "5m", "recovery": str(low),
                 "recovery_delay": "5m"}]})
            found.append({"id": f"{zone}-silent", "zone": zone, "kind": "silent", "silent_after": "15m"})
    return found
