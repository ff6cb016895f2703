# SPDX-License-Identifier: Apache-2.0
"""The committed Grafana dashboards, asked of an InfluxDB that the real collector filled; and
incidents get there once each, through kills and through an InfluxDB that was away."""
import glob
import json
import os
import time

from harness import ROOT
from house import grafana
from house.broker import Broker
from house.collector import Collector
from house.influx import FalseInflux, Influx
from house.mqtt import Client
from house.series import from_iso

EPOCH = "00000000000000aa"
SITES = [{"id": "store", "name": "冷库", "zones": [{"id": "room-1", "name": "1"}, {"id": "room-2", "name": "2"}]}]
DEVICES = [{"id": "one", "placements": [
    {"channel": name + probe, "zone": zone} for probe, zone in (("-1", "room-1"), ("-2", "room-2"))
    for name in ("air_temperature", "product_temperature", "set_point", "humidity", "door", "defrost", "compressor")]}]
RULES = [rule for zone in ("room-1", "room-2") for rule in (
    {"id": f"{zone}-warm", "zone": zone, "kind": "above", "quantity": "air_temperature",
     "levels": [{"severity": "critical", "level": 8, "delay": "0s", "recovery": "8", "recovery_delay": "0s"}]},
    {"id": f"{zone}-silent", "zone": zone, "kind": "silent", "silent_after": "2s"})]
MINUTES = 40


def pack(time_ms, air, probe):
    """All that a room measures in one minute, and one reading that has no value."""
    at = time_ms / 1000
    values = {"air_temperature": ("Cel", air), "product_temperature": ("Cel", 3.5), "set_point": ("Cel", 2),
              "humidity": ("%RH", 85), "door": (None, time_ms // 60000 % 2), "defrost": (None, 0), "compressor": (None, 1)}
    records = [{"n": name + probe, "t": at, "v": value, **({"u": unit} if unit else {})}
               for name, (unit, value) in values.items()]
    return json.dumps(records + [{"n": "air_temperature" + probe, "t": at + 1, "vs": "open"}]).encode()


class Scene:
    """Two rooms, one device of our own hand, a collector that writes to `url`."""

    def __init__(self, house, url):
        self.house, self.seq = house, 0
        self.broker = Broker(house.folder, house.program("coldchainctl"))
        password = self.broker.add("fengjie/one")
        house.start(self.broker)
        self.collector = house.start(Collector(
            house.folder, house.program("coldchain-collector"), self.broker, sites=SITES, rules=RULES, devices=DEVICES,
            influx={"url": url, "flush": "100ms"}, pipeline={"silence_grace": "0s"}))
        self.client = house.keep(Client(self.broker.port, "fengjie/one", password, "one"))

    def send(self, time_ms, air, probe):
        self.seq += 1
        self.client.publish(f"coldchain/v1/fengjie/one/readings/{EPOCH}/{self.seq}", pack(time_ms, air, probe))

    def live(self, now_ms, minutes=MINUTES):
        """Warm in the middle, which is over, and warm at the end, which is not."""
        for minute in range(minutes):
            is_warm = minutes // 3 <= minute < minutes // 2 or minute >= minutes - 2
            for probe in ("-1", "-2"):
                self.send(now_ms - 60000 * (minutes - 1 - minute), 9.5 if is_warm else 4.0 + minute % 7 / 10, probe)

    def told(self):
        """{(id, state, severity, onset)} of the API."""
        return sorted((one["id"], one["state"], one["severity"], from_iso(one["onset"]), one["zone"], one["rule"],
                       from_iso(one["closed"]) if one["closed"] else 0) for one in self.collector.incidents())


def in_influx(influx):
    """The same of InfluxDB; a list, so that a double shows."""
    found = influx.query('SELECT "id","state","severity","zone"::tag,"rule"::tag,"end_ms","site"::tag,"org"::tag FROM "incident"')
    rows = [row for one in found for row in one["values"]]
    assert all(row[7] == "store" and row[8] == "fengjie" for row in rows), rows
    return sorted((row[1], row[2], row[3], row[0], row[4], row[5], row[6]) for row in rows)


def wait_until_same(scene, influx, count, timeout=60):
    scene.house.wait_for(lambda: len(scene.told()) >= count and in_influx(influx) == scene.told(), timeout,
                         lambda: f"InfluxDB {in_influx(influx)}\nAPI {scene.told()}")


def story_every_query_of_every_dashboard_has_data(house):
    influx = house.start(Influx(house.folder))
    scene = Scene(house, influx.url)
    now_ms = int(time.time() * 1000)
    scene.live(now_ms)
    house.wait_for(lambda: len(in_influx(influx)) >= 4 and influx.values() >= 2 * 7 * MINUTES, 60, "all is in InfluxDB")
    house.wait_for(lambda: any(one["kind"] == "silent" and one["state"] != "closed" and one["zone"] == "room-1"
                               for one in scene.collector.incidents()), 60, "the device is silent")
    wait_until_same(scene, influx, 6)
    boards = [grafana.load(path) for path in
              sorted(glob.glob(os.path.join(ROOT, "dashboards", "grafana", "dashboards", "*", "*.json")))]
    house.check(len(boards) >= 4, "the dashboards are there")
    asked = sum(grafana.check_queries(influx, board, now_ms - 3600000, now_ms + 60000, {"zone": ["room-1"]})
                for board in boards)
    house.say(f"{asked} queries gave data")


def story_incidents_are_in_influxdb_once_each_through_kills(house):
    influx = house.start(Influx(house.folder))
    scene = Scene(house, influx.url)
    now_ms = int(time.time() * 1000)
    for life in range(4):
        scene.live(now_ms - 7200000 + life * 1200000, 20)
        house.wait_for(lambda: len(in_influx(influx)) > 2 * life, 60, "some incidents are there")
        scene.collector.kill()
        scene.collector.start()
    wait_until_same(scene, influx, 8)
    house.say(f"{len(scene.told())} incidents, each once")


def story_incidents_wait_for_an_influxdb_that_is_away(house):
    influx = Influx(house.folder)
    scene = Scene(house, influx.url)
    scene.live(int(time.time() * 1000))
    house.wait_for(lambda: scene.collector.metric("influx_errors_total") > 0, 30, "InfluxDB is missed")
    house.start(influx)
    wait_until_same(scene, influx, 4)


def story_a_refused_incident_is_set_aside(house):
    stand_in = FalseInflux()
    stand_in.behave = FalseInflux.reject_lines(lambda line: line.startswith("incident,") and "rule=room-2-warm" in line)
    house.start(stand_in)
    scene = Scene(house, stand_in.url)
    scene.live(int(time.time() * 1000))

    def aside():
        return [one for one in scene.collector.quarantine()[1] if one["source"] == "influx"]
    house.wait_for(lambda: len(aside()) >= 3, 60, lambda: f"{len(aside())} lines are set aside")
    house.check(all("unable to parse" in one["detail"] for one in aside()), "with the server's reason")
    house.wait_for(lambda: any("rule=room-1-warm" in line for line in stand_in.lines), 30, "the others are written")
