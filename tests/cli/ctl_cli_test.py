#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`coldchainctl` from outside, against a real collector behind a real broker.

usage: ctl_cli_test.py COLDCHAINCTL COLLECTOR SOURCE_DIR [--document]
"""
import csv
import io
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata
import unittest

PROGRAM, COLLECTOR, SOURCE = map(os.path.abspath, sys.argv[1:4])
sys.path.insert(0, os.path.join(SOURCE, "tests", "support"))

from house.broker import Broker  # noqa: E402
from house.collector import Collector  # noqa: E402
from house.mqtt import Client  # noqa: E402
from house.process import free_port, wait_for  # noqa: E402

EPOCH = "00000000000000aa"
SITES = [{"id": "store", "name": "奉节产地冷库", "zones": [
    {"id": "room-1", "name": "1号库 脐橙", "band_low": 3, "band_high": 8}, {"id": "room-2"}]}]
RULES = [{"id": "warm", "zone": "room-1", "kind": "above", "quantity": "air_temperature",
          "levels": [{"level": 8}]}]
NOW = int(time.time()) // 60 * 60
TOMORROW = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(NOW + 2 * 86400))  # or the day after
COUNT = 12000  # more than one page of the client


class World:
    """A collector that was told of one zone, one device, and something it cannot read."""

    def __init__(self):
        self.parts, self.seq = [], 0
        self.folder = tempfile.mkdtemp(prefix="coldchain-ctl-")

    def start(self):
        self.broker = Broker(self.folder, PROGRAM)
        password = self.broker.add("fengjie/one")
        self.parts.append(self.broker)
        self.broker.start()
        self.collector = Collector(self.folder, COLLECTOR, self.broker, sites=SITES, rules=RULES,
                                   devices=[{"id": "one", "zone": "room-1"}, {"id": "unheard", "zone": "room-2"}])
        self.parts.append(self.collector)
        self.collector.start()
        self.client = Client(self.broker.port, "fengjie/one", password, "one")
        self.parts.append(self.client)

    def fill(self):
        # Two readings share each time, so that pages end in the middle of one.
        rows = [{"n": channel, "u": unit, "t": NOW - COUNT + i, "v": value + i % 10 / 10}
                for i in range(COUNT // 2) for channel, unit, value in
                (("air_temperature", "Cel", 2.8), ("humidity", "%RH", 91))]
        for at in range(0, len(rows), 3000):
            self.send(rows[at:at + 3000])
        self.send([{"n": "air_temperature", "u": "Cel", "t": NOW - 60 + i, "v": 9.5} for i in range(3)])
        self.send("{ this is no pack")
        self.token_file = os.path.join(self.collector.data, "api.token")
        self.journal = os.path.join(self.collector.data, "journal")
        wait_for(lambda: self.collector.incidents() and self.collector.quarantine()[1], 30, "all is known")
        wait_for(lambda: len(self.collector.readings("one", "air_temperature")) == COUNT // 2 + 3, 30, "all is stored")

    def send(self, payload):
        self.seq += 1
        text = payload if isinstance(payload, str) else json.dumps(payload)
        self.client.publish(f"coldchain/v1/fengjie/one/readings/{EPOCH}/{self.seq}", text)

    def close(self):
        for part in reversed(self.parts):
            part.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def run(*args, env=None):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "COLDCHAIN_LANG": "", "LC_ALL": "C.UTF-8", **(env or {})})


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = WORLD

    def ask(self, *args, status=0):
        done = run(*args, "--api", self.world.collector.url, "--token-file", self.world.token_file)
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        return done

    def says(self, done, status, *words):
        self.assertEqual(done.returncode, status, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(done.stdout, "")


class Answers(Case):
    def test_status_is_zero_when_ready(self):
        text = self.ask("status").stdout
        self.assertIn("ready        yes", text)
        self.assertIn("broker       connected", text)
        self.assertIn("1 not closed", text)
        answer = json.loads(self.ask("status", "--json").stdout)
        self.assertIs(answer["ready"], True)
        self.assertIs(answer["status"]["connected"], True)

    def test_zones_show_value_band_state_and_age(self):
        lines = self.ask("zones").stdout.splitlines()
        row = next(line for line in lines if "air_temperature" in line)
        for word in ("room-1", "1号库 脐橙", "one", "9.5", "°C", "3..8", "ABOVE"):
            self.assertIn(word, row)
        self.assertTrue(any("room-2" in line and "never heard" in line for line in lines))
        zones = json.loads(self.ask("zones", "room-1", "--json").stdout)
        self.assertEqual([zone["id"] for zone in zones], ["room-1"])
        self.assertEqual({c["channel"] for c in zones[0]["channels"]}, {"air_temperature", "humidity"})

    def test_a_zone_that_is_not_there(self):
        self.says(self.ask("zones", "room-9", status=1), 1, "no zone 'room-9'", "coldchainctl zones")
        self.says(self.ask("readings", "room-9", status=1), 1, "/api/v1/zones")

    def test_readings_walk_all_pages_each_reading_once(self):
        rows = json.loads(self.ask("readings", "room-1", "--from", "0", "--json").stdout)
        self.assertEqual(len(rows), COUNT + 3)
        self.assertEqual(len({(row["time"], row["channel"]) for row in rows}), COUNT + 3)
        self.assertEqual([row["time"] for row in rows], sorted(row["time"] for row in rows))

    def test_csv_is_what_the_api_gives(self):
        done = subprocess.run(
            [PROGRAM, "readings", "fengjie/one", "--channel", "air_temperature", "--from", "0", "--csv",
             "--api", self.world.collector.url, "--token-file", self.world.token_file],
            capture_output=True, timeout=60, check=True)
        text = self.world.collector.open("/api/v1/devices/fengjie/one/readings",
                                         {"channel": "air_temperature", "format": "csv", "limit": 100000})
        self.assertEqual(done.stdout, text)
        self.assertTrue(text.startswith(b"\xef\xbb\xbftime,device,channel,value"))
        rows = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))
        self.assertEqual(len(rows), COUNT // 2 + 3)
        self.assertEqual(rows[0]["value"], "2.8")

    def test_a_table_of_readings_ends_and_says_so(self):
        done = self.ask("readings", "room-1", "--limit", "5")
        self.assertEqual(len(done.stdout.splitlines()), 6)
        self.assertIn("more than these 5", done.stderr)
        done = self.ask("readings", "room-1", "--from", TOMORROW)
        self.assertIn("no readings in that time", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_an_incident_is_listed_shown_and_acknowledged_once(self):
        page = json.loads(self.ask("incidents", "--json").stdout)
        one = page["incidents"][0]
        row = self.ask("incidents", "list", "--state", "open", "--zone", "room-1").stdout.splitlines()[1]
        for word in (one["id"][:12], "open", "NEEDED", "warm", "9.5"):
            self.assertIn(word, row)
        shown = self.ask("incidents", "show", one["id"][:8]).stdout
        for word in (one["id"], "above", "air_temperature", "acknowledged   no", "opened"):
            self.assertIn(word, shown)
        done = self.ask("incidents", "ack", one["id"][:8], "--reason", "门开着，已关")
        self.assertEqual(done.stdout, f"{one['id']} is acknowledged\n")
        self.says(self.ask("incidents", "ack", one["id"], status=1), 1, "somebody was first")
        self.assertIn("first-start", self.ask("incidents").stdout)
        self.assertIs(json.loads(self.ask("incidents", "show", one["id"], "--json").stdout)["acknowledged"], True)

    def test_goods_come_in_at_the_gate(self):
        self.assertIn("what stands there bears -0.5 to 0.5 °C",
                      self.ask("do", "zone.load", "id=room-2", "goods=strawberry", "entry_c=18").stdout)
        self.assertIn("no band is known of what stands there", self.ask("do", "zone.unload", "id=room-2").stdout)

    def test_changes_are_made_and_audited(self):
        self.assertIn("placement.move", self.ask("do").stdout)
        self.assertIn("time_zone", self.ask("do", "site.put").stdout)
        made = self.ask("do", "site.put", "id=van-7", "org=fengjie", "tier=vehicle", "--if-version", "0")
        self.assertEqual(made.stdout, "site van-7 is of version 1\n")
        self.ask("do", "vehicle.plate", "id=van-7", "plate=12345", "--reason", "换牌")
        self.says(self.ask("do", "site.put", "id=van-7", "name=x", "--if-version", "1", status=1), 1,
                  "it is of version 2, not 1")
        self.says(self.ask("do", "site.put", "id=van-7", "nmae=x", status=1), 1, "'nmae' is not known here")
        self.says(self.ask("do", "site.putt", "id=van-7", status=1), 1, "no verb 'site.putt'")
        rows = json.loads(self.ask("audit", "--json").stdout)["audit"]
        self.assertEqual(rows[0]["verb"], "seed")
        plate = next(row for row in rows if row["verb"] == "vehicle.plate")
        self.assertEqual((plate["actor"], plate["reason"], plate["outcome"]), ("first-start", "换牌", "OK"))
        self.assertEqual(plate["changes"][0]["new"]["plates"][0]["plate"], "12345")
        self.assertIn("CONFLICT", [row["outcome"] for row in rows])
        self.assertIn("vehicle.plate", self.ask("audit").stdout)
        self.assertIn("the chain holds", self.ask("audit", "verify", "--last-hash", rows[-1]["hash"]).stdout)
        self.says(self.ask("audit", "verify", "--last-hash", "0" * 64, status=1), 1, "rows were cut off")

    def test_incidents_that_are_not_there(self):
        self.says(self.ask("incidents", "show", "0" * 32, status=1), 1, "no incident", "coldchainctl incidents")
        self.says(self.ask("incidents", "ack", "f" * 32, status=1), 1, "not found")
        self.says(self.ask("incidents", "show", "0123456", status=1), 1, "begins with '0123456'")
        self.says(self.ask("incidents", "show", "room-1", status=1), 1, "not an incident's id")
        self.assertEqual(self.ask("incidents", "--zone", "room-2").stdout, "no incidents\n")

    def test_devices_and_quarantine(self):
        lines = self.ask("devices").stdout.splitlines()
        self.assertTrue(any("fengjie/one" in line and str(COUNT + 3) in line for line in lines), lines)
        self.assertTrue(any("fengjie/unheard" in line for line in lines), lines)
        self.assertIn("\"id\":\"one\"", self.ask("devices", "--json").stdout)
        text = self.ask("quarantine").stdout
        self.assertIn(f"coldchain/v1/fengjie/one/readings/{EPOCH}/{self.world.seq}", text)
        self.assertIn("ever: ", text)
        self.assertEqual(len(json.loads(self.ask("quarantine", "--json").stdout)["quarantine"]), 1)

    def test_whatever_the_api_answers(self):
        self.assertEqual({one["zone"] for one in json.loads(self.ask("get", "placements").stdout)}, {"room-1", "room-2"})
        series = json.loads(self.ask("get", "zones/room-1/series", "from=0", "buckets=3").stdout)["series"]
        self.assertTrue(series and all(len(one["buckets"]) <= 3 for one in series), series)
        self.assertIn("coldchain_", self.ask("get", "/metrics").stdout)
        self.assertTrue(self.ask("get", "openapi.yaml").stdout.startswith("#"), "what is no JSON comes as it is")

    def test_bad_questions_are_told_what_is_right(self):
        for args, status, words in (
                (("incidents", "--state", "opne"), 1, "open, recovering, unknown, closed"),
                (("incidents", "--limit", "0"), 2, "--limit takes 1 to 1000"),
                (("incidents", "shut", "x"), 2, "is not list, show, ack, assign, comment, snooze or close"),
                (("incidents", "show"), 2, "takes one id"),
                (("incidents", "--reason", "x"), 2, "belongs to what is done to one"),
                (("incidents", "--cursor", "x"), 1, "'cursor'"),
                (("readings",), 2, "name one zone"),
                (("readings", "room-1", "--json", "--csv"), 2, "one of --json and --csv"),
                (("readings", "room-1", "--from", "yesterday"), 2, "--from takes a time"),
                (("readings", "fengjie/../one"), 1, "reads in two ways"),
                (("readings", "room-9", "--json"), 1, "there is nothing of that name"),
                (("readings", "..", "--csv"), 1, "nothing at this address"),
                (("zones", "a", "b"), 2, "one zone at most"),
                (("get",), 2, "say which path"),
                (("get", "placements", "x"), 2, "'x' is not NAME=VALUE"),
                (("get", "nothing"), 1, "nothing at this address"),
                (("get", "incidents", "state=opne"), 1, "open, recovering, unknown, closed"),
                (("zones", "--jsno"), 2, "no option '--jsno'"),
                (("devices", "x"), 2, "nothing is expected")):
            with self.subTest(args=args):
                self.says(self.ask(*args, status=status), status, words)


class Chinese(Case):
    """Under --lang zh people read no English but names, options and commands."""
    NAMES = ("fengjie", "one", "logger-zh", "unheard", "room-1", "room-2", "store", "warm", "air_temperature", "humidity", "Cel", "RH",
             "first-start", "seed", "coldchainctl", "coldchain-collector", "sites", "API", "UTF-8", "COLDCHAIN_API", "ID",
             "COLDCHAIN_TOKEN_FILE", "FILE", "CSV", "JSON", "yes", "no", "unknown", "GB/T", "Asia/Shanghai", "api.token",
             "data_dir", "SQLite", "PEM", "MKT")

    def read(self, *args, status=0, has_api=True):
        where = ("--api", self.world.collector.url, "--token-file", self.world.token_file) if has_api else ()
        done = run("--lang", "zh", *args, *where)
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        return done.stdout + done.stderr

    def check(self, text, *names):
        """Words of Latin letters that are nobody's name."""
        self.assertRegex(text, "[\u4e00-\u9fff]")
        for name in (*names, self.world.folder, self.world.collector.url, *self.NAMES):
            text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", "", text)
        text = re.sub(r"“[^”]*”|--[a-z-]+( [A-Z.]+)?|\b[0-9a-f]{12,}\b|coldchain/v1/\S*|/\S*|\d+\.\d+\.\d+\S*|（[ -~]*）", "", text)
        text = re.sub(r"\b\d{4}-\d\d-\d\d[T ][\d:.]+Z|\w+\.[a-z]+\b", "", text)
        self.assertEqual(re.findall(r"[A-Za-z]{2,}", text), [], text)

    def test_the_tables_and_facts_of_the_main_commands(self):
        for args in (("status",), ("zones",), ("zones", "room-1"), ("devices",), ("incidents",), ("incidents", "--zone", "room-2"),
                     ("readings", "room-1", "--limit", "3"), ("readings", "room-1", "--from", TOMORROW),
                     ("audit", "verify")):
            with self.subTest(args=args):
                self.check(self.read(*args))
        # What a parser, a command or a verb says of itself stays as it was written down.
        self.assertIn("无法读取", self.read("quarantine"))
        for args in (("quarantine",), ("audit",), ("do",), ("do", "site.put")):
            with self.subTest(args=args):
                self.assertNotRegex(self.read(*args).split("\n\n")[-1].splitlines()[0], "[A-Za-z]")
        self.assertIn("就绪         是", self.read("status"))

    def test_an_incident_and_what_became_of_it(self):
        one = json.loads(self.ask("incidents", "--json").stdout)["incidents"][0]["id"]
        self.check(self.read("incidents", "show", one[:8]))
        self.check(self.read("incidents", "show", "0" * 32, status=1), "incidents")

    def test_refusals_say_in_chinese_what_to_do(self):
        gone = os.path.join(self.world.folder, "gone")
        for args, status in ((("zones", "room-9"), 1), (("readings", "room-9"), 1), (("zones", "--limt"), 2), (("zones", "a", "b"), 2),
                             (("incidents", "--limit", "0"), 2), (("incidents", "show"), 2), (("audit", "x"), 2),
                             (("do", "site.putt", "id=x"), 1), (("readings", "room-1", "--from", "x"), 2),
                             (("readings", "room-1", "--json", "--csv", "--lang", "zh"), 2),
                             (("import", "x.csv"), 2), (("import", gone, "--device", "a/b", "--columns", "time=t,air_temperature=v"), 1)):
            with self.subTest(args=args):
                text = self.read(*args, status=status)
                if "--json" not in args:
                    self.check(text, "list", "verify", *args)
        for args, status in ((("zone",), 2), (("nothing",), 2), (("restore", gone, gone + "-to"), 1), (("backup", "verify", gone), 1),
                             (("journal", "verify", gone), 1), (("journal", "infos", gone), 2), (("journal",), 2),
                             (("zones", "--api", "http://127.0.0.1:1"), 1), (("zones", "--api", "x"), 1)):
            with self.subTest(args=args):
                self.check(self.read(*args, status=status, has_api=False), "info", "verify", "cat", "repair",
                           "http://127.0.0.1:8480", *args)

    def test_a_journal_a_backup_and_its_restoration(self):
        self.check(self.read("journal", "info", self.world.journal, has_api=False))
        self.check(self.read("journal", "verify", self.world.journal, has_api=False))
        backup, data = os.path.join(self.world.folder, "zh.tar"), os.path.join(self.world.folder, "zh-data")
        self.check(self.read("backup", backup))
        self.check(self.read("backup", "verify", backup, has_api=False))
        self.check(self.read("restore", backup, data, has_api=False))

    def test_a_file_is_imported_and_placed(self):
        path = os.path.join(self.world.folder, "zh.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write("Time,Temp\n2026-11-20 00:00:00,4\n2026-11-20 00:01:00,warm\n")
        args = ("import", path, "--device", "fengjie/logger-zh", "--columns", "time=Time@+08:00,air_temperature=Temp", "--zone", "room-2")
        self.assertIn("未导入：请改正，或用 --partial 略去这样的行", self.read(*args, status=1))
        for _ in range(2):
            said = self.read(*args, "--partial")
            self.check("\n".join(line for line in said.splitlines() if not line.startswith("略去")))
            self.assertIn("略去         1 行；第一处：", said)

    def test_the_list_of_commands(self):
        text = run("--lang", "zh", "--help").stdout
        for line in text.splitlines():
            if line.startswith("  "):
                self.assertRegex(line, "[\u4e00-\u9fff]")
        self.assertTrue(run("--lang", "zh", "zones", "--help").stdout.startswith("各库区每个通道"))

    def test_what_is_for_programs_is_the_same_in_both(self):
        for args in (("zones", "room-2"), ("incidents",), ("audit",), ("do",), ("quarantine",)):
            with self.subTest(args=args):
                both = (self.read(*args, "--json"), self.ask("--lang", "en", *args, "--json").stdout)
                self.assertEqual(*(re.sub(r'"age_ms":\d+', "", text) for text in both))
        self.assertEqual(self.read("readings", "room-1", "--csv", "--from", "0"),
                         self.ask("readings", "room-1", "--csv", "--from", "0").stdout)


class Terminals(Case):
    def shown(self, *args, columns=80, term="xterm", stdout=None, has_api=True, **env):
        """What a command writes to a terminal of so many columns."""
        ours, theirs = pty.openpty()
        where = ("--api", self.world.collector.url, "--token-file", self.world.token_file) if has_api else ()
        done = subprocess.Popen([PROGRAM, *args, *where], stdout=stdout or theirs, stderr=theirs, stdin=subprocess.DEVNULL,
                                env={**os.environ, "COLDCHAIN_LANG": "zh", "COLUMNS": str(columns), "TERM": term, **env})
        os.close(theirs)
        text = b""
        try:
            while piece := os.read(ours, 65536):
                text += piece
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        self.assertEqual(done.wait(60), 0, text)
        return text.decode()

    @staticmethod
    def width(line):
        return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)

    def test_what_was_measured_around_an_incident_is_drawn(self):
        one = json.loads(self.ask("incidents", "--json").stdout)["incidents"][0]
        show = ("incidents", "show", one["id"])
        for locale, line, axis, mark in (("C.UTF-8", "┼", "└", "▲"), ("C", "+", "+", "^")):
            with self.subTest(locale=locale):
                text = self.shown(*show, columns=70, LC_ALL=locale, COLDCHAIN_LANG="en", NO_COLOR="1")
                self.assertIn(f"air_temperature in °C, {mark} its beginning, limit 8\r\n", text)
                lines = text.splitlines()
                limit = next(i for i, row in enumerate(lines) if row.startswith(f"    8.0 {line}"))
                end = next(i for i, row in enumerate(lines) if i > limit and row.startswith(f"        {axis}"))
                self.assertEqual([self.width(lines[limit]), self.width(lines[end + 1])], [69, 69])
                self.assertIn(mark, lines[end])
                column = lines[end].index(mark)
                self.assertNotIn(lines[limit - 1][column], " -")  # 9.5 stands above the line where it begins
                self.assertEqual(lines[limit - 1][9:column].strip(), "")
                self.assertRegex(lines[end + 1], r"^ {9}\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$")
        self.assertNotIn("+---", self.ask(*show).stdout)  # a file or a pipe has no picture
        self.assertNotIn("│", self.ask(*show).stdout)
        self.assertEqual(json.loads(self.shown(*show, "--json")), json.loads(self.ask(*show, "--json").stdout))
        self.assertNotIn("▲", self.shown(*show, columns=40, LC_ALL="C.UTF-8"))  # no room for one

    def test_tables_keep_to_the_terminal(self):
        for args, columns in ((("zones",), 80), (("zones",), 70), (("incidents",), 100), (("devices",), 80), (("quarantine",), 60),
                              (("readings", "room-1", "--limit", "3"), 60), (("do",), 40), (("do", "site.put"), 60), (("audit",), 60)):
            with self.subTest(args=args, columns=columns):
                lines = self.shown(*args, columns=columns, NO_COLOR="1").splitlines()
                self.assertGreater(len(lines), 1)
                self.assertLessEqual(max(map(self.width, lines)), columns, lines)

    def test_what_is_no_terminal_gets_all(self):
        self.assertNotIn("…", run("zones", "--api", self.world.collector.url, "--token-file", self.world.token_file,
                                  env={"COLUMNS": "40"}).stdout)
        self.assertIn("…", self.shown("zones", columns=60))

    def test_long_work_says_how_far_it_is_and_leaves_a_clean_line(self):
        backup = os.path.join(self.world.folder, "progress.tar")
        logger = os.path.join(self.world.folder, "progress.csv")
        with open(logger, "w", encoding="utf-8") as file:
            file.write("Time,Temp\n" + "".join(f"{1795104000 + i},4\n" for i in range(2000)))
        for args, label, has_api in (
                (("readings", "room-1", "--from", "0", "--csv"), "导出", True), (("journal", "verify", self.world.journal), "校验", False),
                (("backup", backup), "备份", True), (("restore", backup, backup + ".d"), "恢复", False),
                (("import", logger, "--device", "fengjie/bar", "--columns", "time=Time@s,air_temperature=Temp"), "导入", True)):
            with self.subTest(args=args):
                with tempfile.TemporaryFile() as out:
                    text = self.shown(*args, stdout=out, has_api=has_api)
                    self.assertIn(f"\r\033[K{label}  ", text)
                    self.assertTrue(text.endswith("\r\033[K"), text)
                    out.seek(0)
                    self.assertNotIn(b"\033", out.read())
        with tempfile.TemporaryFile() as out:
            self.assertEqual(self.shown("readings", "room-1", "--from", "0", "--csv", stdout=out, term="dumb"), "")

    def test_alarms_are_red_unless_nobody_wants_colour(self):
        red = "\033[1;31m偏高\033[0m"
        self.assertIn(red, self.shown("zones"))
        self.assertIn(red, self.shown("zones", NO_COLOR=""))
        for more in ({"NO_COLOR": "1"}, {"term": "dumb"}, {"term": ""}):
            with self.subTest(more=more):
                self.assertNotIn("\033", self.shown("zones", **more))
        self.assertNotIn("\033", self.shown("zones", "--no-color"))


