#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`coldchainctl rules` beside a real mosquitto and a real collector: what can be judged, why not, and the goods; and what
`coldchainctl doctor` says of rules that have not judged for a day.

usage: rules_cli_test.py COLDCHAINCTL COLLECTOR SOURCE_DIR
"""
import json
import os
import shutil
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
SITES = [{"id": "store", "name": "奉节产地冷库", "zones": [
    {"id": "room-1", "band_low": 2, "band_high": 8, "tau": "4h"}, {"id": "room-2"}, {"id": "room-3"}]}]
RULES = [
    {"id": "apart", "zone": "room-1", "kind": "diverge", "quantity": "air_temperature", "levels": [{"level": 3}]},
    {"id": "cold", "zone": "room-1", "kind": "cooling_failed", "quantity": "air_temperature",
     "levels": [{"level": 10}, {"level": 30, "severity": "critical"}]},
    {"id": "gas", "zone": "room-1", "kind": "above", "quantity": "co2", "levels": [{"level": 5}]},
    {"id": "harm", "zone": "room-1", "kind": "above", "quantity": "product_temperature", "levels": [{"level": 20}]},
    {"id": "later", "zone": "room-1", "kind": "predicted", "quantity": "product_temperature", "limit": 8, "window": "2h",
     "levels": [{"level": 60}]},
    {"id": "warm", "zone": "room-1", "kind": "above", "quantity": "air_temperature", "levels": [{"level": 8}]},
    {"id": "soon", "zone": "room-2", "kind": "predicted", "quantity": "air_temperature", "limit": 8, "window": "2h",
     "levels": [{"level": 60}]},
]
NOW = int(time.time()) // 60 * 60
DAYS_2 = 2 * 86400


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="coldchain-rules-")
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
        # Two days of a reading every five minutes; and ten minutes of one every minute.
        cls.measure("one", passwords["one"], [(at, 5) for at in range(NOW - DAYS_2, NOW, 300)] + [(NOW, 9.5)])
        cls.measure("two", passwords["two"], [(NOW - 600 + 60 * i, 4 + i / 10) for i in range(10)])
        wait_for(lambda: cls.states("room-1").get("warm") == "firing" and cls.states("room-2").get("soon") == "unavailable", 30,
                 "the readings are judged")

    @classmethod
    def measure(cls, device, password, rows):
        client = Client(cls.broker.port, f"fengjie/{device}", password, device)
        for seq, start in enumerate(range(0, len(rows), 50), 1):
            client.publish(f"coldchain/v1/fengjie/{device}/readings/{EPOCH}/{seq}", json.dumps(
                [{"n": "air_temperature", "u": "Cel", "t": at, "v": value} for at, value in rows[start:start + 50]]))
        client.stop()

    @classmethod
    def run_ctl(cls, *args, lang="", locale="C.UTF-8"):
        return subprocess.run([PROGRAM, *args, "--api", cls.collector.url, "--token-file", cls.token_file], capture_output=True,
                              text=True, timeout=60, check=False, env={**os.environ, "COLDCHAIN_LANG": lang, "LC_ALL": locale})

    @classmethod
    def asked(cls, *args):
        return json.loads(cls.run_ctl("rules", "--json", *args).stdout)

    @classmethod
    def states(cls, zone):
        return {rule["id"]: rule["state"] for rule in cls.asked(zone)[0]["rules"]}

    def test_each_rule_says_what_it_can_judge(self):
        zone, = self.asked("room-1")
        found = {rule["id"]: (rule["state"], rule["channels"][0]["why"], rule["channels"][0]["channel"]) for rule in zone["rules"]}
        self.assertEqual(found, {"apart": ("unavailable", "alone", "air_temperature"),
                                 "cold": ("unavailable", "sparse", "air_temperature"),
                                 "gas": ("unavailable", "not_measured", ""),
                                 "harm": ("judging", None, "product_temperature-est"),
                                 "later": ("judging", None, "product_temperature-est"),
                                 "warm": ("firing", None, "air_temperature")})
        cold = next(rule for rule in zone["rules"] if rule["id"] == "cold")["channels"][0]
        self.assertEqual((cold["apart_s"], cold["text_zh"]), (300, "读数间隔 5 分钟，太稀疏，无法判断"))
        goods, = zone["goods"]
        self.assertEqual(goods["tau_from"], "zone")
        self.assertLess(goods["temperature_c"]["low"], goods["temperature_c"]["high"] + 0.001)

    def test_a_sparse_cadence_is_a_record_too(self):
        kept = json.loads(self.run_ctl("suppressions", "--zone", "room-1", "--since", "3d", "--json").stdout)
        self.assertEqual([(one["rule"], one["reason"], one["limit"], one["worst"], one["to"]) for one in kept["suppressions"]],
                         [("cold", "sparse", 2.5, 5, None)])

    def test_tables_for_people(self):
        text = self.run_ctl("rules", "room-1").stdout
        self.assertIn("its readings, 5 min apart, are too sparse for it", text)
        self.assertIn("10 30!", text)
        self.assertRegex(text, r"later .* judging +far off +60 ")
        self.assertIn("goods around one air_temperature: 5.0 °C (5.0 to 5.0)", text)
        self.assertIn("they follow the air with 4.0 h (2.7 to 6.0): as declared for the zone", text)
        self.assertIn("●", text)
        plain = self.run_ctl("rules", "room-1", locale="C").stdout
        self.assertRegex(plain, r"1\.5 \|  +\[\.+.*O.*\.+\]")
        text = self.run_ctl("rules", "room-1", lang="zh").stdout
        for word in ("无法判断", "报警中", "太稀疏", "库区设定", "时间常数 4.0 小时", "尚远"):
            self.assertIn(word, text)

    def test_all_zones_and_none(self):
        self.assertEqual([zone["zone"] for zone in self.asked()], ["room-1", "room-2", "room-3"])
        self.assertIn("no rule watches it", self.run_ctl("rules", "room-3").stdout)
        done = self.run_ctl("rules", "attic")
        self.assertEqual((done.returncode, "there is no zone 'attic'" in done.stderr), (1, True), done.stderr)
        self.assertEqual(self.run_ctl("rules", "room-1", "room-2").returncode, 2)

    def test_the_doctor_warns_of_what_has_not_judged_for_a_day(self):
        found = json.loads(self.run_ctl("doctor", "--json").stdout)["findings"]
        seen = [(one["level"], one["seen"].split(":")[1].split(" since")[0]) for one in found if one["area"] == "rules"]
        self.assertEqual(seen, [("warning", " rule apart does not judge one air_temperature"),
                                ("warning", " rule cold does not judge one air_temperature"),
                                ("warning", " rule gas judges nothing")])
        self.assertNotIn("soon", str(found))  # its window fills


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
