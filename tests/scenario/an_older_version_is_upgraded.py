# SPDX-License-Identifier: Apache-2.0
"""What version 0.1.0 left on disk (tests/data/upgrade/0.1.0) opens: every reading, incident,
acknowledgement and cursor is there, a resent old pack is not doubled, and a copy of what was
there is kept."""
import contextlib
import glob
import hashlib
import importlib.util
import json
import lzma
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import tarfile

from harness import ROOT
from house.agent import Agent
from house.broker import Broker
from house.collector import Collector
from house.influx import FalseInflux
from house.mqtt import Client
from house.process import Failure
from house.series import from_iso
from house.webhook import Receiver

DATA = os.path.join(ROOT, "tests", "data", "upgrade")
WRITTEN = 1  # the schema of state.db, history.db and the months that 0.1.0 wrote


def newest(name):
    """The version of the schema that this source leads to."""
    return max(int(re.search(r"-(\d+)\.sql$", path).group(1))
               for path in glob.glob(os.path.join(ROOT, "collector", "store", "schema", f"{name}-*.sql")))


def maker():
    spec = importlib.util.spec_from_file_location("make", os.path.join(DATA, "make.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Old:
    """The folders of 0.1.0 in a house of the present version, not yet started."""

    def __init__(self, house, version="0.1.0"):
        self.house, self.make = house, maker()
        with lzma.open(os.path.join(DATA, version, "listing.json.xz"), "rt", encoding="utf-8") as file:
            self.listing = json.load(file)
        self.broker = Broker(house.folder, house.program("coldchainctl"))
        self.passwords = {name: self.broker.add(f"fengjie/{name}") for name in ("steady", "four")}
        self.receiver, self.influx = Receiver(self.make.SECRET), FalseInflux()
        self.collector = Collector(
            house.folder, house.program("coldchain-collector"), self.broker,
            webhooks=[{"name": "duty", "url": self.receiver.url, "secret": self.make.SECRET, "timeout": "10s"}],
            influx={"url": self.influx.url, "flush": "100ms"}, **self.make.COLLECTOR, **self.make.PLACES)
        self.unpack(version)

    def unpack(self, version):
        there = os.path.join(self.house.folder, "old")
        with tarfile.open(os.path.join(DATA, version, "data.tar.xz")) as tar:
            tar.extractall(there)  # made by us, beside us
        os.makedirs(os.path.dirname(self.collector.data), exist_ok=True)
        shutil.move(os.path.join(there, "collector"), self.collector.data)
        self.agents = os.path.join(there, "agents")
        self.put_token()

    def put_token(self):
        """The one that was shown at the first start is no part of what is committed."""
        token = secrets.token_hex(32)
        with open(self.path("api.token"), "w", encoding="utf-8") as file:
            file.write(token)
        db = sqlite3.connect(self.path("state.db"))
        db.execute("UPDATE token SET hash = ? WHERE name = 'first-start'",
                   (hashlib.blake2b(token.encode(), digest_size=32).hexdigest(),))
        db.commit()
        db.close()

    def path(self, name):
        return os.path.join(self.collector.data, name)

    def start(self):
        for part in (self.receiver, self.influx, self.broker, self.collector):
            self.house.start(part)
        return self

    def refuses_to_start(self):
        """What it says then; it ends by itself, with a status that is not 0."""
        self.house.keep(self.collector)
        self.collector.start(ready=False)
        self.house.check(self.collector.wait(30) != 0, "it ends with a failure")
        return self.collector.log()


def version_of(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        found = db.execute("PRAGMA user_version").fetchone()[0]
    return found


def digest(folder):
    """{name: hash} of all files below, but for locks and SQLite's side files."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            if not name.endswith((".lock", "-shm", "-wal")):
                with open(os.path.join(place, name), "rb") as file:
                    found[os.path.relpath(os.path.join(place, name), folder)] = hashlib.sha256(file.read()).hexdigest()
    return found


def check_readings(old):
    for series, want in old.listing["readings"].items():
        device, channel = series.split("/")
        want = [(from_iso(time), value, quality) for time, value, quality in want]
        got = old.collector.readings(device, channel)
        if got != want:
            differ = next((pair for pair in zip(got, want) if pair[0] != pair[1]), None)
            raise Failure(f"{series}: {len(got)} readings, want {len(want)}; {differ}")
    return sum(len(want) for want in old.listing["readings"].values())


def check_incidents(old):
    """Every one as it was, with who took it: members may have been added, none changed."""
    now = {one["id"]: one for one in old.collector.incidents()}
    for want in old.listing["incidents"]:
        got = now.get(want["id"])
        old.house.check(got is not None, f"the incident {want['id']} is there")
        changed = {key: (got.get(key), value) for key, value in want.items() if got.get(key) != value}
        old.house.check(not changed, f"the incident {want['id']} is as it was: {changed}")
    old.house.equal(len(now), len(old.listing["incidents"]), "no incident was decided again")
    taken = [one for one in now.values() if one["acknowledged"]]
    old.house.check(taken, "one is acknowledged")
    for one in taken:
        before, after = old.listing["incident"][one["id"]], old.collector.get(f"/incidents/{one['id']}")
        old.house.equal(len(after["transitions"]), len(before["transitions"]), "its transitions")


def check_quarantine(old):
    counts, entries = old.listing["quarantine"]
    got_counts, got = old.collector.quarantine()
    old.house.equal(got_counts, counts, "the quarantine's counts")
    old.house.equal([(one["device"], one["seq"], one["reason"]) for one in got],
                    [(one["device"], one["seq"], one["reason"]) for one in entries], "the quarantine's entries")


def check_outbox(old):
    """The dead message stays dead, the pending one goes out under its old key, none twice."""
    before = {one["key"]: one["state"] for one in old.listing["outbox"]}
    old.house.check({"dead", "pending", "done"} <= set(before.values()), f"all kinds were there: {before}")

    def states():
        return {one["key"]: one["state"] for one in old.collector.get("/outbox", limit=1000)["messages"]}
    old.house.wait_for(lambda: "pending" not in states().values(), 60, lambda: f"the outbox empties: {states()}")
    wanted = {key: "done" if state == "pending" else state for key, state in before.items()}
    old.house.equal({key: state for key, state in states().items() if key in wanted}, wanted, "the outbox")
    old.house.equal(set(old.receiver.messages), {key for key, state in before.items() if state == "pending"},
                    "what was sent now")
    old.house.equal(old.receiver.complaints, [], "the receiver's complaints")


def check_cursors(old):
    before = next(one for one in old.listing["sinks"] if one["name"] == "influx")
    after = next(one for one in old.collector.get("/sinks") if one["name"] == "influx")
    old.house.check(after["accepted"] >= before["accepted"], f"the sink goes on where it was: {after} after {before}")
    old.house.check(not any(line.startswith("climate,") for line in old.influx.lines), "no reading is written again")


def check_no_double(old):
    """A pack of then, sent again, counts as known; a gap of then closes with what was missing."""
    duplicates = old.collector.metric("duplicates_total")
    client = old.house.keep(Client(old.broker.port, "fengjie/steady", old.passwords["steady"], "steady"))
    for topic, payload in old.listing["resend"]:
        client.publish(topic, payload)
    want = duplicates + len(old.listing["resend"])
    old.house.wait_for(lambda: old.collector.metric("duplicates_total") >= want, 30,
                       lambda: f"{old.collector.metrics()}")
    check_readings(old)


def checkpoint(old):
    with contextlib.closing(sqlite3.connect(f"file:{old.path('state.db')}?mode=ro", uri=True)) as db:
        return db.execute("SELECT value FROM meta WHERE key = 'checkpoint_position'").fetchone()[0]


def check_gap_closes(old):
    """Older than what the journal keeps, and yet not given up before somebody was asked for it."""
    make = old.make
    for turn in ("first", "second"):
        before = checkpoint(old)
        old.house.wait_for(lambda before=before: checkpoint(old) > before, 30, f"what is old was looked for, {turn} time")
    client = old.house.keep(Client(old.broker.port, "fengjie/four", old.passwords["four"], "four"))
    for seq in (4, 5, 6):
        client.publish(f"coldchain/v1/fengjie/four/readings/{make.EPOCH}/{seq}",
                       make.payload(seq, 10.625, make.START_MS + seq * 60000))
    old.house.wait_for(lambda: old.collector.count("four", "air_temperature") == 9, 30, "the gap is closed")
    device = next(one for one in old.collector.get("/devices") if one["id"] == "four")
    old.house.check(json.dumps(device).count('"through": "9"') or json.dumps(device).count('"through": 9')
                    or "through" not in json.dumps(device), f"all nine are taken: {device}")


def check_copies(old):
    """One of each store whose schema has gone on, of the version that wrote it, and sound."""
    for name, schema in (("state.db", "state"), ("history/history.db", "history")):
        copy = old.path(f"{name}.version-{WRITTEN}")
        old.house.equal(version_of(old.path(name)), newest(schema), f"the version of {name}")
        old.house.equal(os.path.exists(copy), newest(schema) > WRITTEN, f"a copy of {name} is kept")
        if os.path.exists(copy):
            with sqlite3.connect(f"file:{copy}?mode=ro", uri=True) as db:
                old.house.equal(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)], f"{copy} is sound")
                old.house.equal(db.execute("PRAGMA user_version").fetchone()[0], WRITTEN, f"{copy} is as it was")


def story_everything_is_there(house):
    old = Old(house)
    old.start()
    readings = check_readings(old)
    check_incidents(old)
    check_quarantine(old)
    check_outbox(old)
    check_cursors(old)
    check_copies(old)
    check_no_double(old)
    check_gap_closes(old)
    old.collector.stop()
    verified = subprocess.run([house.program("coldchainctl"), "journal", "verify", old.path("journal")],
                              capture_output=True, text=True)
    house.equal(verified.returncode, 0, f"the journal of both versions is sound: {verified.stdout}")
    house.say(f"{readings} readings, {len(old.listing['incidents'])} incidents, {len(old.listing['outbox'])} messages")


def story_an_old_agents_journal_is_delivered(house):
    old = Old(house)
    agents = [Agent(house.folder, house.program("coldchain-agent"), old.broker, device,
                    [{"name": "nothing", "driver": "null", "interval": "1h", "channels": [{"name": "battery"}]}])
              for device in ("agent-1", "agent-2")]
    old.start()
    for agent in agents:
        agent.settings["journal"]["dir"] = os.path.join(old.agents, agent.device, "journal")
        agent.settings["journal"]["max_bytes"] = "4M"
        house.start(agent)
    house.wait_for(lambda: old.collector.count("agent-2", "humidity") == 300, 60,
                   lambda: f"{old.collector.count('agent-2', 'humidity')} of 300 that never left")
    house.wait_for(lambda: all(agent.status().get("is_connected") for agent in agents), 30, "both are connected")
    check_readings(old)  # agent-1 had been acknowledged: nothing is doubled


def story_the_copy_leads_back(house):
    """As docs/upgrades.md says: stop, put the copy in place, start the older program."""
    old = Old(house)
    if newest("state") == WRITTEN:
        house.skip("this version has no schema step after 0.1.0")
    old.start()
    old.collector.stop()
    copy = old.path(f"state.db.version-{WRITTEN}")
    with sqlite3.connect(copy) as db:
        acknowledged = db.execute("SELECT count(*) FROM incident WHERE is_acknowledged = 1").fetchone()[0]
        ids = {row[0] for row in db.execute("SELECT id FROM incident")}
    house.check(acknowledged > 0, "the acknowledgement is in the copy")
    house.equal(ids, {one["id"] for one in old.listing["incidents"]}, "the incidents of the copy")
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(old.path("state.db") + suffix):
            os.unlink(old.path("state.db") + suffix)
    os.rename(copy, old.path("state.db"))
    old.collector.start()  # this version upgrades it once more, and misses nothing
    check_incidents(old)
    check_readings(old)


def story_killed_while_upgrading(house):
    old = Old(house)
    for part in (old.receiver, old.influx, old.broker):
        house.start(part)
    house.keep(old.collector)
    for step in range(12):
        old.collector.start(ready=False)
        try:
            old.collector.child.wait(0.01 + step * 0.02)  # the moment is what varies
        except subprocess.TimeoutExpired:
            pass
        old.collector.kill()
    old.collector.start()
    check_readings(old)
    check_incidents(old)
    check_copies(old)


def story_a_newer_store_is_refused_and_left_alone(house):
    for name in ("state.db", "history/history.db", "history/history-2026-09.db"):
        old = Old(house_part(house, name))
        with sqlite3.connect(old.path(name)) as db:
            db.execute("PRAGMA user_version = 99")
        db.close()
        before = digest(old.collector.data)
        said = old.refuses_to_start()
        house.check("schema version 99 is newer than this program" in said and "docs/upgrades.md" in said,
                    f"{name}: a clear sentence: {said}")
        house.equal(digest(old.collector.data), before, f"{name}: nothing was touched")


def story_too_full_a_disk_refuses_before_touching_anything(house):
    if newest("state") == WRITTEN:
        house.skip("this version has no schema step after 0.1.0")
    old = Old(house)
    small = os.path.join(house.folder, "small")
    os.makedirs(small)
    size = sum(os.path.getsize(os.path.join(place, name)) for place, _, names in os.walk(old.collector.data)
               for name in names)
    done = subprocess.run(["/usr/bin/mount", "-t", "tmpfs", "-o", f"size={size + 1500000}", "tmpfs", small], capture_output=True,
                          text=True)
    if done.returncode != 0:
        house.skip(f"no small disk can be made here: {done.stderr.strip()}; the unit test collector/store/db has it")
    try:
        data = os.path.join(small, "data")
        shutil.move(old.collector.data, data)
        old.collector.data = old.collector.settings["data_dir"] = data
        before = digest(data)
        said = old.refuses_to_start()
        house.check("nothing was touched: make room" in said, f"a clear sentence: {said}")
        house.equal(digest(data), before, "nothing was touched")
    finally:
        subprocess.run(["/usr/bin/umount", small], check=False)


class house_part:
    """A folder of its own within a story's house, for a second Old."""

    def __init__(self, house, name):
        self.house, self.folder = house, os.path.join(house.folder, name.replace("/", "-"))
        os.makedirs(self.folder)

    def __getattr__(self, name):
        return getattr(self.house, name)