class Doors(Case):
    def test_not_reachable_says_where_it_looked(self):
        url = f"http://127.0.0.1:{free_port()}"
        self.says(run("zones", "--api", url), 1, url, "not reachable", "COLDCHAIN_API")
        self.says(run("status", env={"COLDCHAIN_API": url}), 1, url, "not reachable")

    def test_tokens_missing_wrong_and_broken(self):
        url, none = self.world.collector.url, {"COLDCHAIN_TOKEN_FILE": ""}
        if not os.path.exists("/var/lib/coldchain/collector/api.token"):
            self.says(run("zones", "--api", url, env=none), 1, "wants a token", "--token-file")
        path = os.path.join(self.world.folder, "token")
        for text, words in (("not-the-token\n", "does not know this token"), ("", "does not hold a token"),
                            ("two words\n", "does not hold a token"), ("a\nb\n", "does not hold a token")):
            with self.subTest(text=text):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                self.says(run("zones", "--api", url, "--token-file", path), 1, words)
        self.says(run("zones", "--api", url, "--token-file", path + ".absent"), 1, "token.absent")

    def test_the_environment_serves_for_the_options(self):
        done = run("zones", env={"COLDCHAIN_API": self.world.collector.url + "/",
                                 "COLDCHAIN_TOKEN_FILE": self.world.token_file})
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_is_no_collector_is_told_from_one(self):
        self.says(run("zones", "--api", "localhost:8480"), 1, "is not the URL of an API")
        self.says(run("zones", "--api", f"http://127.0.0.1:{self.world.broker.port}"), 1, "127.0.0.1")


