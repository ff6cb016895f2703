# SPDX-License-Identifier: Apache-2.0
"""usage: ./dev chaos [MINUTES] [SEED] [--kills N] [--crashes N] [--report FILE] [--without KIND,...]

A whole cold chain of release builds under fire: agents, mosquitto behind a proxy that
misbehaves, collector, influxd, a receiver of webhooks that itself fails. For MINUTES (1),
and until --kills processes were killed and the collector (which notifies) --crashes times,
one fault after another, by SEED; then everything heals, and an oracle that shares no code with the programs compares value by value:

  what was fed in = collector's journal >= what agents promised = history = InfluxDB
  excursions of what was fed in = incidents = messages, each told open once and closed once (what was over
  when it was learned closed once, and what belongs to a cause that was told not at all)

A collector that is put back from a copy does not know whom it told since: it tells again, which is
counted apart.

Ends with status 0 when nothing is lost, nothing doubled, and every kind of fault happened.

examples:
  ./dev chaos 30                 half an hour
  ./dev chaos --long             every campaign and the report of them, an hour at most
  ./dev chaos 2 4711             two minutes, the faults of seed 4711
"""
import argparse
import collections
import json
import os
import random
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
os.environ.setdefault("COLDCHAIN_PRESET", "release")
for folder in ("tests/support", "tests/scenario", "tests/chaos"):
    sys.path.insert(0, os.path.join(ROOT, folder))

import harness  # noqa: E402
import ledger  # noqa: E402
import oracle  # noqa: E402
from house.agent import Agent, replay_sensor  # noqa: E402
from house.broker import Broker  # noqa: E402
from house.clock import VirtualClock  # noqa: E402
from house.collector import Collector  # noqa: E402
from house.influx import Influx  # noqa: E402
from house.process import Failure, Process, wait_for  # noqa: E402
from house.series import from_iso, iso  # noqa: E402
from house.webhook import Receiver  # noqa: E402
from proxy import Proxy  # noqa: E402

AGENTS, ROW_MS, LEVEL, SECRET = 8, 100, 8.0, "a secret of the chaos"
CHANNELS = {"air_temperature": "air", "humidity": "humidity"}
CLONES, CLONE_CHANNEL, CLONE_ROWS = 2, "humidity-2", 40  # what only a clone measures
TMPFS_MIB = 512
HEAL_BOUND_S = 240


def make_series(seed, start_ms, rows):
    """[(time_ms, air, humidity)]: an excursion of a second or three every few seconds, a calm end."""
    chance = random.Random(seed)
    found, left, above = [], 0, True
    for row in range(rows):
        if left == 0:
            above, left = not above, chance.randrange(8, 40)
        left -= 1
        calm = row > rows - 30
        air = round(chance.uniform(8.0, 12.0) if above and not calm else chance.uniform(2.0, 7.9), 1)
        found.append((start_ms + ROW_MS * row, air, float(chance.randrange(70, 95))))
    return found


