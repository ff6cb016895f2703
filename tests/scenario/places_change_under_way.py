# SPDX-License-Identifier: Apache-2.0
"""A device replaced and a van's plate swapped: the zone's history goes on without a break."""
import json
import time

from house.broker import Broker
from house.collector import Collector
from house.mqtt import Client
from house.series import from_iso, iso

EPOCH = "00000000000000aa"
SITES = [{"id": "van", "name": "Van 7", "zones": [{"id": "box"}]}]
RULES = [{"id": "warm", "zone": "box", "kind": "above", "quantity": "air_temperature", "levels": [{"level": 8}]}]
STEP_MS = 60000


class Van:
    """A collector, and two devices of our own hand."""

    def __init__(self, house):
        self.house, self.seq = house, {"old": 0, "new": 0}
        self.broker = Broker(house.folder, house.program("coldchainctl"))
        passwords = {name: self.broker.add(f"fengjie/{name}") for name in self.seq}
        house.start(self.broker)
        self.collector = house.start(Collector(
            house.folder, house.program("coldchain-collector"), self.broker, sites=SITES, rules=RULES,
            delivery={"ack_interval": "100ms"}, devices=[{"id": "old", "zone": "box"}]))
        self.clients = {name: house.keep(Client(self.broker.port, f"fengjie/{name}", passwords[name], name))
                        for name in self.seq}

    def send(self, device, time_ms, value):
        self.seq[device] += 1
        payload = [{"n": "air_temperature", "u": "Cel", "t": time_ms / 1000, "v": value}]
        self.clients[device].publish(f"coldchain/v1/fengjie/{device}/readings/{EPOCH}/{self.seq[device]}",
                                     json.dumps(payload).encode())

    def do(self, verb, **body):
        status, answer = self.collector.do(verb, reason="in the yard", **body)
        self.house.equal(status, 200, f"{verb} is done: {answer}")
        return answer

    def zone_times(self):
        page = self.collector.get("/zones/box/readings", limit=1000)
        return sorted(from_iso(one["time"]) for one in page["readings"])

    def plate_at(self, time_ms):
        plates = self.collector.get("/entities/site/van")["plates"]
        return [one["plate"] for one in plates if one["from"] <= time_ms][-1]


def story_device_replaced_and_plate_swapped(house):
    van = Van(house)
    start = int(time.time() * 1000) // STEP_MS * STEP_MS - 40 * STEP_MS
    times = [start + i * STEP_MS for i in range(30)]
    swap = times[15]
    van.do("site.put", id="van", tier="vehicle",
           plates=[{"from": times[0], "plate": "YuF 11111", "lessor": "Lao Li"}])
    for at in times[:15]:
        van.send("old", at, 4.0)
    answer = van.do("device.replace", id="old", by="new", at=iso(swap))
    house.equal(answer["id"], "old", "the answer names the device")
    van.do("vehicle.plate", id="van", plate="YuF 22222", **{"from": iso(swap)})
    for at in times[15:]:
        van.send("new", at, 4.5)
    house.wait_for(lambda: van.zone_times() == times, 30, lambda: f"one series of 30: {len(van.zone_times())}")
    house.equal(van.plate_at(times[14]), "YuF 11111", "the plate before the swap")
    house.equal(van.plate_at(times[15]), "YuF 22222", "the plate from the swap on")
    house.equal(van.collector.do("device.replace", id="old", by="third")[0], 409, "it is replaced once")

    before = van.collector.get("/audit")["audit"]
    van.collector.kill()
    van.collector.start()
    house.equal(van.collector.get("/audit")["audit"], before, "the audit is the same after a crash")
    house.equal(van.zone_times(), times, "the series is the same after a crash")
    house.check(van.collector.get("/audit/verify")["holds"], "the chain of the audit holds")


def story_device_waits_to_be_placed(house):
    van = Van(house)
    now = int(time.time() * 1000) // STEP_MS * STEP_MS
    van.send("new", now - 2 * STEP_MS, 4.0)

    def waits():
        return [one["id"] for one in van.collector.get("/devices") if not one["declared"]] == ["new"]
    house.wait_for(waits, 20, "a device that nobody declared is listed")
    first = van.collector.do("placement.put", key="k1", device="new", channel="air_temperature", zone="box",
                             **{"from": iso(now - STEP_MS)})
    again = van.collector.do("placement.put", key="k1", device="new", channel="air_temperature", zone="box",
                             **{"from": iso(now - STEP_MS)})
    house.equal(again, first, "the same key is the same command")
    house.equal(first[0], 200, "one command places it")
    van.send("new", now, 5.0)
    house.wait_for(lambda: now in van.zone_times(), 20, "its readings are the zone's")
    status, refused = van.collector.do("placement.put", device="new", channel="air_temperature", zone="box")
    house.equal(status, 409, "placements do not overlap")
    house.check("measures zone 'box' from" in refused["detail"], f"the other is named: {refused['detail']}")
