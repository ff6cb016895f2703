# SPDX-License-Identifier: Apache-2.0
"""A probe moved from room A to room B at ten and the system told at two: history, the API, a real
InfluxDB and the incidents are as in a house that was told at ten; the audit says who and why."""
import json
import os
import time
import urllib.error

from house.broker import Broker
from house.collector import Collector
from house.influx import Influx
from house.mqtt import Client
from house.series import from_iso, iso
from house.webhook import Receiver

EPOCH = "00000000000000aa"
SITES = [{"id": "store", "name": "冷库", "zones": [{"id": "a", "name": "A"}, {"id": "b", "name": "B"}]}]
# Ten degrees are fine in A and not in B; minus one is fine in B and not in A.
RULES = [{"id": "cold-a", "zone": "a", "kind": "below", "quantity": "air_temperature",
          "levels": [{"severity": "critical", "level": 0, "delay": "5m", "recovery": 1, "recovery_delay": "0s"}]},
         {"id": "warm-b", "zone": "b", "kind": "above", "quantity": "air_temperature",
          "levels": [{"severity": "warning", "level": 8, "delay": "5m", "recovery": 7, "recovery_delay": "0s"}]}]
STEP_MS = 60000
TEN, TWO, LATER = 60, 300, 330  # minutes after nine


def air(minute):
    """From ten on below A's limit for an hour, then above B's for one, then again until after two."""
    if 80 <= minute < 140:
        return -1.5
    if 160 <= minute < 220 or minute >= 290:
        return 9.5
    return 4.0


class House:
    def __init__(self, house, name):
        self.house, self.name, self.seq = house, name, 0
        folder = os.path.join(house.folder, name)
        os.makedirs(folder)
        self.influx = house.start(Influx(folder, name=f"influxd-{name}"))
        self.receiver = house.start(Receiver("s3cret"))
        self.broker = Broker(folder, house.program("coldchainctl"))
        password = self.broker.add("fengjie/probe")
        house.start(self.broker)
        self.collector = house.start(Collector(
            folder, house.program("coldchain-collector"), self.broker, sites=SITES, rules=RULES,
            devices=[{"id": "probe", "zone": "a"}], influx={"url": self.influx.url, "flush": "100ms"},
            delivery={"ack_interval": "100ms"}, pipeline={"silence_grace": "0s"},
            webhooks=[{"name": "duty", "url": self.receiver.url, "secret": "s3cret"}]))
        self.client = house.keep(Client(self.broker.port, "fengjie/probe", password, f"probe-{name}"))

    def measure(self, start_ms, minutes):
        for minute in minutes:
            self.seq += 1
            at = (start_ms + minute * STEP_MS) / 1000
            records = [{"n": name, "u": unit, "t": at, "v": value} for name, unit, value in
                       (("air_temperature", "Cel", air(minute)), ("humidity", "%RH", 80 + minute % 7))]
            self.client.publish(f"coldchain/v1/fengjie/probe/readings/{EPOCH}/{self.seq}", json.dumps(records).encode())
        self.house.wait_for(lambda: len(self.rows("a")) + len(self.rows("b")) == 2 * self.seq, 60,
                            lambda: f"{self.name}: all readings are in history")
        self.house.wait_for(lambda: self.judged() == 2 * self.seq, 60,
                            lambda: f"{self.name}: {self.judged()} of {2 * self.seq} readings are judged")
        self.house.wait_for(lambda: len(self.points()) == 2 * self.seq, 60,
                            lambda: f"{self.name}: {len(self.points())} of {2 * self.seq} points")

    def judged(self):
        """Readings that the rules have seen; history and InfluxDB follow the journal beside them."""
        return sum(one["readings"] for one in self.collector.get("/devices"))

    def move(self, at_ms):
        status, answer = self.collector.do("placement.move", device="probe", zone="b", reason="in room B since ten",
                                           **{"from": iso(at_ms)})
        self.house.equal(status, 200, f"the move is taken: {answer}")

    def rows(self, zone):
        try:
            page = self.collector.get(f"/zones/{zone}/readings", limit=10000)
        except urllib.error.HTTPError as error:
            self.house.equal((error.code, zone), (404, "b"), "no channel was ever there")
            return []
        return [(from_iso(one["time"]), one["channel"], one["value"]) for one in page["readings"]]

    def points(self):
        """{(time, field, zone): value}"""
        return {(at, field, tags[1]): value for field in ("air_temperature", "humidity")
                for tags, rows in self.influx.points(field).items() for at, value in rows}

    def incidents(self, **query):
        page = self.collector.get("/incidents", limit=100, **query)["incidents"]
        return sorted((one["rule"], one["zone"], one["state"], one["onset"], one["opened"], one["closed"] or "",
                       one["severity"], one["worst"] if one["closed"] else 0) for one in page)

    def in_influx(self):
        found = self.influx.query('SELECT "id","state","zone"::tag,"rule"::tag,"end_ms" FROM "incident"')
        return sorted(tuple(row) for series in found for row in series["values"])

    def view(self):
        return {"zone a": self.rows("a"), "zone b": self.rows("b"), "points": self.points(),
                "incidents": self.incidents(), "incident points": self.in_influx()}

    def told(self):
        return [(one["event"], one["rule"]) for one in self.receiver.messages.values()]


