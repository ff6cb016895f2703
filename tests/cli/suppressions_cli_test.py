#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`coldchainctl suppressions` beside a real mosquitto and a real collector: what was kept back, and its sums.

usage: suppressions_cli_test.py COLDCHAINCTL COLLECTOR SOURCE_DIR
"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM, COLLECTOR, SOURCE = map(os.path.abspath, sys.argv[1:4])
sys.path.insert(0, os.path.join(SOURCE, "tests", "support"))

from house.broker import Broker  # noqa: E402
from house.collector import Collector  # noqa: E402
from house.mqtt import Client  # noqa: E402
from house.process import wait_for  # noqa: E402

EPOCH = "00000000000000aa"
SITES = [{"id": "store", "name": "奉节产地冷库", "zones": [{"id": "room-1"}, {"id": "room-2"}, {"id": "room-3"}]}]
RULES = [{"id": f"warm-{i}", "zone": f"room-{i}", "kind": "above", "quantity": "air_temperature", "levels": [{"level": 8}],
          "unless": ["maintenance", "door"]} for i in (1, 2)]
NOW = int(time.time()) // 60 * 60


def stamp(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms / 1000))


class Suppressions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder, cls.seq = tempfile.mkdtemp(prefix="coldchain-kept-"), 0
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.broker = Broker(cls.folder, PROGRAM)
        passwords = {name: cls.broker.add(f"fengjie/{name}") for name in ("one", "two")}
        cls.broker.start()
        cls.addClassCleanup(cls.broker.stop)
        cls.collector = Collector(cls.folder, COLLECTOR, cls.broker, sites=SITES, rules=RULES,
                                  devices=[{"id": "one", "zone": "room-1"}, {"id": "two", "zone": "room-2"}])
        cls.collector.start()
        cls.addClassCleanup(cls.collector.stop)
        cls.token_file = os.path.join(cls.collector.data, "api.token")
        # Two hours ago until one hour ago; and half a minute ago until tomorrow.
        for zone, start, end in (("room-1", NOW - 7200, NOW - 3600), ("room-2", NOW - 30, NOW + 86400)):
            done = cls.run_ctl("do", "zone.maintenance", f"id={zone}", f"from={stamp(start * 1000)}", f"to={stamp(end * 1000)}")
            assert done.returncode == 0, done.stderr
        cls.measure("one", passwords["one"], [(NOW - 7200 + 600 * i, 9.5 if i < 9 else 4) for i in range(10)])
        cls.measure("two", passwords["two"], [(NOW - 20, 12)])
        wait_for(lambda: len(cls.listed()["suppressions"]) == 2 and cls.listed()["suppressions"][0]["to"], 30, "both are there")

    @classmethod
    def measure(cls, device, password, rows):
        client = Client(cls.broker.port, f"fengjie/{device}", password, device)
        client.publish(f"coldchain/v1/fengjie/{device}/readings/{EPOCH}/1",
                       json.dumps([{"n": "air_temperature", "u": "Cel", "t": at, "v": value} for at, value in rows]))
        client.stop()

    @classmethod
    def run_ctl(cls, *args):
        return subprocess.run([PROGRAM, *args, "--api", cls.collector.url, "--token-file", cls.token_file], capture_output=True,
                              text=True, timeout=60, check=False, env={**os.environ, "COLDCHAIN_LANG": "", "LC_ALL": "C.UTF-8"})

    @classmethod
    def listed(cls, *args):
        return json.loads(cls.run_ctl("suppressions", "--json", *args).stdout)

    def test_records_and_sums_for_programs(self):
        answer = self.listed()
        first, second = answer["suppressions"]
        self.assertEqual([(one["zone"], one["rule"], one["device"], one["reason"], one["worst"], one["limit"]) for one in (first, second)],
                         [("room-1", "warm-1", "one", "maintenance", 9.5, 8), ("room-2", "warm-2", "two", "maintenance", 12, 8)])
        self.assertEqual((first["ended"], second["ended"], second["to"]), ("over", None, None))
        self.assertEqual((first["from"][:19], first["to"][:19]), (stamp((NOW - 7200) * 1000)[:19], stamp((NOW - 3600) * 1000)[:19]))
        (total,) = answer["by_reason"]
        self.assertEqual((total["reason"], total["count"]), ("maintenance", 2))
        self.assertTrue(60 <= total["minutes"] < 70, total)

    def test_a_zone_and_a_time(self):
        self.assertEqual([one["zone"] for one in self.listed("--zone", "room-2")["suppressions"]], ["room-2"])
        self.assertEqual([self.listed("--zone", "room-3")[key] for key in ("suppressions", "by_reason")], [[], []])
        self.assertEqual([one["zone"] for one in self.listed("--since", "10m")["suppressions"]], ["room-2"])
        (total,) = self.listed("--zone", "room-1", "--since", stamp((NOW - 5400) * 1000))["by_reason"]
        self.assertEqual(total["minutes"], 30)

    def test_people_read_a_table_in_their_language(self):
        text = self.run_ctl("suppressions").stdout
        for word in ("REASON", "maintenance", "room-1", "warm-2", "goes on", "over", "COUNT"):
            self.assertIn(word, text)
        text = self.run_ctl("suppressions", "--lang", "zh").stdout
        for word in ("原因", "检修", "持续中", "情形结束", "条数"):
            self.assertIn(word, text)
        self.assertEqual(self.run_ctl("suppressions", "--zone", "room-3").stdout, "nothing was kept back\n")

    def test_more_than_a_page(self):
        """Three records share each moment, so that pages end in the middle of one."""
        self.collector.stop()
        with sqlite3.connect(os.path.join(self.collector.data, "state.db")) as store:
            store.executemany(
                "INSERT INTO suppression (id, rule, zone, device, channel, quantity, kind, severity, reason, ended, from_ms, to_ms,"
                " told_ms, limit_value, worst) VALUES (?, 'r', 'room-3', 'd', 'c', 'q', 'above', 'warning', 'door', 'over', ?, ?, ?, 8, 9)",
                [(f"{i:032x}", at := (NOW - 80000 + i // 3 * 60) * 1000, at + 30000, at) for i in range(1301)])
        store.close()
        self.collector.start()
        answer = self.listed("--zone", "room-3", "--since", "2d")
        self.assertEqual(sorted(int(one["id"], 16) for one in answer["suppressions"]), list(range(1301)))
        self.assertEqual(answer["by_reason"], [{"reason": "door", "count": 1301, "minutes": 650.5}])
        self.collector.stop()
        with sqlite3.connect(os.path.join(self.collector.data, "state.db")) as store:
            store.execute("DELETE FROM suppression WHERE zone = 'room-3'")
        store.close()
        self.collector.start()

    def test_what_is_wrong_is_said(self):
        done = self.run_ctl("suppressions", "--zone", "attic")
        self.assertEqual(done.returncode, 1)
        self.assertIn("'coldchainctl zones' lists them", done.stderr)
        for words in (("--since", "yesterday"), ("room-1",)):
            self.assertNotEqual(self.run_ctl("suppressions", *words).returncode, 0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
