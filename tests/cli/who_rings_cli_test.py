#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`coldchainctl who-rings`: who would be told when, by a configuration alone; no daemon runs.

usage: who_rings_cli_test.py COLDCHAINCTL
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv.pop(1))
NIGHT = "2026-11-27T03:00:00+08:00"
HEAD = """\
data_dir: data
org: o
mqtt:
  uri: mqtt://127.0.0.1:1
sites:
  - id: fengjie
    zones: [{id: room-1}, {id: room-2}, {id: room-3}]
  - id: hamburg
    time_zone: Europe/Berlin
    zones: [{id: kuehlraum}]
webhooks:
  - {name: chat, url: "http://127.0.0.1:9/"}
channels:
  - {name: siren, kind: command, command: [/bin/true]}
"""
ESCALATION = """\
escalation:
  time_zone: Asia/Shanghai
  contacts:
    - id: li
      quiet: ["22:00-07:00"]
      addresses: [{channel: chat}, {channel: siren}]
    - id: wang
      addresses: [{channel: chat}]
  duties:
    - id: day
      shifts:
        - {contact: li, hours: ["08:00-24:00", "00:00-06:00"]}
        - {contact: wang, hours: ["06:00-08:00"]}
    - id: office
      shifts: [{contact: wang, hours: ["mon-fri 08:00-18:00"]}]
  policies:
    - id: rooms
      zones: [room-1, kuehlraum]
      steps:
        - {duty: day, repeat: 30m, most: 2}
        - {duty: day, after: 2h}
    - id: offices
      zones: [room-2]
      steps: [{duty: office}]
      last_resort: day
"""