def story_probe_moved_at_ten_told_at_two(house):
    start = int(time.time() * 1000) // STEP_MS * STEP_MS - 340 * STEP_MS
    at_ten, at_two = House(house, "told-at-ten"), House(house, "told-at-two")
    at_ten.measure(start, range(TEN))
    at_ten.move(start + TEN * STEP_MS)
    at_ten.measure(start, range(TEN, TWO))
    at_two.measure(start, range(TWO))
    wrong = at_two.incidents()
    house.equal([one[:2] for one in wrong], [("cold-a", "a")], "before it is told, the probe is in A")
    at_two.move(start + TEN * STEP_MS)

    def same():
        return at_ten.view() == at_two.view()

    def difference():
        left, right = at_ten.view(), at_two.view()
        return "\n".join(f"{key}: {left[key]}\n  {right[key]}" for key in left if left[key] != right[key])[:4000]
    house.wait_for(same, 60, difference)
    house.equal([one[:3] for one in at_two.incidents()],
                [("warm-b", "b", "closed"), ("warm-b", "b", "open")], "incidents are B's")
    all_of_them = at_two.incidents(withdrawn="include")
    house.equal([one[0] for one in all_of_them], ["cold-a", "warm-b", "warm-b"], "what was withdrawn is kept")

    for one in (at_ten, at_two):
        one.measure(start, range(TWO, LATER))
    house.wait_for(same, 60, difference)
    house.wait_for(lambda: len(at_two.told()) == 5, 30, lambda: f"five messages: {at_two.told()}")
    # What was over in B when it was learned is told once, by its end.
    house.equal(sorted(at_two.told()), [("closed", "cold-a"), ("closed", "warm-b"), ("opened", "cold-a"),
                                        ("opened", "warm-b"), ("withdrawn", "cold-a")],
                "each is told once, and that one never was")
    house.equal(at_two.receiver.doubled(), [], "nothing is told twice")
    audit = at_two.collector.get("/audit")["audit"][-1]
    house.equal((audit["verb"], audit["reason"]), ("placement.move", "in room B since ten"), "the audit says why")
    house.check(audit["actor"], "and who")
    house.check(at_two.collector.get("/audit/verify")["holds"], "the chain of the audit holds")

    at_two.collector.kill()
    at_two.collector.start()
    house.wait_for(same, 60, difference)


def story_influx_is_away_while_it_is_told(house):
    start = int(time.time() * 1000) // STEP_MS * STEP_MS - 340 * STEP_MS
    here = House(house, "away")
    here.measure(start, range(TWO))
    here.influx.kill()
    here.move(start + TEN * STEP_MS)
    here.collector.kill()
    here.influx.start()
    here.collector.start()
    wanted = {zone for minute in range(TWO) for zone in ("a" if minute < TEN else "b")}
    house.wait_for(lambda: {key[2] for key in here.points()} == wanted and len(here.points()) == 2 * TWO and
                   all(key[2] == ("a" if key[0] < start + TEN * STEP_MS else "b") for key in here.points()), 60,
                   lambda: f"every point once, in its zone: {len(here.points())}")
