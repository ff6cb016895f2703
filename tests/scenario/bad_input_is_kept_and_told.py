# SPDX-License-Identifier: Apache-2.0
"""What no decent device would send: kept with its reason, counted, shown, acknowledged,
and never in the way of what follows."""
import json
import time
import zlib

from house.broker import Broker
from house.collector import Collector
from house.mqtt import Client
from house.series import iso

EPOCH = "00000000000000aa"
SITES = [{"id": "store", "zones": [{"id": "room-1"}]}]
RULES = [{"id": "warm", "zone": "room-1", "kind": "above", "quantity": "air_temperature",
          "levels": [{"level": 8}]}]


def pack(time_ms, value=4.0):
    return [{"n": "air_temperature", "u": "Cel", "t": time_ms / 1000, "v": value}]


def labels(device, seq, closed_ms, clock="synced"):
    """What a native pack carries in its first record."""
    return {"cc-dev": device, "cc-epoch": EPOCH, "cc-seq": str(seq), "cc-at": closed_ms, "cc-clock": clock}


class Bench:
    """A collector and a device of our own hand."""

    def __init__(self, house, device="one"):
        self.house, self.device, self.seq = house, device, 0
        self.broker = Broker(house.folder, house.program("coldchainctl"))
        password = self.broker.add(f"fengjie/{device}")
        house.start(self.broker)
        self.collector = house.start(Collector(
            house.folder, house.program("coldchain-collector"), self.broker, sites=SITES, rules=RULES,
            delivery={"ack_interval": "100ms"}, devices=[{"id": "one", "zone": "room-1"}]))
        self.client = house.keep(Client(self.broker.port, f"fengjie/{device}", password, device))
        self.client.subscribe(f"coldchain/v1/fengjie/{device}/ack")

    def send(self, payload, content_type=None):
        self.seq += 1
        self.client.publish(f"coldchain/v1/fengjie/{self.device}/readings/{EPOCH}/{self.seq}", payload,
                            content_type=content_type)
        return self.seq

    def send_good(self, time_ms, value=4.0):
        return self.send(json.dumps(pack(time_ms, value)).encode())

    def acked_through(self):
        acks = [json.loads(payload) for payload in
                self.client.received(f"coldchain/v1/fengjie/{self.device}/ack")]
        return max((int(epoch["through"]) for ack in acks for epoch in ack["epochs"] if epoch["epoch"] == EPOCH),
                   default=0)

    def wait_acked(self, seq):
        self.house.wait_for(lambda: self.acked_through() >= seq, 20,
                            lambda: f"acked through {self.acked_through()}, want {seq}")

    def rows(self, count, channel="air_temperature"):
        """The history's, once it holds so many; it follows the journal at its own pace."""
        def enough():
            rows = self.collector.readings(self.device, channel)
            return rows if len(rows) >= count else None
        return self.house.wait_for(enough, 20, f"{count} rows of {channel} are in the history")


BAD = [
    ("malformed JSON", b'[{"n":"air_temperature","v":4', None),
    ("an object", b'{"n":"air_temperature","v":4}', None),
    ("wrong types", b'[{"n":7,"v":"cold"}]', None),
    ("a text as value", b'[{"n":"air_temperature","t":1,"v":"4.0"}]', None),
    ("NaN", b'[{"n":"air_temperature","t":1795000000,"v":NaN}]', None),
    ("an infinite number", b'[{"n":"air_temperature","t":1795000000,"v":1e999}]', None),
    ("no name", b'[{"v":4}]', None),
    ("a name that is none", b'[{"n":"../etc","t":1795000000,"v":4}]', None),
    ("64 KiB of brackets", b"[" * 65536, None),
    ("64 KiB of zeros", b"\0" * 65536, None),
    ("empty", b"", None),
    ("deflate bomb", zlib.compress(b"[" + b" " * (64 << 20) + b"]", 9), None),
    ("cut deflate", zlib.compress(b'[{"n":"air_temperature","t":1795000000,"v":4}]')[:-6], None),
    ("deflate after the content type only", b"\1\2\3", "application/senml+json; deflate"),
    ("not UTF-8", b'[{"n":"air_temperature","t":1795000000,"vs":"\xff\xfe"}]', None),
]