class WhoRings(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="coldchain-who-")
        self.addCleanup(self.folder.cleanup)
        self.config = os.path.join(self.folder.name, "collector.yaml")
        self.write(HEAD + ESCALATION)

    def write(self, text):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    def ask(self, *args, status=0, lang="en"):
        done = subprocess.run([PROGRAM, "--lang", lang, "who-rings", "--config", self.config, *args], check=False,
                              capture_output=True, encoding="utf-8", timeout=60,
                              env={**os.environ, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"})
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        return done

    def rows(self, *args):
        """Those of the table, as lists of words; and what stands above it."""
        lines = self.ask(*args).stdout.splitlines()
        at = next(i for i, line in enumerate(lines) if "STEP" in line)
        return [line.split() for line in lines[at + 1:]], lines[:at]

    def told(self, *args):
        return json.loads(self.ask(*args, "--json").stdout)

    def test_what_is_critical_rings_at_night_and_is_told_in_the_sites_time(self):
        rows, above = self.rows("--zone", "room-1", "--at", NIGHT)
        self.assertEqual(above, ["policy: rooms", "times: Asia/Shanghai, UTC+8"])
        self.assertEqual([row[:7] for row in rows], [
            ["1", "1", "2026-11-27", "03:00", "0", "li", "siren"],
            ["1", "2", "2026-11-27", "03:30", "30", "li", "siren"],
            ["2", "1", "2026-11-27", "05:00", "120", "li", "siren"],
            ["1", "1", "2026-11-27", "06:00", "180", "wang", "chat"],
            ["2", "1", "2026-11-27", "06:00", "180", "wang", "chat"],
            ["1", "2", "2026-11-27", "06:30", "210", "wang", "chat"]])
        self.assertEqual(" ".join(rows[0][7:]), "rings in quiet hours")

    def test_a_warning_waits_for_the_morning_of_its_site(self):
        for zone, at, first in (("room-1", NIGHT, ["2026-11-27", "06:00", "180", "wang"]),
                                ("kuehlraum", NIGHT, ["2026-11-26", "20:00", "0", "li"]),
                                ("kuehlraum", "2026-11-26T23:00:00+01:00", ["2026-11-27", "06:00", "420", "wang"]),
                                ("kuehlraum", "2026-07-26T23:00:00+02:00", ["2026-07-27", "06:00", "420", "wang"]),
                                ("kuehlraum", "2026-03-28T23:00:00+01:00", ["2026-03-29", "06:00", "UTC+2", "360", "wang"])):
            with self.subTest(zone=zone, at=at):
                rows, above = self.rows("--zone", zone, "--at", at, "--severity", "warning")
                self.assertEqual(rows[0][2:2 + len(first)], first)
                self.assertIn("Asia/Shanghai" if zone == "room-1" else "Europe/Berlin", above[-1])

    def test_a_day_on_which_clocks_change_says_so(self):
        rows, above = self.rows("--zone", "kuehlraum", "--at", "2026-03-29T01:30:00+01:00")
        self.assertEqual(above[-1], "times: Europe/Berlin, UTC+1")
        self.assertEqual(rows[0][2:5], ["2026-03-29", "01:30", "0"])
        self.assertEqual(rows[1][2:6], ["2026-03-29", "03:00", "UTC+2", "30"])  # half an hour later
        self.assertEqual(rows[2][2:5], ["2026-03-29", "04:30", "120"])

    def test_programs_get_utc_and_the_zone_of_time(self):
        told = self.told("--zone", "kuehlraum", "--at", "2026-11-26T20:00:00Z")
        self.assertEqual((told["policy"], told["time_zone"]), ("rooms", "Europe/Berlin"))
        self.assertEqual([(one["at"], one["contact"], one["channel"]) for one in told["told"]][:2],
                         [("2026-11-26T20:00:00.000Z", "li", "chat"), ("2026-11-26T20:30:00.000Z", "li", "chat")])

    def test_a_gap_goes_to_the_last_resort_and_is_warned_of(self):
        told = self.told("--zone", "room-2", "--at", "2026-11-28T10:00:00+08:00")  # a Saturday
        self.assertTrue(told["told"][0]["last_resort"])
        self.assertEqual(told["told"][0]["contact"], "li")
        self.assertIn("nobody has the duty 'office' at 2026-11-28 10:00 UTC+8", told["warnings"])
        self.assertIn("nobody has the duty 'office'", self.ask("--zone", "room-2", "--at", NIGHT).stderr)

    def test_what_no_policy_is_for_goes_to_every_channel(self):
        for args in (("--zone", "room-3"), ()):
            with self.subTest(args=args):
                self.assertIn("no policy is for it", self.ask(*args, "--at", NIGHT).stdout)
                told = self.told(*args, "--at", NIGHT)
                self.assertEqual(sorted(one["channel"] for one in told["told"]), ["chat", "siren"])

    def test_programs_that_no_contact_names_are_told_of_everything_at_once(self):
        self.write(HEAD + "  - {name: desk, kind: alertmanager, url: 'http://127.0.0.1:9/'}\n" + ESCALATION)
        for severity, then in (("critical", ["1", "1", "2026-11-27", "03:00", "0", "li", "siren"]),
                               ("warning", ["1", "1", "2026-11-27", "06:00", "180", "wang", "chat"])):
            with self.subTest(severity=severity):
                rows, _ = self.rows("--zone", "room-1", "--at", NIGHT, "--severity", severity)
                self.assertEqual(" ".join(rows[0]),
                                 "- - 2026-11-27 03:00 0 - desk a program: told of everything at once")
                self.assertEqual(rows[1][:7], then)
                self.assertEqual([row for row in rows if "desk" in row], rows[:1])
        told = self.told("--zone", "room-1", "--at", NIGHT)["told"]
        self.assertEqual([(one["channel"], one["step"]) for one in told if one["program"]], [("desk", 0)])
        alone = self.told("--zone", "room-3", "--at", NIGHT)["told"]
        self.assertEqual([one["channel"] for one in alone if not one["program"]], ["chat", "siren", "desk"])

    def test_a_channel_for_people_that_no_contact_names_is_warned_of(self):
        text = HEAD + "  - {name: group, kind: wecom, token: t}\n" + ESCALATION
        self.write(text)
        line = text.splitlines().index("  - {name: group, kind: wecom, token: t}") + 1
        said = self.ask("--zone", "room-1", "--at", NIGHT).stderr
        self.assertIn(f"collector.yaml:{line}: no contact has an address on channel 'group'", said)
        self.assertEqual(said.count("no contact has an address"), 1)

    def test_a_site_that_a_command_made_says_its_time_zone_here(self):
        rows, above = self.rows("--zone", "room-1", "--at", NIGHT, "--time-zone", "America/St_Johns")
        self.assertEqual(above[-1], "times: America/St_Johns, UTC-3:30")
        self.assertEqual(rows[0][2:4], ["2026-11-26", "15:30"])

    def test_in_chinese(self):
        said = self.ask("--zone", "room-1", "--at", NIGHT, lang="zh").stdout
        self.assertIn("时间：Asia/Shanghai，UTC+8", said)
        self.assertIn("免打扰时段仍响铃", said)

    def test_what_is_wrong_is_said(self):
        for args, status, words in ((("--severity", "grave"), 2, "--severity is warning or critical"),
                                    (("--at", "tonight"), 2, "--at a time such as"),
                                    (("--time-zone", "Asia/Shanhai"), 1, "'Asia/Shanhai' is not known here"),
                                    (("room-1",), 2, "nothing is expected")):
            with self.subTest(args=args):
                self.assertIn(words, self.ask(*args, status=status).stderr)
        self.write(HEAD + ESCALATION.replace("contact: li,", "contact: lee,"))
        self.assertRegex(self.ask(status=1).stderr, r"collector\.yaml:\d+: .*'lee' is not among")
        self.config += ".gone"
        self.assertIn("collector.yaml.gone", self.ask(status=1).stderr)


if __name__ == "__main__":
    unittest.main()