class Journal(Case):
    def copy(self):
        """The journal as it is on disk at some moment of the daemon's work."""
        to = os.path.join(tempfile.mkdtemp(dir=self.world.folder), "journal")
        shutil.copytree(self.world.journal, to)
        return to

    def journal(self, *args, status=0):
        done = run("journal", *args)
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        return done

    @staticmethod
    def flip(folder, word):
        """One bit of the first place of that word; False when it is nowhere."""
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if not name.startswith("segment-"):
                continue
            with open(path, "r+b") as file:
                at = file.read().find(word)
                if at >= 0:
                    file.seek(at)
                    file.write(bytes([word[0] ^ 1]))
                    return True
        return False

    def test_info_and_verify_beside_a_running_daemon(self):
        text = self.journal("info", self.world.journal).stdout
        self.assertIn("sound        yes", text)
        self.assertIn("SEGMENT", text)
        answer = json.loads(self.journal("verify", self.copy(), "--json").stdout)
        self.assertIs(answer["sound"], True)
        self.assertGreaterEqual(answer["records"], self.world.seq)

    def test_cat_tells_the_kinds_apart(self):
        lines = [json.loads(line) for line in self.journal("cat", self.copy(), "--json").stdout.splitlines()]
        kinds = {line["kind"] for line in lines}
        self.assertLessEqual({"message", "start", "config", "tick"}, kinds)
        self.assertNotIn("unknown", kinds)
        one = next(line for line in lines if line["kind"] == "message")
        self.assertEqual(one["topic"], f"coldchain/v1/fengjie/one/readings/{EPOCH}/1")
        self.assertEqual(one["payload"][0]["n"], "air_temperature")
        positions = [line["position"] for line in lines]
        self.assertEqual(positions, sorted(positions))
        text = self.journal("cat", self.copy(), "--kind", "message", "--limit", "2").stdout.splitlines()
        self.assertEqual(len(text), 2)
        rest = self.journal("cat", self.copy(), "--kind", "message", "--from", text[1].split()[0]).stdout
        self.assertEqual(rest.splitlines()[0], text[1])

    def test_a_flipped_bit_is_found_and_repair_records_the_loss(self):
        folder = self.copy()
        self.assertTrue(self.flip(folder, b"air_temperature"))
        done = self.journal("verify", folder, status=1)
        self.assertIn("sound        NO", done.stdout)
        self.assertIn("journal repair", done.stdout)
        repaired = json.loads(self.journal("repair", folder, "--json").stdout)
        self.assertGreaterEqual(repaired["losses_appended"], 1)
        self.assertIn(" loss ", self.journal("cat", folder, "--kind", "loss").stdout)
        again = json.loads(self.journal("repair", folder, "--json").stdout)
        self.assertEqual(again["losses_appended"], 0)

    def test_bad_folders_and_words(self):
        self.says(self.journal("repair", self.world.journal, status=1), 1, "stop it first")
        empty = tempfile.mkdtemp(dir=self.world.folder)
        for verb in ("info", "verify", "cat", "repair"):
            with self.subTest(verb=verb):
                self.says(self.journal(verb, empty, status=1), 1, empty)
                self.assertEqual(os.listdir(empty), [])
        self.says(self.journal("infos", empty, status=2), 2, "is not info, verify, cat or repair")
        self.says(self.journal("cat", empty, "--from", "x", status=2), 2, "--from takes a position")
        self.says(self.journal("info", status=2), 2, "the journal's folder")