def story_undecodable_packs_are_quarantined(house):
    bench = Bench(house)
    now = int(time.time() * 1000)
    names = {}
    for name, payload, content_type in BAD:
        names[bench.send(payload, content_type)] = name
        bench.send_good(now - 60000 + bench.seq * 100)
    bench.wait_acked(bench.seq)
    house.equal(len(bench.rows(len(BAD))), len(BAD), "the good ones between")
    house.wait_for(lambda: bench.collector.metric("quarantined_total") == len(BAD), 30,
                   lambda: f"{bench.collector.metric('quarantined_total')} counted, want {len(BAD)}")
    counts, entries = bench.collector.quarantine()
    house.equal(sorted(names[one["seq"]] for one in entries), sorted(names.values()), "what is kept")
    house.equal(sum(counts.values()), len(BAD), "the counts")
    house.check(all(one["reason"] and one["detail"] for one in entries), "each has its reason")
    house.say("reasons: " + ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items())))


def story_payload_that_names_another_device(house):
    bench = Bench(house)
    now = int(time.time() * 1000)
    bench.send(json.dumps([{**labels("two", 1, now), **pack(now, 99)[0]}]).encode())
    bench.send(json.dumps([{**labels("one", 7, now), **pack(now, 99)[0]}]).encode())
    bench.send(json.dumps([{**labels("one", 3, now), **pack(now, 4.0)[0]}]).encode())
    bench.wait_acked(3)
    house.equal(bench.collector.readings("two", "air_temperature"), [], "nothing is taken for device two")
    house.equal([row[1] for row in bench.rows(1)], [4.0], "what is right")
    counts, entries = bench.collector.quarantine()
    house.equal([one["seq"] for one in entries], [1, 2], "what is kept aside")
    house.say(f"reasons: {counts}; {entries[0]['detail']}")


def story_times_that_cannot_be(house):
    """SenML has no date before 1978: what an agent without a clock means is relative to
    the time at which it closed the pack."""
    bench = Bench(house)
    now = int(time.time() * 1000)
    in_1970 = [{**labels("one", 1, 5000, "unset"), "n": "air_temperature", "u": "Cel", "t": -2, "v": 30}]
    bench.send(json.dumps(in_1970).encode())
    bench.send_good(300000000000, value=30.0)  # 1979; 30 is above the rule's level
    bench.send_good(4070908800000, value=30.0)  # 2099
    bench.send_good(now, value=4.0)
    bench.wait_acked(bench.seq)
    rows = bench.rows(4)
    house.equal([row[0] for row in rows], [3000, 300000000000, now, 4070908800000], "all are kept")
    house.equal(bench.collector.metric("readings_implausible_time_total"), 3, "counted")
    house.equal(bench.collector.quarantine()[0], {"implausible-time": 3}, "and shown with the reason")
    house.equal([one["kind"] for one in bench.collector.incidents()], ["clock_wrong"],
                "and kept out of live evaluation: only the clock is told of")
    zone = bench.collector.get("/zones")[0]["channels"][0]
    house.equal((zone["value"], zone["time"]), (4.0, iso(now)), "the zone shows the reading of now")


def story_undeclared_device(house):
    bench = Bench(house, device="stranger")
    now = int(time.time() * 1000)
    bench.send_good(now)
    bench.wait_acked(1)
    house.equal(len(bench.rows(1)), 1, "its reading is kept")
    house.equal(bench.collector.metric("readings_unplaced_total"), 1, "counted as unplaced")
    listed = {one["id"]: one for one in bench.collector.get("/devices")}
    house.check("stranger" in listed and not listed["stranger"]["declared"], "listed as undeclared")


def story_unregistered_quantity(house):
    bench = Bench(house)
    now = int(time.time() * 1000)
    bench.send(json.dumps([{"n": "moon_phase", "t": now / 1000, "v": 0.5}]).encode())
    bench.wait_acked(1)
    house.equal([row[1] for row in bench.rows(1, "moon_phase")], [0.5], "stored")