class World:
    """Everything that runs, and what it must come to."""

    def __init__(self, house, seed, minutes):
        self.house, self.random, self.counts = house, random.Random(seed), collections.Counter()
        self.skipped, self.exits = {}, collections.Counter()
        self.forgotten = set()  # incidents that were told, and then the collector became one that had not
        program = house.program
        self.broker = Broker(house.folder, program("coldchainctl"))
        self.proxy = Proxy(self.broker.port, seed)
        self.receiver, self.influx = Receiver(SECRET), Influx(house.folder)
        self.ledger_path = os.path.join(house.folder, "ledger.bin")
        tap = os.path.join(house.folder, "tap")
        self.ledger = Process("ledger", [sys.executable, os.path.join(HERE, "ledger.py"), tap, self.ledger_path],
                              house.folder)
        zones = [{"id": f"room-{n}", "name": f"{n}号库"} for n in range(AGENTS)]
        self.collector = Collector(
            house.folder, program("coldchain-collector"), self.broker,
            webhooks=[{"name": "duty", "url": self.receiver.url, "secret": SECRET, "timeout": "500ms"}],
            influx={"url": self.influx.url, "flush": "200ms"}, delivery={"ack_interval": "200ms"},
            history={"keep": "0"}, pipeline={"checkpoint": "1s"}, journal={"segment_size": "4M"},
            sites=[{"id": "store", "name": "冷库", "zones": zones}],
            devices=[{"id": f"agent-{n}", "zone": f"room-{n}"} for n in range(AGENTS)],
            rules=[{"id": f"warm-{n}", "zone": f"room-{n}", "kind": "above", "quantity": "air_temperature",
                    "levels": [{"severity": "critical", "level": LEVEL, "delay": "0s", "recovery": str(LEVEL),
                                "recovery_delay": "0s"}]} for n in range(AGENTS)])
        self.mount = self._mount_tmpfs(self.collector.data)
        rows = int(minutes * 60000 / ROW_MS)
        start_ms = int(time.time() * 1000) // 1000 * 1000
        self.series, self.agents = {}, []
        for n in range(AGENTS):
            device = f"agent-{n}"
            self.series[device] = make_series(seed * 1000 + n, start_ms, rows)
            path = os.path.join(house.folder, f"{device}.csv")
            with open(path, "w", encoding="utf-8") as file:
                file.write("time,air,humidity\n")
                file.writelines(f"{iso(t)},{air},{humidity}\n" for t, air, humidity in self.series[device])
            sensor = replay_sensor(path, "time=time,air_temperature=air,humidity=humidity", CHANNELS, "recorded")
            sensor["interval"] = "100ms"
            agent = Agent(house.folder, program("coldchain-agent"), self.broker, device, [sensor],
                          pack={"readings": 8, "interval": "1s"}, tap={"socket": tap})
            agent.settings["mqtt"]["uri"] = self.proxy.uri
            self.agents.append(agent)
        self.clones = {agent.device: self._clone_of(agent, start_ms) for agent in self.agents[:CLONES]}
        self.cloned = {}  # device -> [(time_ms, value)] that its clone measured

    def _clone_of(self, agent, start_ms):
        """Not started: the same name and password, a folder of its own, and readings of its own."""
        home = os.path.join(self.house.folder, "clones")
        os.makedirs(home, exist_ok=True)
        path = os.path.join(home, f"{agent.device}.csv")
        rows = [(start_ms + ROW_MS * n + 50, float(n)) for n in range(CLONE_ROWS)]
        with open(path, "w", encoding="utf-8") as file:
            file.write("time,value\n" + "".join(f"{iso(t)},{value}\n" for t, value in rows))
        clone = Agent(home, self.house.program("coldchain-agent"), self.broker, agent.device,
                      [replay_sensor(path, f"time=time,{CLONE_CHANNEL}=value", [CLONE_CHANNEL], name="clone")],
                      pack={"readings": 4})
        agent.settings["mqtt"]["password"] = clone.settings["mqtt"]["password"]  # the one that was given last
        clone.settings["mqtt"]["uri"] = self.proxy.uri
        clone.rows = rows
        return clone

    def _mount_tmpfs(self, path):
        """A disk that can be filled; None where mounting is not allowed."""
        os.makedirs(path)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={TMPFS_MIB}m", "coldchain", path],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.skipped["full disk"] = f"no tmpfs can be mounted: {done.stderr.strip()}"
            return None
        return path

    def start(self):
        for part in (self.ledger, self.receiver, self.influx, self.broker, self.proxy, self.collector, *self.agents):
            self.house.start(part)
        return self

    def supervise(self):
        """What ended by itself is started again, as a supervisor would; counted."""
        for part in (self.influx, self.broker, self.collector, *self.agents):
            if part.child is not None and not part.is_running():
                self.exits[f"{part.name.split('-')[0]} {part.child.returncode}"] += 1
                part.child = None
            if part.child is None:
                self.start_again(part)

    @staticmethod
    def start_again(part):
        if isinstance(part, Collector):
            part.start(ready=False)
        else:
            part.start()

    def unmount(self):
        if self.mount:
            subprocess.run(["umount", "-l", self.mount], check=False)

    # --- faults ------------------------------------------------------------------------

    def kill(self, part):
        part.kill()
        self.counts["kills"] += 1
        self.start_again(part)

    def kill_agent(self):
        self.kill(self.random.choice(self.agents))

    def kill_collector(self):
        self.kill(self.collector)

    def kill_broker(self):
        self.kill(self.broker)

    def kill_influxd(self):
        self.kill(self.influx)

    def freeze(self, part):
        seconds = self.random.uniform(0.3, 2)
        part.freeze()
        time.sleep(seconds)  # the fault itself, not a wait for anything
        part.thaw()

    def stop_and_continue_agent(self):
        self.freeze(self.random.choice(self.agents))

    def stop_and_continue_collector(self):
        self.freeze(self.collector)

    def stop_and_continue_broker(self):
        self.freeze(self.broker)

    def cut_lines(self):
        self.proxy.cut()

    def half_open_lines(self):
        self.proxy.freeze(self.random.uniform(1, 4))

    def broker_data_wiped(self):
        self.broker.kill()
        self.counts["kills"] += 1
        for name in os.listdir(self.broker.home):
            if name.endswith(".db"):
                os.unlink(os.path.join(self.broker.home, name))
        self.broker.start()

    def broker_keeps_its_data(self):
        """Told to end, so that it saves what it holds."""
        self.broker.stop()
        self.broker.start()

    def receiver_fails(self):
        """Some answers are errors, refusals for now, and one that is lost after taking."""
        kinds = [500, 503, (429, {"Retry-After": "1"}), 404]
        until = self.receiver.requests + self.random.randrange(3, 12)
        answer = self.random.choice(kinds)
        self.receiver.behave = lambda number: answer if number < until else 200

    def receiver_hangs(self):
        until = self.receiver.requests + 2
        self.receiver.behave = lambda number: "hang" if number < until else 200

    def full_disk(self):
        if not self.mount:
            return False
        path = os.path.join(self.mount, "filler")
        try:
            with open(path, "wb", buffering=0) as file:
                block = b"\0" * (1 << 20)
                while True:
                    file.write(block)
        except OSError:
            pass
        time.sleep(self.random.uniform(0.5, 2))  # the fault itself
        os.unlink(path)
        return True

    def few_descriptors(self):
        """The collector may open nothing more for a while."""
        pid = str(self.collector.pid)
        before = subprocess.run(["prlimit", "--pid", pid, "--nofile", "--noheadings", "-o", "SOFT,HARD"],
                                capture_output=True, text=True, check=True).stdout.split()
        subprocess.run(["prlimit", "--pid", pid, f"--nofile=8:{before[1]}"], check=True)
        time.sleep(self.random.uniform(0.3, 1))  # the fault itself
        if self.collector.is_running():
            subprocess.run(["prlimit", "--pid", pid, f"--nofile={before[0]}:{before[1]}"], check=False)

    def collector_restored(self):
        """The collector's folder is put back as it was some seconds ago, as from a backup."""
        copy = os.path.join(self.house.folder, "copy")
        self.collector.kill()
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.collector.data, copy)
        told = self._told()
        self.collector.start(ready=False)
        time.sleep(self.random.uniform(1, 5))  # what it learns, and then never knew
        self.collector.kill()
        self.counts["kills"] += 2
        for name in os.listdir(self.collector.data):
            path = os.path.join(self.collector.data, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        shutil.copytree(copy, self.collector.data, dirs_exist_ok=True)
        self.forgotten |= {incident for incident, _ in self._told() - told}
        self.collector.start(ready=False)

    def agent_cloned(self):
        """An agent's folder is copied, as cards are: the copy lives for a while, then the original goes on."""
        fresh = sorted(set(self.clones) - set(self.cloned))
        if not fresh:
            return False
        agent = next(one for one in self.agents if one.device == fresh[0])
        clone = self.clones[agent.device]
        agent.kill()
        self.counts["kills"] += 1
        shutil.copytree(agent.settings["journal"]["dir"], clone.settings["journal"]["dir"])
        self.cloned[agent.device] = clone.rows
        self.house.keep(clone)
        try:
            self.live(clone, 5)
        except Failure:
            pass  # it is asked again at the end
        agent.start()
        return True

    def live(self, clone, seconds):
        """The clone alone, until the collector has what it holds."""
        if os.path.exists(clone.status_path):
            os.unlink(clone.status_path)
        clone.start()
        try:
            wait_for(lambda: clone.status().get("has_ended") and clone.status()["acks"] > 0
                     and clone.status()["backlog"] == 0 and clone.status()["readings_waiting"] == 0,
                     seconds, lambda: f"the clone of {clone.device} is through: {clone.status()}")
        finally:
            clone.kill()

    def finish_clones(self):
        for agent in self.agents:
            if agent.device in self.cloned:
                agent.kill()
                self.live(self.clones[agent.device], HEAL_BOUND_S)
                agent.start()

    def _told(self):
        """{(incident, event)} of all messages that arrived."""
        with self.receiver.lock:
            return {(message["incident"], message["event"]) for message in self.receiver.messages.values()}

    def clock_stepped(self):
        """An agent comes back with its clock off by up to an hour."""
        agent = self.random.choice(self.agents)
        agent.kill()
        self.counts["kills"] += 1
        step_ms = self.random.choice([-3600000, -60000, 60000, 3600000, 0])
        agent.extra = VirtualClock(int(time.time() * 1000) + step_ms, 1.0).flags() if step_ms else []
        agent.start()

    def failing_calls(self):
        """An agent lives for a while with system calls that fail, injected by strace."""
        if "system calls that fail" in self.skipped:
            return False
        agent = self.random.choice(self.agents)
        agent.kill()
        self.counts["kills"] += 1
        rule = self.random.choice([
            "fdatasync:error=EIO:when={n}", "pwrite64:error=EIO:when={n}", "pwrite64:error=ENOSPC:when={n}+",
            "fdatasync:signal=SIGKILL:when={n}", "pwrite64:signal=SIGKILL:when={n}", "openat:error=EMFILE:when={n}",
        ]).format(n=self.random.randrange(3, 40))
        agent.write()
        agent.command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={rule}", *agent.command]
        Process.start(agent)
        time.sleep(self.random.uniform(0.5, 1.5))  # the fault itself
        agent.kill()
        self._end_strays(agent)
        agent.start()
        return True

    @staticmethod
    def _end_strays(agent):
        """strace killed leaves its child: it is found by the configuration that is ours alone."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if agent.path.encode() in words and words[0] == agent.program.encode():
                os.kill(int(pid), 9)
                wait_for(lambda pid=pid: World._is_over(pid), 60, "the stray agent is gone")

    @staticmethod
    def _is_over(pid):
        """Gone, or dead with nobody who has asked for its status: init does that in its own time."""
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                return file.read().rpartition(")")[2].split()[0] in "ZX"
        except OSError:
            return True

    def probe(self):
        """What cannot be done here is said, and not counted as missing."""
        done = subprocess.run(["strace", "-qq", "-o", "/dev/null", "-e", "inject=getpid:retval=1", "true"],
                              capture_output=True, text=True, check=False) if shutil.which("strace") else None
        if done is None or done.returncode != 0:
            self.skipped["system calls that fail"] = "strace cannot inject here: " + (
                done.stderr.strip() if done else "it is not installed")


FAULTS = {  # name -> (method, weight)
    "agent killed": (World.kill_agent, 30),
    "collector killed": (World.kill_collector, 28),
    "broker killed": (World.kill_broker, 6),
    "influxd killed": (World.kill_influxd, 1),
    "agent stopped and continued": (World.stop_and_continue_agent, 2),
    "collector stopped and continued": (World.stop_and_continue_collector, 1),
    "broker stopped and continued": (World.stop_and_continue_broker, 1),
    "lines cut": (World.cut_lines, 6),
    "lines half open": (World.half_open_lines, 2),
    "broker's data wiped": (World.broker_data_wiped, 2),
    "broker ended and started with its data": (World.broker_keeps_its_data, 1),
    "receiver answers errors": (World.receiver_fails, 3),
    "receiver hangs": (World.receiver_hangs, 1),
    "full disk": (World.full_disk, 1),
    "no descriptors left": (World.few_descriptors, 1),
    "collector restored from an older copy": (World.collector_restored, 1),
    "agent folder cloned": (World.agent_cloned, 1),
    "agent's clock stepped": (World.clock_stepped, 2),
    "system calls that fail": (World.failing_calls, 2),
}
PROXY_CHANCES = {"dribble": 0.01, "double": 0.03, "swap": 0.03, "drop_acks": 0.2}


def rage(world, minutes, kills, crashes, without):
    """One fault after another until the time is over and so many were killed."""
    world.probe()
    world.proxy.chances.update(PROXY_CHANCES)
    names = [name for name in FAULTS if name not in without]
    begun, end = time.monotonic(), time.monotonic() + minutes * 60
    queue = world.random.sample(names, len(names))  # each once, whatever chance brings
    while (time.monotonic() < end or world.counts["kills"] < kills
           or world.counts["collector killed"] < crashes):
        name = queue.pop() if queue else world.random.choices(names, [FAULTS[name][1] for name in names])[0]
        if name not in world.skipped and FAULTS[name][0](world) is not False:
            world.counts[name] += 1
        world.supervise()
        show_progress(world, begun, minutes)
        time.sleep(world.random.uniform(0, 0.25))  # what happens meanwhile is up to chance


def show_progress(world, begun, minutes):
    if sys.stderr.isatty():
        share = min(1.0, (time.monotonic() - begun) / (minutes * 60))
        print(f"\rchaos [{'#' * int(30 * share):30}] {world.counts['kills']} killed", end="", file=sys.stderr)


def heal(world):
    """Everything runs, nothing is disturbed, and all of it arrives."""
    world.proxy.chances = dict.fromkeys(world.proxy.chances, 0.0)
    world.receiver.behave = lambda number: 200
    for agent in world.agents:
        if agent.extra:  # its clock is right again
            agent.kill()
            agent.extra = []
    # An agent with nothing left to send hears of a restored collector at its next hello.
    world.proxy.cut()
    world.supervise()
    world.finish_clones()
    wanted = sum(len(series) for series in world.series.values())

    def is_through():
        world.supervise()
        try:
            return all(agent.status().get("has_ended") and agent.status()["backlog"] == 0 for agent in world.agents) \
                and sum(world.collector.count(device, "air_temperature") for device in world.series) >= wanted
        except OSError:
            return False

    wait_for(is_through, HEAL_BOUND_S, lambda: "all is in the history: " + str(
        {agent.device: {key: agent.status().get(key) for key in ("has_ended", "backlog", "readings_waiting")}
         for agent in world.agents}), step=1)
    wait_for(lambda: not untold(world), HEAL_BOUND_S, lambda: f"nobody was told of {untold(world)}", step=1)
    wait_for(lambda: in_influx(world) >= 2 * wanted, HEAL_BOUND_S,
             lambda: f"{in_influx(world)} of {2 * wanted} values are in InfluxDB", step=1)


MERGE_MS = 30 * 60 * 1000  # docs/incidents.md: what begins so soon after the end is the same trouble


def told_of(world, event):
    return {message["incident"]: message for message in world.receiver.events(event)}


def may_be_untold(world, incidents):
    """{event: ids} that need no message: what was over when it was learned has no opening, and what touches
    another incident of its room that people were told of needs neither."""
    opened, closed = told_of(world, "opened"), told_of(world, "closed")
    free = {"opened": {id for id, message in closed.items() if message["is_over"]}, "closed": set()}
    for one in incidents:
        start, end = from_iso(one["opened"]), from_iso(one["closed"])
        if (one["id"] in opened or one["id"] in closed) and one["id"] not in world.forgotten:
            continue  # what was said to begin must be said to end, unless it was forgotten
        for other in incidents:
            if other["id"] in closed and other["zone"] == one["zone"] and \
                    start <= from_iso(other["closed"]) + MERGE_MS and end >= from_iso(other["onset"]) - MERGE_MS:
                free["opened"].add(one["id"])
                free["closed"].add(one["id"])
    return free


def untold(world):
    """What is still to be told of excursions, as far as they are incidents yet."""
    incidents = [one for one in world.collector.incidents() if one["rule"].startswith("warm-")]
    expected = sum(len(excursions(series)) for series in world.series.values())
    alive = [one["id"] for one in incidents if not one["closed"]]
    if alive or len(incidents) < expected:
        return alive or [f"{expected - len(incidents)} that are no incidents yet"]
    free = may_be_untold(world, incidents)
    return [(event, one["id"]) for event in ("opened", "closed") for one in incidents
            if one["id"] not in told_of(world, event) and one["id"] not in free[event]]


def in_influx(world):
    return sum(len(rows) for channel in CHANNELS for rows in world.influx.points(channel).values())


def excursions(series):
    return oracle.intervals_above([(time_ms, air) for time_ms, air, _ in series], LEVEL)


def same(got, want, what, losses):
    """Counts what is missing and what is there twice or was never there."""
    missing = collections.Counter(want) - collections.Counter(got)
    added = collections.Counter(got) - collections.Counter(want)
    losses["lost"] += sum(missing.values())
    losses["doubled"] += sum(added.values())
    for row in sorted(missing)[:2]:
        print(f"  {what}: missing {row}")
    for row in sorted(added)[:2]:
        print(f"  {what}: too many {row}")


def compare(world):
    """{"lost": n, "doubled": n, ...}"""
    losses = collections.Counter(lost=0, doubled=0)
    promised = ledger.read(world.ledger_path)
    arrived = oracle.packs_of_journal(os.path.join(world.collector.data, "journal"))
    for name, payload in promised.items():
        if payload not in arrived.get(name, ()) and not is_cloned(world, name):
            losses["lost"] += 1
            print(f"  journal: promised, and not there: {name}")
    # Packs of a cloned device go by other names in the end: their readings are compared alone.
    forked = [name for name, payloads in arrived.items() if len(payloads) > 1 and not is_cloned(world, name)]
    losses["doubled"] += len(forked)
    for device, series in world.series.items():
        compare_device(world, device, series, arrived, losses)
    compare_incidents(world, losses)
    losses["readings"] = sum(2 * len(series) for series in world.series.values())
    losses["packs promised"] = len(promised)
    losses["tap missed"] = sum(agent.status().get("tap_missed", 0) for agent in world.agents)
    return losses


def is_cloned(world, name):
    return name[0].split("/")[1] in world.cloned


def compare_device(world, device, series, arrived, losses):
    journal = collections.Counter()
    for (name, _, _), payloads in arrived.items():
        if name == f"{world.collector.org}/{device}":
            for payload in payloads:
                journal.update(oracle.readings_of(payload).items())
    fed = [((channel, row[0]), row[place]) for row in series
           for place, channel in ((1, "air_temperature"), (2, "humidity"))]
    fed += [((CLONE_CHANNEL, t), value) for t, value in world.cloned.get(device, ())]
    same(set(journal) if device in world.cloned else list(journal.elements()), fed, f"journal, {device}", losses)
    history, influx = [], []
    for channel in [*CHANNELS, *([CLONE_CHANNEL] if device in world.cloned else [])]:
        history += [((channel, t), v) for t, v, _ in world.collector.readings(device, channel)]
    for channel in CHANNELS:
        influx += [((f"{channel}-{tags[3]}" if tags[3] else channel, t), float(v))
                   for tags, rows in world.influx.points(channel).items() if tags[2] == device for t, v in rows]
    same(history, fed, f"history, {device}", losses)
    if device in world.cloned:
        # A pack that was brought again under a new name has other nanoseconds there (docs/reliability.md).
        losses["points of InfluxDB written again under a new name"] += len(influx) - len(set(influx))
        influx = set(influx)
    same(influx, fed, f"InfluxDB, {device}", losses)


def compare_incidents(world, losses):
    """Incidents against a model that knows the series only; messages against incidents."""
    incidents = [one for one in world.collector.incidents() if one["rule"].startswith("warm-")]
    want = [(f"room-{device.split('-')[1]}", start, end) for device, series in world.series.items()
            for start, end in excursions(series)]
    got = [(one["zone"], from_iso(one["opened"]), from_iso(one["closed"]) if one["closed"] else None)
           for one in incidents]
    same(got, want, "incidents", losses)
    ids = [one["id"] for one in incidents]
    free = may_be_untold(world, [one for one in incidents if one["closed"]])
    for event in ("opened", "closed"):
        told = [message["incident"] for message in world.receiver.events(event)
                if message["rule"].startswith("warm-")]
        # What was told and then forgotten is told once more, or under another name: by what
        # came first, its onset may be another reading.
        once = [incident for incident in told if incident not in world.forgotten]
        again = {incident for incident in told if incident in world.forgotten and incident in ids}
        losses["told again by a restored collector"] += len(told) - len(once) - len(again)
        wanted = [incident for incident in ids if incident in told or incident not in free[event]]
        same([*once, *again], wanted, f"told {event}", losses)
    trouble = collections.Counter(one["kind"] for one in world.collector.incidents() if one["kind"] != "above")
    losses.update({f"incidents of {kind}": count for kind, count in trouble.items()})
    losses["incidents"] = len(incidents)
    losses["messages repeated under their key"] = len(world.receiver.deliveries) - len(world.receiver.messages)
    complaints = [text for text in world.receiver.complaints if not of_forgotten(world, text)]
    losses["told again by a restored collector"] += len(world.receiver.complaints) - len(complaints)
    if complaints:
        losses["doubled"] += len(complaints)
        print(f"  the receiver complains: {complaints[:3]}")


def of_forgotten(world, complaint):
    """A restored collector tells again, at another time, what its copy did not know was told."""
    return any(f"key {incident}-" in complaint for incident in world.forgotten)


def report(world, seed, minutes, losses, seconds):
    print(f"chaos: seed {seed}, {minutes:g} minutes, {seconds:.0f} s with healing and comparing")
    counts = {**{name: world.counts[name] for name in FAULTS},
              **{f"proxy: {name}": world.proxy.counts[name] for name in
                 (*PROXY_CHANCES, "cut", "half_open")}}
    never = []
    for name, count in counts.items():
        note = f"  skipped: {world.skipped[name]}" if name in world.skipped else ""
        if count == 0 and name not in world.skipped and name not in world.without:
            never.append(name)
            note = "  NEVER HAPPENED"
        print(f"  {name:42} {count:7}{note}")
    for name, count in sorted(world.exits.items()):
        print(f"  ended by itself: {name:25} {count:7}")
    for name in sorted(name for name in losses if name.startswith(("incidents of ", "points of "))):
        print(f"  {name:42} {losses[name]:7}")
    kills, trials = world.counts["kills"], world.counts["kills"] or 1
    print(f"  killed {kills}; readings {losses['readings']}, packs promised {losses['packs promised']}, incidents "
          f"{losses['incidents']} through {world.counts['collector killed']} crashes of the collector, repeated under their key {losses['messages repeated under their key']}, "
          f"told again by a restored collector {losses['told again by a restored collector']}")
    print(f"  lost {losses['lost']}, doubled {losses['doubled']}; at 95 % a kill loses something in fewer than "
          f"{3 / trials:.1e} of cases (3/N)")
    return {"seed": seed, "minutes": minutes, "seconds": round(seconds), "faults": counts, "skipped": world.skipped,
            "ended_by_themselves": dict(world.exits), "kills": kills, **dict(losses), "never": never}


def run(seed, minutes, kills=0, crashes=0, without=(), report_path=None):
    """Raises Failure when anything was lost or doubled, or a fault never happened."""
    house, begun = harness.House("chaos"), time.monotonic()
    world = World(house, seed, minutes)
    world.without = without
    failed = True
    try:
        world.start()
        rage(world, minutes, kills, crashes, without)
        heal(world)
        losses = compare(world)
        found = report(world, seed, minutes, losses, time.monotonic() - begun)
        if report_path:
            with open(report_path, "w", encoding="utf-8") as file:
                json.dump(found, file, indent=1)
        if losses["lost"] or losses["doubled"]:
            raise Failure(f"lost {losses['lost']}, doubled {losses['doubled']} (seed {seed})")
        if found["never"]:
            raise Failure(f"never happened: {', '.join(found['never'])} (seed {seed})")
        failed = False
        return found
    finally:
        try:
            house.finish(failed)
        finally:
            if not failed:
                world.unmount()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=1)
    parser.add_argument("seed", nargs="?", type=int)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--crashes", type=int, default=0)
    parser.add_argument("--report")
    parser.add_argument("--without", default="")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
    print(f"chaos: seed {seed}", flush=True)
    try:
        run(seed, options.minutes, options.kills, options.crashes,
            [name for name in options.without.split(",") if name], options.report)
    except Failure as failure:
        print(f"chaos: {failure}\nchaos: again with: ./dev chaos {options.minutes:g} {seed}", file=sys.stderr)
        return 1
    print("chaos: nothing lost, nothing doubled")
    return 0


if __name__ == "__main__":
    sys.exit(main())
