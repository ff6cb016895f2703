#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`coldchainctl tail` beside a real broker and collector: everything once, also late data and through a restart.

usage: tail_cli_test.py COLDCHAINCTL COLLECTOR SOURCE_DIR
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAM, COLLECTOR, SOURCE = map(os.path.abspath, sys.argv[1:4])
sys.path.insert(0, os.path.join(SOURCE, "tests", "support"))

from house.broker import Broker  # noqa: E402
from house.collector import Collector  # noqa: E402
from house.mqtt import Client  # noqa: E402
from house.process import free_port, wait_for  # noqa: E402

NOW = int(time.time())
DAY = 86400


class World:
    def __init__(self):
        self.folder, self.parts = tempfile.mkdtemp(prefix="coldchain-tail-"), []
        self.seqs = {}

    def start(self):
        self.broker = Broker(self.folder, PROGRAM)
        passwords = {name: self.broker.add(f"fengjie/{name}") for name in ("one", "two", "late")}
        self.parts.append(self.broker)
        self.broker.start()
        self.collector = Collector(
            self.folder, COLLECTOR, self.broker,
            sites=[{"id": "store", "name": "奉节产地冷库", "zones": [{"id": "room-1", "name": "1号库 脐橙"}, {"id": "room-2"}]}],
            devices=[{"id": "one", "zone": "room-1"}, {"id": "two", "zone": "room-2"}, {"id": "late", "zone": "room-2"}],
            rules=[{"id": "warm", "zone": "room-1", "kind": "above", "quantity": "air_temperature", "levels": [{"level": 8}]}])
        self.parts.append(self.collector)
        self.collector.start()
        self.clients = {name: Client(self.broker.port, f"fengjie/{name}", password, name) for name, password in passwords.items()}
        self.parts += self.clients.values()
        self.env = {"COLDCHAIN_API": self.collector.url, "COLDCHAIN_TOKEN_FILE": os.path.join(self.collector.data, "api.token")}

    def send(self, device, *rows, epoch="00000000000000aa", seq=None):
        """rows: (seconds from NOW, value)"""
        if seq is None:
            self.seqs[device] = seq = self.seqs.get(device, 0) + 1
        self.clients[device].publish(f"coldchain/v1/fengjie/{device}/readings/{epoch}/{seq}", json.dumps(
            [{"n": "air_temperature", "u": "Cel", "t": NOW + at, "v": value} for at, value in rows]))

    def close(self):
        for part in reversed(self.parts):
            part.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Tail:
    """The program, and the lines that it said so far."""

    def __init__(self, *words):
        self.lines, self.errors = [], []
        self.child = subprocess.Popen([PROGRAM, "tail", "--every", "0.2", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      text=True, env={**os.environ, **WORLD.env})
        self.threads = [threading.Thread(target=self.read, args=pair, daemon=True)
                        for pair in ((self.child.stdout, self.lines), (self.child.stderr, self.errors))]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def read(stream, into):
        for line in stream:
            into.append(line)

    def values(self):
        return [one["value"] for one in map(json.loads, list(self.lines)) if one["type"] == "reading"]

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        for thread in self.threads:
            thread.join(10)
        self.child.stdout.close()
        self.child.stderr.close()


class Case(unittest.TestCase):
    def tail(self, *words):
        tail = Tail(*words)
        self.addCleanup(tail.close)
        return tail

    def begun(self, *words, device="two"):
        """A tail that has seen what was there: it shows a reading that is sent until it does."""
        tail = self.tail(*words)
        mark = [-1000.0]  # cold: no rule minds

        def shows():
            mark[0] -= 1
            WORLD.send(device, (int(mark[0]) - 100000, mark[0]))
            return bool(tail.lines)
        wait_for(shows, 20, "tail begins", step=0.3)
        self.sent = mark[0]
        if "--json" in words:
            wait_for(lambda: mark[0] in tail.values(), 20, "it is with us")
            del tail.lines[:]
        return tail

    def has_all(self, tail, device, values):
        """What came is this and no more, when one more that is sent now has come."""
        for last in (70.0, 71.0):
            WORLD.send(device, (300, last))
            wait_for(lambda last=last: last in tail.values(), 20, "the last one")
        self.assertEqual(sorted(tail.values()), sorted([*values, 70, 71]))

    def test_readings_once_each_also_late_ones(self):
        tail = self.begun("--json", "--kind", "readings", device="late")
        want = []
        for i in range(20):
            want += [50 + i, 50.5 + i]
            WORLD.send("late", (i, 50 + i), (-i * 3 * DAY - 5, 50.5 + i))
        wait_for(lambda: len(tail.values()) >= len(want), 30, lambda: f"{len(tail.values())} of {len(want)} came")
        self.has_all(tail, "late", want)
        one = json.loads(tail.lines[0])
        self.assertEqual((one["org"], one["device"], one["zone"], one["channel"], one["quality"]),
                         ("fengjie", "late", "room-2", "air_temperature", "good"))
        self.assertEqual(tail.errors, [])

    def test_a_collector_that_is_restarted(self):
        tail = self.begun("--json", "--kind", "readings", device="two")
        WORLD.send("two", (1, 21))
        wait_for(lambda: 21 in tail.values(), 20, "before")
        WORLD.collector.kill()
        wait_for(lambda: tail.errors, 20, "it says that it was lost")
        WORLD.send("two", (2, 22))
        WORLD.send("two", (-40 * DAY, 23))
        WORLD.collector.start()
        WORLD.send("two", (3, 24))
        wait_for(lambda: {22, 23, 24} <= set(tail.values()), 40, lambda: f"what came meanwhile: {tail.values()} {tail.errors}")
        self.has_all(tail, "two", [21, 22, 23, 24])
        self.assertIn("lost: ", tail.errors[0])
        self.assertIn("answers again", tail.errors[1])
        self.assertEqual(len(tail.errors), 2)

    def test_steps_of_incidents(self):
        tail = self.begun("--json", "--zone", "room-1", device="one")

        def steps_so_far():
            return [one for one in map(json.loads, list(tail.lines)) if one["type"] == "incident"]
        WORLD.send("one", (-60, 9.5), (-50, 9.6))
        wait_for(steps_so_far, 20, "it opens")
        WORLD.send("one", (-40, 4.0), (-30, 4.0))
        wait_for(lambda: steps_so_far()[-1]["event"] == "closed", 20, "it closes")
        steps = steps_so_far()
        self.assertEqual((steps[0]["event"], steps[0]["zone"], steps[0]["rule"], steps[0]["kind"]), ("opened", "room-1", "warm", "above"))
        self.assertEqual(steps[-1]["event"], "closed")
        self.assertEqual(len({(one["incident"], one["revision"]) for one in steps}), len(steps))

    def test_filters(self):
        one = self.begun("--device", "fengjie/two", "--json", device="two")
        zone = self.begun("--zone", "room-2", "--channel", "air_temperature", "--json", "--kind", "readings", device="two")
        other = self.tail("--device", "elsewhere/two", "--json")
        wait_for(lambda: self.sent in one.values(), 20, "both are with us")
        del one.lines[:]
        WORLD.send("one", (-300, 4.25))
        WORLD.send("two", (100, 5.25))
        wait_for(lambda: 5.25 in one.values() and 5.25 in zone.values(), 20, "the one that is asked for")
        self.assertNotIn(4.25, one.values() + zone.values())
        self.assertEqual(other.lines, [])

    def test_lines_for_people_and_an_end(self):
        tail = self.begun("--device", "two", "--kind", "readings", "--count", "3", device="two")
        for i in range(3):
            WORLD.send("two", (200 + i, 6.5))
        self.assertEqual(tail.child.wait(20), 0)
        wait_for(lambda: len(tail.lines) == 3, 20, "all is read")
        self.assertRegex(tail.lines[2], r"^20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ  room-2  fengjie/two  air_temperature  -?[\d.]+  good\n$")

    def test_ctrl_c(self):
        tail = self.begun("--json", device="two")
        tail.child.send_signal(signal.SIGINT)
        self.assertEqual(tail.child.wait(30), -signal.SIGINT)

    def test_nobody_answers_at_the_start(self):
        done = subprocess.run([PROGRAM, "tail", "--api", f"http://127.0.0.1:{free_port()}"], capture_output=True, text=True, timeout=30,
                              check=False, env={**os.environ, **WORLD.env})
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("not reachable", done.stderr)

    def test_what_is_asked_wrongly(self):
        for words in (("x",), ("--kind", "rooms"), ("--every", "0"), ("--count", "none")):
            with self.subTest(words=words):
                done = subprocess.run([PROGRAM, "tail", *words], capture_output=True, text=True, timeout=30, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)


if __name__ == "__main__":
    WORLD = World()
    try:
        WORLD.start()
        result = unittest.main(argv=sys.argv[:1] + sys.argv[4:], exit=False, verbosity=1).result
    finally:
        WORLD.close()
    raise SystemExit(0 if result.wasSuccessful() else 1)