class BrokerFiles(Case):
    def test_the_rules_are_those_of_the_document(self):
        rules = [line for line in run("broker", "acl", "--collector", "it").stdout.splitlines()
                 if line and not line.startswith("#")]
        self.assertEqual(rules[0], "user it")
        with open(os.path.join(SOURCE, "docs", "wire.md"), encoding="utf-8") as file:
            wanted = [line.strip() for line in file if line.strip().startswith(("topic ", "pattern "))]
        self.assertEqual(rules[1:], wanted)

    def test_mosquitto_takes_what_is_printed(self):
        folder = tempfile.mkdtemp(dir=self.world.folder)
        port = free_port()
        text = run("broker", "config", "--port", str(port), "--dir", folder).stdout
        text = text.replace("#persistence_location /var/lib/mosquitto", f"persistence_location {folder}")
        path = os.path.join(folder, "mosquitto.conf")
        for name, content in (("mosquitto.conf", text + "user root\n"), ("passwords", ""),
                              ("acl", run("broker", "acl").stdout)):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(content)
            os.chmod(os.path.join(folder, name), 0o600)
        broker = subprocess.Popen(["/usr/sbin/mosquitto", "-c", path], stderr=subprocess.PIPE, text=True)
        try:
            from house.process import is_listening
            wait_for(lambda: is_listening(port) or broker.poll() is not None, 30, "mosquitto listens")
            self.assertIsNone(broker.poll(), broker.stderr.read() if broker.poll() is not None else "")
            with self.assertRaises(PermissionError):
                Client(port)
        finally:
            broker.terminate()
            broker.communicate(timeout=10)

    def test_tls_options_belong_together(self):
        self.says(run("broker", "config", "--cert-file", "a"), 2, "belong together")
        text = run("broker", "config", "--cert-file", "a.crt", "--key-file", "a.key").stdout
        for line in ("listener 8883 127.0.0.1", "certfile a.crt", "keyfile a.key", "allow_anonymous false"):
            self.assertIn(line, text.splitlines())


