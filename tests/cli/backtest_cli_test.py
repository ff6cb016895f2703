#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`coldchainctl backtest` over files: what it says, and what it refuses.

usage: backtest_cli_test.py COLDCHAINCTL
"""
import json
import math
import os
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv[1])
LEAKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "lsan.supp")
START = 1767225600  # 2026-01-01T00:00:00Z
HOUR = 60
RULES = """rules:
  - id: warm
    zone: room-1
    kind: above
    quantity: air_temperature
    levels:
      - level: 8
        delay: 30m
  - {id: cold, zone: room-1, kind: below, quantity: air_temperature, levels: [{level: 2}]}
"""
COLUMNS = "time=time@s,air_temperature=air"


def minutes(*pieces):
    """(minutes, value) after each other, as rows of a file."""
    rows = ["time,air"]
    for length, value in pieces:
        rows += [f"{START + (len(rows) - 1 + i) * 60},{value}" for i in range(length)]
    return "\n".join(rows) + "\n"


# A short rise that harms nothing, a dead compressor that does, and a cold hour that does not.
RECORD = minutes((24 * HOUR, 5), (40, 9), (12 * HOUR, 5), (20 * HOUR, 14), (24 * HOUR, 4), (60, 1), (10 * HOUR, 4))


class Backtest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="coldchain-backtest-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run_it(self, *args, rules=RULES, record=RECORD, columns=COLUMNS, status=0, lang="en"):
        done = subprocess.run(
            [PROGRAM, "backtest", "--rules", self.write("rules.yaml", rules), "--csv", self.write("record.csv", record),
             "--columns", columns, "--lang", lang, *args],
            capture_output=True, text=True, timeout=60, check=False, cwd=self.folder,
            env={**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "100", "LSAN_OPTIONS": f"suppressions={LEAKS}:print_suppressions=0"})
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        return done

    def result(self, *args, **more):
        return json.loads(self.run_it("--json", *args, **more).stdout)

    def test_what_lasts_began_when_it_began(self):
        """A thermostat for a day, then a compressor that is dead: the air leaves its envelope before it is told."""
        rows = ["time,air"]
        for minute in range(24 * HOUR):
            at = minute % 20
            rows.append(f"{START + minute * 60},{2 + at / 6 if at < 12 else 4 - (at - 12) / 4:.3f}")
        for minute in range(6 * HOUR):
            rows.append(f"{START + (24 * HOUR + minute) * 60},{20 - 18 * math.exp(-minute / 240):.3f}")
        rules = "rules:\n  - {id: cooling, zone: room-1, kind: cooling_failed, quantity: air_temperature, levels: [{level: 30}]}\n"
        result = self.result(rules=rules, record="\n".join(rows) + "\n")
        self.assertEqual(result["rules"][0]["firings"], 1)
        firing = result["firings"][0]
        self.assertGreaterEqual(firing["onset"], "2026-01-02T00:05:00.000Z", "not before it was outside")
        self.assertLessEqual(firing["onset"], "2026-01-02T00:50:00.000Z")
        self.assertGreaterEqual(result["rules"][0]["delay_ms"], 29 * 60000)
        self.assertLess(result["rules"][0]["delay_ms"], 60 * 60000)

    def test_firings_harm_and_the_time_between(self):
        result = self.result("--band", "2..8", "--tau", "6")
        warm, cold = result["rules"]
        self.assertEqual((warm["firings"], warm["open"], warm["delay_ms"]), (2, 0, 1800000))
        self.assertEqual((warm["harm"]["false_alarms"], warm["harm"]["warned"], warm["harm"]["missed"]), (1, 1, 0))
        self.assertEqual((cold["firings"], cold["harm"]["false_alarms"]), (1, 1))
        # 5 C goods in 14 C air: 8 C after tau * ln(9 / 6), 146 min; told after 30.
        self.assertEqual(len(result["harms"]), 1)
        ahead = warm["harm"]["ahead_ms"] / 60000
        self.assertLess(abs(ahead - (6 * 60 * 0.405465 - 30)), 2)
        first, second = result["firings"][0], result["firings"][1]
        self.assertEqual((first["onset"], first["opened"]), ("2026-01-02T00:00:00.000Z", "2026-01-02T00:30:00.000Z"))
        self.assertEqual((first["harm_after_ms"], second["worst"]), (None, 14))
        self.assertGreater(result["harms"][0]["to"], second["closed"], "goods are warm for longer than the air")

    def test_what_is_kept_back_is_told_with_its_reason(self):
        rows = "".join(f"{START + i * 60},{9 if 30 <= i < 90 else 5},{int(25 <= i < 70)}\n" for i in range(180))
        rules = RULES.replace("quantity: air_temperature\n", "quantity: air_temperature\n    unless: [door]\n", 1)
        more = {"rules": rules, "record": "time,air,door\n" + rows, "columns": COLUMNS + ",door=door"}
        result = self.result(**more)
        warm = result["rules"][0]
        self.assertEqual((warm["firings"], warm["kept_back"], warm["kept_back_by"]), (0, 1, {"door": 1}))
        kept = result["kept_back"][0]
        self.assertEqual((kept["rule"], kept["reason"], kept["to"] is not None), ("warm", "door", True))
        self.assertIn("warm, times kept back: 1 (door 1)", self.run_it(**more).stdout)
        self.assertIn("warm：压下 1 次（开门 1)", self.run_it(lang="zh", **more).stdout)

    def test_what_the_file_says_of_zones(self):
        zones = "zones:\n  - {id: room-1, site: s, band_low: 2, band_high: 8, tau: 2h}\n"
        goods = "  - {id: goods, zone: room-1, kind: above, quantity: product_temperature, levels: [{level: 7.5}]}\n"
        result = self.result(rules=zones + RULES + goods)
        self.assertEqual((result["band"], len(result["harms"]), result["warnings"]), (True, 1, []))
        told = [one for one in result["firings"] if one["rule"] == "goods"]
        self.assertEqual([one["channel"] for one in told], ["product_temperature-est"])
        self.assertGreater(told[0]["harm_after_ms"], 0)
        self.assertLess(told[0]["harm_after_ms"], 20 * 60000)
        self.assertIn("it follows the air, 2 h", self.run_it(rules=zones + RULES).stdout)

    def test_rules_as_a_settings_file_has_them(self):
        rules = """rules:
  - {id: warm, zone: room-1, kind: above, levels: [{level: 8, delay: 30m, recovery: 7}]}
  - {id: gone, zone: room-1, kind: silent, quantity: "", silent_after: 30m, severity: critical}
  - {id: open, zone: room-1, kind: door_open, levels: [{level: 20}]}
