# SPDX-License-Identifier: Apache-2.0
"""The cold chain of the demonstration: places, produce, sensors, rules, what people do there, and what
goes wrong, when, on purpose.

The rules are those that come with the program (alerts/profiles), under each zone's own name and band.
Minutes count from the start, in virtual time.
"""
import bisect
import dataclasses
import json
import os
import re

from house.series import from_iso

ORG = "fengjie"
PROFILES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "alerts", "profiles")
CHANNELS = ["air_temperature", "humidity", "product_temperature", "set_point", "door", "defrost", "compressor", "mains"]
DAY = 24 * 60

ROOM = {"tau": "10h"}
# How long a delivery may take (alerts/profiles/van.yaml); empty until it leaves.
VAN = {"tau": "6h", "door_most": "26m", "recovery_most": "12m", "defrost_most": "20m", "off_duty": "empty"}

# id, name, zones: (id, name, lowest and highest air temperature in order, whose rules, what else is known of it)
SITES = [
    ("fengjie-store", "奉节产地冷库", [("room-orange", "1号库 脐橙", 3, 8, "room", {**ROOM, "goods": ["navel_orange"]}),
                                 ("room-lemon", "2号库 柠檬", 10, 15, "room", ROOM)]),
    ("wushan-packing", "巫山脆李分拣包装点", [("room-plum", "预冷间 脆李", 0, 5, "room", ROOM)]),
    ("van-1", "冷藏车 1 (县级集配中心方向)", [("van-1-box", "车厢 脐橙", 3, 8, "van", {**VAN, "goods": ["navel_orange"]})]),
    ("van-2", "冷藏车 2 (县级集配中心方向)", [("van-2-box", "车厢 脆李", 0, 6, "van", VAN)]),
]

# device: [(zone, probe number or "", the simulated zone)]
DEVICES = {
    "fengjie-store": [
        # A store that is hardly opened, and little in it, so that it warms soon.
        ("room-orange", "1", {"zone": "room", "seed": 11, "parameters": {
            "product_kg": "5000", "outside_C": "26", "doors_per_h": "0"}}),
        ("room-lemon", "2", {"zone": "room", "seed": 12, "parameters": {
            "set_point_C": "12", "product_C": "12", "product_kg": "9000", "doors_per_h": "1"}}),
    ],
    "wushan-packing": [
        ("room-plum", "", {"zone": "room", "seed": 13, "parameters": {
            "set_point_C": "2", "product_C": "2.5", "product_kg": "6000", "outside_C": "26", "doors_per_h": "3"},
            "loads": [{"after": "3h", "mass_kg": 400, "temperature_C": 24}]}),
    ],
    "van-1": [("van-1-box", "", {"zone": "van", "seed": 14, "parameters": {"set_point_C": "5.5", "product_C": "5.5"}})],
    "van-2": [("van-2-box", "", {"zone": "van", "seed": 15, "parameters": {"set_point_C": "2", "product_C": "2.5"}})],
}

@dataclasses.dataclass(frozen=True)
class Event:
    """What happens `minute` minutes after the start, and every so many minutes again."""
    minute: int
    every: int
    label: str
    en: str
    zh: str
    verb: str = ""
    body: dict = dataclasses.field(default_factory=dict)

    def again(self):
        return dataclasses.replace(self, minute=self.minute + self.every)


# zones, kind of fault, first and last minute of each day, what happens
TROUBLES = [
    (["room-plum"], "door_open", 10, 50,
     "the door of the plum room is left open for 40 min", "脆李预冷间的门敞开 40 min"),
    (["room-orange"], "compressor_dead", 390, 510,
     "the compressor of the orange room fails for 2 h", "脐橙库的压缩机故障 2 h"),
    (["room-plum"], "mains_lost", 600, 645,
     "a power cut of 45 min at the packing house", "分拣包装点停电 45 min"),
]

# A van's round takes 236 min, 20 of them at the depot, where it is loaded after every second one.
DEPOT, TOUR = 20, 2 * 236


def duty(minute, every, zone, why, en, zh):
    body = {"id": zone, "on": not why, **({"why": why} if why else {})}
    return Event(minute, every, "people", en, zh, "zone.duty", body)


def events():
    """All of it, in order."""
    found = [Event(first, DAY, "wrong", en, zh) for _, _, first, _, en, zh in TROUBLES]
    for number in (1, 2):
        found += [duty(DEPOT, TOUR, f"van-{number}-box", "", f"van {number} leaves, loaded; its start is 2 h long",
                       f"冷藏车 {number} 装车出发，出发阶段 2 h"),
                  duty(TOUR, TOUR, f"van-{number}-box", "empty", f"van {number} is back and empty", f"冷藏车 {number} 返回，已卸空")]
    found += [duty(178, DAY, "room-plum", "pre-cooling", "400 kg of plums at 24 °C come in and are pre-cooled",
                   "24 °C 的脆李 400 kg 入库预冷"),
              duty(420, DAY, "room-plum", "", "the plums are cold", "脆李预冷完毕")]
    return sorted(found, key=lambda event: event.minute)