class Backtest(Case):
    def test_it_says_of_the_history_what_the_collector_has_said(self):
        exported = os.path.join(self.world.folder, "rules.yaml")
        self.ask("config", "export", exported)
        result = json.loads(self.ask("backtest", "--rules", exported, "--since", "1d", "--json").stdout)
        self.assertEqual(result["readings"], COUNT + 3)
        self.assertEqual((result["band"], [rule["id"] for rule in result["rules"]]), (True, ["warm"]))
        told = json.loads(self.ask("incidents", "--json").stdout)["incidents"]
        warm = next(one for one in told if one["rule"] == "warm")
        fired = result["firings"][0]
        self.assertEqual([fired[key] for key in ("id", "device", "channel", "state", "worst")],
                         [warm[key] for key in ("id", "device", "channel", "state", "worst")])
        said = self.ask("backtest", "--rules", exported, "--zone", "room-1", "--as-arrived").stdout
        self.assertIn("1 rules over 12003 readings of 2 channels", said)
        done = run("backtest", "--rules", exported, "--zone", "room-9", "--api", self.world.collector.url)
        self.says(done, 1, "has no rule for zone 'room-9'")


class Import(Case):
    COLUMNS = "time=Time@+08:00,air_temperature=Temp@C,humidity=RH@%"

    def write(self, name, text):
        path = os.path.join(self.world.folder, name)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return path

    def take(self, path, device, *more, status=0):
        return self.ask("import", path, "--device", f"fengjie/{device}", "--columns", self.COLUMNS, *more, status=status)

    def stored(self, device, channel):
        rows = self.world.collector.readings(device, channel)
        return [(time, value) for time, value, *_ in rows]

    @staticmethod
    def rows(count, decimal=".", separator=",", end="\n"):
        lines = [separator.join(("Time", "Temp", "RH"))]
        lines += [separator.join((f"2026-11-20 {i // 60:02d}:{i % 60:02d}:00", f"{4 + i % 7 / 10:.1f}".replace(".", decimal), "90"))
                  for i in range(count)]
        return end.join(lines) + end

    def test_a_file_is_taken_once_whatever_its_dialect(self):
        first = 1795104000000  # 2026-11-20 00:00 at +08:00
        want = [(first + i * 60000, float(f"{4 + i % 7 / 10:.1f}")) for i in range(1000)]
        dialects = {"plain": self.rows(1000).encode(), "bom": b"\xef\xbb\xbf" + self.rows(1000, end="\r\n").encode(),
                    "commas": self.rows(1000, ",", ";").encode(), "utf16": self.rows(1000, ",", ";").encode("utf-16")}
        for name, text in dialects.items():
            with self.subTest(dialect=name):
                path = self.write(name + ".csv", text)
                report = json.loads(self.take(path, "logger-" + name, "--json").stdout)
                self.assertEqual((report["new"], report["rows"], report["readings"]), (True, 1000, 2000))
                wait_for(lambda name=name: len(self.stored("logger-" + name, "air_temperature")) == 1000, 30, "all is stored")
                self.assertTrue(self.stored("logger-" + name, "air_temperature") == want, "values and times are those of the file")
                again = json.loads(self.take(path, "logger-" + name, "--json").stdout)
                self.assertEqual((again["new"], again["epoch"]), (False, report["epoch"]))
                self.assertIn("imported before", self.take(path, "logger-" + name).stdout)
                self.assertEqual(len(self.stored("logger-" + name, "air_temperature")), 1000)

    def test_a_half_written_file_is_refused_whole_with_its_line(self):
        whole = self.rows(50)
        cases = {"cut-number": (whole[:-4], "line 51 has no end"), "cut-row": (whole[:-12], "line 51 has no end"),
                 "bad-row": (whole.replace("4.3", "warm", 1), "line 5"),
                 "bad-time": (whole.replace("00:07", "0x:07", 1), "line 9")}
        for name, (text, words) in cases.items():
            with self.subTest(name=name):
                path = self.write(name + ".csv", text)
                done = self.take(path, "half-" + name, status=1)
                self.assertIn(words, done.stderr)
                self.assertIn("nothing was imported", done.stderr)
                self.assertEqual(self.stored("half-" + name, "air_temperature"), [])
                report = json.loads(self.take(path, "half-" + name, "--partial", "--json").stdout)
                self.assertEqual(report["left_out"], 1)
                self.assertIn(words, report["first_refusal"])
                self.assertEqual(report["rows"], 49)
        path = self.write("no-end.csv", whole[:-1])
        self.assertEqual(json.loads(self.take(path, "no-end", "--whole", "--json").stdout)["rows"], 50)

    def test_what_is_no_logger_file(self):
        for name, text, words in (("empty.csv", "", "no rows"), ("binary.csv", b"\x00\x01\xff", "UTF-8"),
                                  ("other.csv", "a,b\n1,2\n", "Time"), ("no-rows.csv", "Time,Temp,RH\n", "no row")):
            with self.subTest(name=name):
                self.assertIn(words, self.take(self.write(name, text), "none", status=1).stderr)

    def test_where_it_is_placed_is_said(self):
        self.assertIn("placed       nowhere", self.take(self.write("p.csv", self.rows(3)), "placeless").stdout)

    def placements(self, device):
        return [(one["zone"], one["from"], one["to"]) for one in json.loads(self.world.collector.open("/api/v1/placements"))
                if one["device"] == device]

    def in_zone(self, zone, device):
        rows = json.loads(self.ask("readings", zone, "--from", "2026-11-19T00:00:00Z", "--to", "2026-11-21T00:00:00Z",
                                   "--channel", "air_temperature", "--json").stdout)
        return len([row for row in rows if row["device"].endswith(device)])

    def test_a_zone_gets_the_readings_of_the_file_once_and_late(self):
        path, start = self.write("placed.csv", self.rows(60)), "2026-11-19T16:00:00.000Z"
        said = self.take(path, "placed", "--zone", "room-2").stdout
        self.assertIn("imported\n", said)
        self.assertIn("placed       in room-2 for the time of the file, late", said)
        placed = [("room-2", start, "2026-11-19T16:59:00.001Z")]
        self.assertEqual(self.placements("placed"), placed)
        wait_for(lambda: self.in_zone("room-2", "placed") == 60, 30, "the readings are the zone's")
        again = self.take(path, "placed", "--zone", "room-2").stdout
        self.assertIn("imported before, nothing was changed", again)
        self.assertIn("placed       in room-2, as before", again)
        self.assertEqual(self.placements("placed"), placed)
        longer = self.write("placed-longer.csv", self.rows(90))
        self.assertIs(json.loads(self.take(longer, "placed", "--zone", "room-2", "--json").stdout)["placed_now"], True)
        self.assertEqual(sorted(self.placements("placed")), placed + [("room-2", placed[0][2], "2026-11-19T17:29:00.001Z")])
        rows = [row for row in json.loads(self.ask("audit", "--limit", "1000", "--json").stdout)["audit"]
                if row["verb"] == "placement.put" and row["body"].get("device") == "placed"]
        self.assertEqual([row["outcome"] for row in rows], ["OK", "OK"])
        self.assertTrue(all(row["reason"].startswith("late: ") for row in rows), rows)

    def test_a_file_that_was_imported_is_placed_afterwards(self):
        path = self.write("afterwards.csv", self.rows(10))
        self.assertIn("nowhere", self.take(path, "afterwards").stdout)
        self.assertIn("imported before, placed now", self.take(path, "afterwards", "--zone", "room-2").stdout)
        wait_for(lambda: self.in_zone("room-2", "afterwards") == 10, 30, "the readings are the zone's")

    def test_time_in_another_zone_is_refused_before_anything_is_imported(self):
        path = self.write("elsewhere.csv", self.rows(60))
        self.ask("do", "placement.put", "device=elsewhere", "zone=room-1", "from=2026-11-19T16:30:00Z", "to=2026-11-19T18:00:00Z")
        done = self.take(path, "elsewhere", "--zone", "room-2", status=1)
        for words in ("measures zone 'room-1' from 2026-11-19 16:30:00Z to 2026-11-19 18:00:00Z", "nothing was imported",
                      "placement.correct"):
            self.assertIn(words, done.stderr)
        self.assertEqual(self.stored("elsewhere", "air_temperature"), [])
        self.assertEqual(len(self.placements("elsewhere")), 1)
        self.assertIn("there is no zone", self.take(path, "zoneless", "--zone", "room-9", status=1).stderr.lower())
        self.assertEqual(self.stored("zoneless", "air_temperature"), [])

    def test_a_recorded_file(self):
        shared = os.environ.get("COLDCHAIN_SHARED", os.path.join(SOURCE, "..", "shared"))
        path = os.path.join(shared, "datasets", "freezer_celsi", "CELSI-raw-data-reports.csv")
        if not os.path.exists(path):
            self.skipTest(f"{path} is absent (set COLDCHAIN_SHARED)")
        done = self.ask("import", path, "--device", "fengjie/celsi", "--json", "--whole", "--columns",
                        "time=ISOdateTime,air_temperature=Temperature,humidity=Humidity")
        report = json.loads(done.stdout)
        self.assertEqual(report["left_out"], 0)
        wait_for(lambda: self.world.collector.count("celsi", "air_temperature") == report["rows"], 60, "all is stored")