"""
        result = self.result(rules=rules)
        self.assertEqual([(rule["quantity"], rule["firings"]) for rule in result["rules"]],
                         [("air_temperature", 2), ("", 0), ("door", 0)])
        self.assertIn("rules.yaml:4: rule 'open' watches door", self.run_it(rules=rules).stderr)

    def test_rules_that_come_with_it(self):
        for name in ("room", "freezer", "van"):
            with self.subTest(name=name):
                self.assertEqual(self.result("--compare", name)["compare"][1]["file"], name)
        args = [PROGRAM, "backtest", "--csv", self.write("r.csv", RECORD), "--columns", COLUMNS, "--json"]
        result = json.loads(subprocess.run(args + ["--profile", "room", "--band", "3..8"], capture_output=True, text=True,
                                           timeout=60, check=True).stdout)
        told = {one["rule"] for one in result["firings"]}
        self.assertIn("place-warm", told, "a compressor that is dead for 20 hours is told of")
        judged = {one["id"] for one in result["rules"] if one["harm"] is not None}
        self.assertEqual(judged, {"place-cooling", "place-warm", "place-cold", "place-air"}, "those that say how warm it is")
        self.assertIn("place-stuck", told, "and a probe that says 5 for a day is no false alarm of theirs")
        for more, words in (([], "give one of --rules"), (["--profile", "shop"], "room, freezer or van"),
                            (["--profile", "room", "--rules", "a"], "give one of --rules")):
            done = subprocess.run(args + more + ["--lang", "en"], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual((done.returncode, words in done.stderr), (2, True), done.stderr)

    def test_without_a_band_nothing_is_said_of_harm(self):
        result = self.result()
        self.assertEqual((result["band"], result["harms"], result["rules"][0]["harm"]), (False, [], None))
        self.assertIn("give --band", self.run_it().stdout)

    def test_a_probe_in_the_goods_is_believed(self):
        record = "time,air,pulp\n" + "".join(f"{START + i * 60},{14 if i > 60 else 5},5\n" for i in range(1200))
        columns = COLUMNS + ",pulp_temperature=pulp"
        result = self.result("--band", "2..8", record=record, columns=columns)
        self.assertEqual((result["estimated"], result["harms"]), (False, []))

    def test_what_people_see_in_both_languages(self):
        said = self.run_it("--band", "2..8").stdout
        for words in ("2 rules over", "told before 1", "FALSE", "█", "▓", "2026-01-01", "it follows the air", "later"):
            self.assertIn(words, said)
        said = self.run_it("--band", "2..8", lang="zh").stdout
        for words in ("误报", "货物超出范围 1 次", "漏报"):
            self.assertIn(words, said)

    def test_a_chart_is_drawn(self):
        self.run_it("--plot", os.path.join(self.folder, "a.svg"))
        with open(os.path.join(self.folder, "a.svg"), encoding="utf-8") as file:
            self.assertIn("<svg", file.read())
        self.assertIn(".svg", self.run_it("--plot", os.path.join(self.folder, "a.gif"), status=1).stderr)

    def test_two_sets_side_by_side(self):
        other = self.write("other.yaml", RULES.replace("30m", "2h").replace("room-1", "van-2"))
        both = self.result("--compare", other, "--band", "2..8")["compare"]
        self.assertEqual([one["rules"][0]["firings"] for one in both], [2, 1])
        self.assertEqual([one["rules"][0]["harm"]["false_alarms"] for one in both], [1, 0])
        self.assertIn("other.yaml", self.run_it("--compare", other).stdout.splitlines()[-1])

    def test_rules_that_cannot_work_are_named_with_their_line(self):
        humid = RULES + "  - {id: humid, zone: room-1, kind: above, quantity: humidity, levels: [{level: 90}]}\n"
        said = self.run_it(rules=humid).stderr
        self.assertIn("rules.yaml:10: rule 'humid' watches humidity", said)
        self.assertIn("there are: air_temperature", said)
        always = RULES.replace("level: 8", "level: 3")
        self.assertIn("rules.yaml:2: rule 'warm' would have been open 100 % of the time",
                      self.run_it(rules=always, record=minutes((600, 5), (1, 1))).stderr.replace("99 %", "100 %"))

    def test_dates_are_in_no_record(self):
        due = RULES + "  - {id: due, zone: room-1, kind: calibration_due, levels: [{level: 14}]}\n"
        self.assertIn("rules.yaml:10: rule 'due' is judged by dates", self.run_it(rules=due).stderr)

    def test_an_empty_room_is_in_no_record(self):
        left = RULES + "  - {id: left, zone: room-1, kind: goods_left, quantity: air_temperature, limit: 8, levels: [{level: 60}]}\n"
        self.assertIn("rules.yaml:10: rule 'left' asks only while its zone is off duty as empty", self.run_it(rules=left).stderr)
        delayed = left.replace("[{level: 60}]", "[{level: 60, delay: 5m}]")
        self.assertIn("rules.yaml:10: rule 'left': goods_left asks once", self.run_it(rules=delayed, status=1).stderr)

    def test_rules_that_are_refused(self):
        level = "levels:\n      - level: 8\n        delay: 30m"
        for name, rules, words in (
                ("no YAML", "rules:\n  - id: [", "rules.yaml:3: not valid YAML"),
                ("no rules", "zones: []\n", "there is no rule in it"),
                ("no map", "just words\n", "it begins with 'rules:'"),
                ("a slip", RULES.replace("quantity", "quantty", 1), "rules.yaml:5: 'quantty' is not known here; did you mean 'quantity'?"),
                ("a kind", RULES.replace("kind: above", "kind: over"), "rules.yaml:4: 'kind' takes no 'over'; there are: above, below"),
                ("a number", RULES.replace("level: 8", "level: eight"), "rules.yaml:7: 'level' takes a number, or an end of the zone's band such as band_high-0.5, not 'eight'"),
                ("a span", RULES.replace("30m", "30"), "rules.yaml:8: 'delay' takes a duration such as 90s, 10m or 1h30m, from 0 to 366d, not '30'"),
                ("a near word", RULES.replace("kind: above", "kind: abov"), "rules.yaml:4: 'kind' takes no 'abov'; did you mean 'above'?"),
                ("five", RULES.replace(level, "levels: [{level: 1}, {level: 2}, {level: 3}, {level: 4}, {level: 5}]"),
                 "rules.yaml:6: 'levels' takes at most 4 entries, not 5"),
                ("no list", RULES.replace(level, "levels: 8"), "rules.yaml:6: 'levels' is a list: write it as 'levels: [{level: ...}, ...]'"),
                ("no fields", RULES.replace(level, "levels: [8]"), "rules.yaml:6: an entry has named fields: write it as '- {level: ...}'"),
                ("a comma", RULES.replace("[{level: 2}]", "[{level: 2,5}]"), "rules.yaml:9: '5' is not known here; decimals have a point"),
                ("a section", RULES.replace("rules:", "rule:"), "rules.yaml:2: 'rule' is not known here; did you mean 'rules'?"),
                ("a daemon's", "org: fengjie\nbroker: {}\n", "rules.yaml:1: this is a daemon's own configuration"),
                ("Chinese ids", RULES.replace("id: warm", "id: 过热"), "rules.yaml:2: 'id' takes 1 to 64 of A-Z a-z 0-9 _ -, not '过热'"),
                ("no field", RULES.replace("kind:", "what:", 1), "rules.yaml:4: 'what' is not known here; there are: id, zone, kind"),
                ("a band", "zones: [{id: room-1, site: s, band_low: 9, band_high: 3}]\n" + RULES,
                 "rules.yaml:1: zone 'room-1': band_low 9 is not below band_high 3"),
                ("no id", RULES.replace("- id: warm\n    zone", "- zone"), "rules.yaml:2: 'id' is missing"),
                ("no zone", RULES.replace("    zone: room-1\n", ""), "rules.yaml:2: 'zone' is missing"),
                ("twice", RULES.replace("id: cold", "id: warm"), "rules.yaml:9: rule 'warm' stands in line 2 already"),
                ("never", RULES.replace("level: 8", "level: 800"), "rules.yaml:2: rule 'warm' could never fire"),
                ("no level", RULES.replace(level, "levels: []"), "rules.yaml:2: rule 'warm' needs 1 to 4 levels"),
                ("against itself", RULES.replace("delay: 30m", "recovery_level: 9"), "rules.yaml:2: rule 'warm' would recover while it fires")):
            with self.subTest(name=name):
                said = self.run_it(rules=rules, status=1)
                self.assertIn(words, said.stderr)
                self.assertEqual(said.stdout, "")

    def test_records_that_are_refused(self):
        for name, record, words in (
                ("empty", "", "record.csv: the file has no rows"),
                ("heading", "a,b\n1,2\n", "record.csv: the heading has no column 'time'"),
                ("number", RECORD.replace(",5\n", ",five\n", 1), "record.csv:2: column 'air': 'five' is no number"),
                ("time", "time,air\nnoon,5\n", "record.csv:2: 'noon' is no time"),
                ("no rows", "time,air\n", "there is no reading")):
            with self.subTest(name=name):
                self.assertIn(words, self.run_it(record=record, status=1).stderr)
        result = self.result("--partial", record=RECORD.replace(",5\n", ",five\n", 1))
        self.assertEqual(result["left_out"], 1)

    def test_how_it_is_asked_wrongly(self):
        for args, words in ((("--band", "8"), "LOW..HIGH"), (("--band", "8..2"), "LOW..HIGH"), (("--since", "1d"), "--csv takes a file"),
                            (("--tau", "-1"), "--tau takes 0 to 1000"), (("more",), "nothing is expected")):
            with self.subTest(args=args):
                self.assertIn(words, self.run_it(*args, status=2).stderr)
        two = RULES + "  - {id: other, zone: room-2, kind: above, quantity: air_temperature, levels: [{level: 9}]}\n"
        self.assertIn("--zone says which one", self.run_it(rules=two, status=1).stderr)
        self.assertEqual(len(self.result("--zone", "room-2", rules=two)["rules"]), 1)
        self.assertIn("has no rule for zone 'room-3'", self.run_it("--zone", "room-3", rules=two, status=1).stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