def is_explained(incident, origin_ms):
    """Whether what went wrong there on purpose is why: while it lasted, or while the zone came back from it."""
    minute = (from_iso(incident["onset"]) - origin_ms) / 60000 % DAY
    return any(incident["zone"] in places and first - 1 <= minute <= last + 60
               for places, _, first, last, *_ in TROUBLES)


def put(found, event):
    bisect.insort(found, event, key=lambda one: one.minute)


def escalation(url):
    """The one who has the keys is told, up to three times, until somebody acknowledges."""
    return {"link": url,
            "contacts": [{"id": "keeper", "addresses": [{"channel": "duty"}]}],
            "duties": [{"id": "on-call", "shifts": [{"contact": "keeper"}]}],
            "policies": [{"id": "all", "steps": [{"duty": "on-call", "repeat": "30m", "most": 3}]}]}


def channel_names(probe):
    return [f"{name}-{probe}" if probe else name for name in CHANNELS]


def faults(zone):
    return [{"kind": kind, "after": f"{first}m", "for": f"{last - first}m", "every": f"{DAY}m"}
            for places, kind, first, last, *_ in TROUBLES if zone in places]


def sensors(device, interval):
    """What the agent of this device samples."""
    return [{"name": zone, "driver": "sim", "interval": interval,
             "channels": [{"name": name} for name in channel_names(probe)], "sim": {**sim, "faults": faults(zone)}}
            for zone, probe, sim in DEVICES[device]]


def zones():
    """{zone: (lowest, highest, whose rules)}"""
    return {zone: (low, high, profile) for _, _, rooms in SITES for zone, _, low, high, profile, _ in rooms}


def bands(device):
    return [{"channel": channel_names(probe)[0], "low": str(zones()[zone][0]), "high": str(zones()[zone][1])}
            for zone, probe, _ in DEVICES[device]]


def collector_sites():
    return [{"id": site, "name": name,
             "zones": [{"id": zone, "name": label, "band_low": str(low), "band_high": str(high), **known}
                       for zone, label, low, high, _, known in rooms]}
            for site, name, rooms in SITES]


def collector_devices():
    """One device may measure several rooms, so channels are placed one by one."""
    return [{"id": device, "placements": [{"channel": name, "zone": zone}
                                          for zone, probe, _ in places for name in channel_names(probe)]}
            for device, places in DEVICES.items()]


# --- rules -----------------------------------------------------------------------------

# The bands for which the numbers of alerts/profiles were written (docs/alert-quality.md).
WRITTEN_FOR = {"room": (3, 8), "van": (0, 8)}


def profile(name):
    """The rules of a profile: a line of its file is one, and JSON but for the quotes."""
    def quoted(match):
        word = match.group()
        is_bare = word in ("true", "false") or re.fullmatch(r"-?\d+(\.\d+)?", word)
        return word if is_bare else json.dumps(word.strip('"'))
    with open(os.path.join(PROFILES, f"{name}.yaml"), encoding="utf-8") as file:
        return [json.loads(re.sub(r'[^\s{}\[\],:]+', quoted, line[4:])) for line in file if line.startswith("  - ")]


def relative(value, end, written_for):
    """A temperature as so many kelvins from that end of the zone's band."""
    return f"{end}{value - written_for:+g}" if value != written_for else end


def for_zone(rule, zone, band):
    """The profile's rule under the zone's own name, with limits that follow the zone's own band."""
    text = json.dumps(rule).replace('"place', f'"{zone}')
    rule = json.loads(text)
    if rule["kind"] in ("door_open", "defrost_long"):
        del rule["quantity"]  # there is a signal of each here: nothing has to be recognised, nor learned first
    end, written_for = ("band_low", band[0]) if rule["kind"] == "below" else ("band_high", band[1])
    if "limit" in rule:
        rule["limit"] = relative(rule["limit"], end, written_for)
    if rule["kind"] in ("above", "below"):
        for level in rule["levels"]:
            level.update({key: relative(level[key], end, written_for)
                          for key in ("level", "recovery_level") if key in level})
    if rule["kind"] == "silent_device":
        rule["silent"] = "30m"  # these vans have network on the whole way
    return rule


def rules():
    """Of every zone those of its profile, and a warning an hour before its goods leave the band."""
    found = []
    for zone, (_, _, name) in zones().items():
        found += [for_zone(rule, zone, WRITTEN_FOR[name]) for rule in profile(name)]
        found.append({"id": f"{zone}-soon", "zone": zone, "kind": "predicted", "quantity": "product_temperature",
                      "limit": "band_high", "window": "2h", "unless": ["start"],
                      "levels": [{"severity": "warning", "level": 60}]})
    return found