def document():
    """docs/coldchainctl.md: what the program says of itself."""
    def block(text):
        return "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines())
    listing = run("--help").stdout
    names = [line.split()[0] for line in listing.splitlines() if line.startswith("  ")]
    text = ("# coldchainctl\n\nThe command line for people and scripts. This page is what the program says of "
            "itself\n(`tests/cli/ctl_cli_test.py` holds it); the API that most commands ask is in "
            "[api.md](api.md), the\nmodel behind `freshness` in [freshness.md](freshness.md).\n\n"
            "Results go to stdout, everything else to stderr. `--json` is for scripts: members may be added,\n"
            "none changes its meaning. What people read is in Chinese or English (`--lang`, else the locale);\n"
            "`--json` and CSV are the same in both.\n\n" + block(listing))
    return text + "".join(f"\n## coldchainctl {name}\n\n{block(run(name, '--help').stdout)}" for name in names)


class Documents(unittest.TestCase):
    def test_the_page_is_what_the_program_says(self):
        with open(os.path.join(SOURCE, "docs", "coldchainctl.md"), encoding="utf-8") as file:
            self.assertEqual(file.read(), document(), "write it anew: ctl_cli_test.py ... --document")

    def test_every_route_and_parameter_is_in_the_document(self):
        with open(os.path.join(SOURCE, "collector", "api", "routes.c"), encoding="utf-8") as file:
            table = file.read().split("api_routes[] = {")[1]
        with open(os.path.join(SOURCE, "docs", "api.md"), encoding="utf-8") as file:
            text = file.read()
        routes = re.findall(r'ROUTE\("(GET|POST|PUT|DELETE)",\s*"([^"]+)",\s*[A-Z_| ]+,\s*\w+,\s*\w+,\s*(?:"([^"]*)"|\w+_PARAMS)', table)
        self.assertGreaterEqual(len(routes), 15)
        for method, pattern, params in routes:
            heading = re.escape(f"### {method} {pattern}").replace(r"\*", "[A-Z]+")
            with self.subTest(pattern=pattern):
                section = re.search(f"^{heading}\n(.*?)(?=^##|\Z)", text, re.M | re.S)
                self.assertIsNotNone(section, "it is not in docs/api.md")
                for param in params.split():
                    self.assertIn(f"`{param}`", section.group(1) + "`after` `limit`" * (pattern.endswith("outbox")))


