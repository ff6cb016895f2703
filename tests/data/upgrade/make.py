#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes what an upgrade test opens: the data folders that a given revision of coldchain wrote.

    /usr/bin/python3 tests/data/upgrade/make.py REVISION NAME [--tree FOLDER]

checks REVISION out into a scratch folder and builds it for release (--tree: a tree that is
built already), runs its own collector and agents on its own test support against a real
mosquitto, stops them, and writes tests/data/upgrade/NAME/:

    data.tar.xz      collector/{state.db,history/,journal/,...} and agents/DEVICE/journal/
    listing.json.xz  what that revision's own API and coldchainctl said of it all
    made.txt         revision, time, sizes

What a house of that version has seen by then: two months of readings, compacted and not yet
compacted; a late pack; a gap that closed by DATA, one that closed by LOSS and one still open
with packs waiting behind it; an incident open, one acknowledged, one closed; quarantined
messages; a dead, a pending and many delivered notifications; a sink with its cursor; and an
agent whose packs never left. The files are committed once per release and never made again:
a later run has other ids and times.
"""
import argparse
import csv
import io
import json
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))

EPOCH = "00000000000000aa"
SECRET = "a secret of the tests"
START_MS = 1790722800000  # 2026-09-29 23:00 UTC: with 60 s per pack, two months
STEADY = 2400             # packs of one device: enough to be compacted
TAIL = 40                 # and what comes behind that
SITES = [{"id": "store", "name": "冷库", "zones": [{"id": "room-1", "name": "1"}, {"id": "room-2", "name": "2"},
                                                {"id": "room-3", "name": "3"}, {"id": "room-4", "name": "4"}]},
         {"id": "van", "name": "van", "zones": [{"id": "van-box", "name": "box"}]}]
DEVICES = [{"id": "steady", "zone": "room-1"}, {"id": "two", "zone": "room-2"}, {"id": "three", "zone": "room-3"},
           {"id": "four", "zone": "room-4"}, {"id": "agent-1", "zone": "van-box"}, {"id": "agent-2", "zone": "van-box"}]
RULES = [{"id": f"warm-{zone}", "zone": zone, "kind": "above", "quantity": "air_temperature",
          "levels": [{"severity": "critical", "level": 8, "delay": "0s", "recovery": "8", "recovery_delay": "0s"}]}
         for zone in ("room-1", "room-2", "room-3", "room-4")]
PLACES = {"sites": SITES, "devices": DEVICES, "rules": RULES}
CSV_COLUMNS = "time=at,air_temperature=air,humidity=rh"
CSV_CHANNELS = ("air_temperature", "humidity")
COLLECTOR = {"delivery": {"ack_interval": "100ms"}, "history": {"keep": "0"}, "pipeline": {"checkpoint": "1s"},
             "journal": {"segment_size": "1M", "spare_segments": 1}}


def payload(seq, value, at_ms):
    """A pack of one device of our own hand; the same seq gives the same bytes."""
    return json.dumps([{"n": "air_temperature", "u": "Cel", "t": at_ms / 1000, "v": value},
                       {"n": "humidity", "u": "%RH", "t": at_ms / 1000, "v": 80 + seq % 10}]).encode()


def loss(device, seq, first, last, at_ms):
    return json.dumps([{"cc-kind": "loss", "cc-dev": device, "cc-epoch": EPOCH, "cc-seq": str(seq),
                        "cc-at": at_ms, "cc-from": str(first), "cc-to": str(last), "cc-reason": "space",
                        "n": "pack", "vs": "loss"}]).encode()


def steady_value(seq):
    """Rises above the limit twice, and is below it at the end: closed incidents."""
    return 9.5 if 500 <= seq < 520 or 1500 <= seq < 1502 else round(2 + (seq * 7 % 23) / 10, 1)


class Device:
    """Publishes by hand, and remembers what."""

    def __init__(self, house, broker, device, client):
        user = f"fengjie/{device}"
        self.device = device
        self.client = house.keep(client(broker.port, user, broker.passwords[user], device))
        self.sent = {}

    def topic(self, seq):
        return f"coldchain/v1/fengjie/{self.device}/readings/{EPOCH}/{seq}"

    def send(self, seq, data):
        self.sent[seq] = data
        self.client.publish(self.topic(seq), data)

    def steady(self, first, last, value=steady_value):
        for seq in range(first, last + 1):
            self.send(seq, payload(seq, value(seq), START_MS + seq * 60000))


def write_series(path, rows, offset):
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["at", "air", "rh"])
        for row in range(rows):
            out.writerow([START_MS + 60000 * row, round(3 + (row * 13 % 31) / 16 + offset, 4), 70 + row % 20])


class Maker:
    """One life of the old version. `tree` is its source, built for release."""

    def __init__(self, tree):
        sys.path[:0] = [os.path.join(tree, "tests", "support"), os.path.join(tree, "tests", "scenario")]
        os.environ["COLDCHAIN_PRESET"] = "release"
        import harness
        from house import agent, broker, collector, influx, mqtt, webhook
        self.agent, self.mqtt, self.bin = agent, mqtt, os.path.join(tree, "build", "release", "bin")
        self.house = harness.House("make")
        self.broker = broker.Broker(self.house.folder, self.program("coldchainctl"))
        for device in ("steady", "two", "three", "four"):
            self.broker.add(f"fengjie/{device}")
        self.agents = {device: self.make_agent(device, rows, offset)
                       for device, rows, offset in (("agent-1", 500, 0.0), ("agent-2", 300, 0.5))}
        self.receiver = webhook.Receiver(SECRET)
        self.influx = influx.FalseInflux()
        self.collector = collector.Collector(
            self.house.folder, self.program("coldchain-collector"), self.broker,
            webhooks=[{"name": "duty", "url": self.receiver.url, "secret": SECRET, "timeout": "2s"}],
            influx={"url": self.influx.url, "flush": "100ms"}, **COLLECTOR, **PLACES)

    def program(self, name):
        return os.path.join(self.bin, name)

    def ctl(self, *words):
        done = subprocess.run([self.program("coldchainctl"), *words, "--json", "--api", self.collector.url,
                               "--token-file", os.path.join(self.collector.data, "api.token")],
                              check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    def run(self):
        for part in (self.receiver, self.influx, self.broker, self.collector):
            self.house.start(part)
        self.live()
        self.wait_until_quiet()
        listing = self.list()
        self.collector.stop()
        self.strand_an_agent()
        return listing

    # --- what happens -------------------------------------------------------------------

    def live(self):
        self.agents["agent-1"].extra = ["--exit-when-drained"]
        self.house.start(self.agents["agent-1"]).wait(60)
        one = Device(self.house, self.broker, "steady", self.mqtt.Client)
        one.steady(1, 99)
        one.steady(101, 120)
        one.steady(100, 100)  # late: it closes a gap
        one.steady(121, STEADY)
        self.house.wait_for(lambda: self.closed("room-1") >= 2, 60, "two incidents came and went")
        self.wait_until_compacted()
        one.steady(STEADY + 1, STEADY + TAIL)
        self.send_bad(one, STEADY + TAIL + 1)
        self.open_incidents()
        self.resend = [[one.topic(seq), one.sent[seq].decode()] for seq in (1, 100, 777, STEADY + TAIL)]

    def send_bad(self, device, seq):
        device.send(seq, b'[{"n":"air_temperature","v":4')
        device.send(seq + 1, b'{"no":"list"}')
        device.send(seq + 2, loss("steady", seq + 2, seq + 2, seq + 2, START_MS))  # loses itself

    def open_incidents(self):
        """A dead message, an acknowledged incident, a pending message; LOSS; a gap that stays."""
        self.receiver.behave = lambda _number: 422
        two = Device(self.house, self.broker, "two", self.mqtt.Client)
        two.steady(1, 5, lambda seq: 12.25)
        self.wait_outbox("dead")
        self.receiver.behave = lambda _number: 200
        three = Device(self.house, self.broker, "three", self.mqtt.Client)
        three.steady(1, 5, lambda seq: 11.5)
        three.send(9, loss("three", 9, 6, 8, START_MS + 9 * 60000))
        three.steady(10, 12, lambda seq: 11.75)
        self.house.wait_for(lambda: self.open("room-3"), 30, "an incident to acknowledge")
        self.ctl("incidents", "ack", self.open("room-3")[0]["id"], "--reason", "door was open, closed it")
        self.receiver.behave = lambda _number: 500
        four = Device(self.house, self.broker, "four", self.mqtt.Client)
        four.steady(1, 3, lambda seq: 10.5)
        four.steady(7, 9, lambda seq: 10.75)  # 4 to 6 never came
        self.wait_outbox("pending")

    def make_agent(self, device, rows, offset):
        path = os.path.join(self.house.folder, f"{device}.csv")
        write_series(path, rows, offset)
        agent = self.agent.Agent(self.house.folder, self.program("coldchain-agent"), self.broker, device,
                                 [self.agent.replay_sensor(path, CSV_COLUMNS, CSV_CHANNELS)], drain_timeout="1s")
        agent.settings["journal"]["max_bytes"] = "4M"
        return agent

    def strand_an_agent(self):
        """Its readings are in its journal only: nobody was there to take them."""
        self.broker.stop()
        agent = self.house.start(self.agents["agent-2"])
        self.house.wait_for(lambda: agent.status().get("has_ended"), 60, "everything is in the journal")
        agent.stop()

    # --- conditions ---------------------------------------------------------------------

    def closed(self, zone):
        return sum(one["state"] == "closed" and one["zone"] == zone for one in self.collector.incidents())

    def open(self, zone):
        return [one for one in self.collector.incidents() if one["state"] == "open" and one["zone"] == zone]

    def outbox(self):
        page = self.collector.get("/outbox", limit=1000)
        return page["outbox"] if "outbox" in page else page["messages"]

    def wait_outbox(self, state):
        self.house.wait_for(lambda: [one for one in self.outbox() if one["state"] == state and one["attempts"] > 0],
                            30, f"a {state} message")

    def wait_until_compacted(self):
        folder = os.path.join(self.collector.data, "history")
        self.house.wait_for(lambda: sum(name.startswith("history-2026") and name.endswith(".db")
                                        for name in os.listdir(folder)) >= 2, 60, "two months are compacted")

    def wait_until_quiet(self):
        want = {"steady": STEADY + TAIL, "agent-1": 500, "two": 5, "three": 8, "four": 6}
        self.house.wait_for(lambda: all(self.collector.count(device, "humidity") == count
                                        for device, count in want.items()), 60, "everything is stored")

    # --- the listing --------------------------------------------------------------------

    def list(self):
        devices = [device for device in ("steady", "two", "three", "four", "agent-1")]
        incidents = self.collector.incidents()
        return {
            "readings": {f"{device}/{channel}": [
                [one["time"], one["value"], one["quality"]]
                for one in self.ctl("readings", f"fengjie/{device}", "--channel", channel, "--from", "0")]
                for device in devices for channel in CSV_CHANNELS},
            "incidents": incidents,
            "incident": {one["id"]: self.collector.get(f"/incidents/{one['id']}") for one in incidents},
            "quarantine": self.collector.quarantine(),
            "devices": self.collector.get("/devices"),
            "outbox": self.outbox(),
            "sinks": self.collector.get("/sinks"),
            "resend": self.resend,
        }


def build(revision, scratch):
    """That revision's tree, built for release."""
    tree = os.path.join(scratch, "tree")
    os.makedirs(tree)
    archive = subprocess.run(["git", "-C", ROOT, "archive", revision], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(tree)
    subprocess.run(["./dev", "build", "release"], cwd=tree, check=True, stdout=subprocess.DEVNULL)
    return tree


def pack_folders(folder, path):
    """The folders that a daemon of the next version would find; sorted, without owners."""
    def clean(entry):
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return None if entry.name.endswith((".lock", "/lock", ".log.tmp", "api.token")) else entry
    with tarfile.open(path, "w:xz", preset=9) as tar:
        tar.add(os.path.join(folder, "collector", "data"), "collector", filter=clean)
        for device in ("agent-1", "agent-2"):
            tar.add(os.path.join(folder, device, "journal"), f"agents/{device}/journal", filter=clean)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("revision")
    parser.add_argument("name")
    parser.add_argument("--tree")
    options = parser.parse_args()
    scratch = tempfile.mkdtemp(prefix="coldchain-upgrade-")
    target = os.path.join(HERE, options.name)
    os.makedirs(target, exist_ok=True)
    maker = Maker(os.path.abspath(options.tree) if options.tree else build(options.revision, scratch))
    failed = True
    try:
        listing = maker.run()
        pack_folders(maker.house.folder, os.path.join(target, "data.tar.xz"))
        with lzma.open(os.path.join(target, "listing.json.xz"), "wt", preset=9, encoding="utf-8") as file:
            json.dump(listing, file, ensure_ascii=False)
        with open(os.path.join(target, "made.txt"), "w", encoding="utf-8") as file:
            file.write(f"revision {options.revision}\nmade {time.strftime('%Y-%m-%d', time.gmtime())} "
                       "by tests/data/upgrade/make.py\n")
        failed = False
    finally:
        maker.house.finish(failed)
        shutil.rmtree(scratch, ignore_errors=True)
    sizes = {name: os.path.getsize(os.path.join(target, name)) for name in sorted(os.listdir(target))}
    print(sizes)
    assert sum(sizes.values()) < 300 * 1024, "too large to commit"


if __name__ == "__main__":
    main()