class Help(Case):
    def test_every_command_has_help_with_examples_and_statuses(self):
        listed = [line.split()[0] for line in run("--help").stdout.splitlines() if line.startswith("  ")]
        self.assertLessEqual({"zones", "readings", "incidents", "devices", "quarantine", "status", "journal"},
                             set(listed))
        for name in listed:
            with self.subTest(name=name):
                text = run(name, "--help").stdout
                self.assertIn("examples:", text)
                self.assertIn("exit status:", text)
                self.assertLessEqual(max(map(len, text.splitlines())), 90)

    def test_help_is_given_wherever_it_is_asked_for(self):
        text = run("incidents", "--help").stdout
        for words in (("incidents", "close", "--help"), ("incidents", "close", "0123456789", "-h"),
                      ("incidents", "--json", "--help"), ("help", "incidents")):
            with self.subTest(words=words):
                done = run(*words)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, text, ""))
        self.assertNotEqual(run("incidents", "show", "--", "--help").returncode, 0)


if __name__ == "__main__":
    if sys.argv[4:] == ["--document"]:
        sys.stdout.write(document())
        raise SystemExit(0)
    WORLD = World()
    try:
        WORLD.start()
        WORLD.fill()
        result = unittest.main(argv=sys.argv[:1], exit=False, verbosity=1).result
    finally:
        WORLD.close()
    raise SystemExit(0 if result.wasSuccessful() else 1)
