#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""People, tokens and signing in from the command line, against a real collector and a real terminal.

usage: people_cli_test.py COLDCHAINCTL COLLECTOR SOURCE_DIR
"""
import json
import os
import pty
import re
import select
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM, COLLECTOR, SOURCE = map(os.path.abspath, sys.argv[1:4])
sys.path.insert(0, os.path.join(SOURCE, "tests", "support"))

from house.broker import Broker  # noqa: E402
from house.collector import Collector  # noqa: E402

PASSWORD, OTHER = "orange truck seven hill", "yellow boat eleven lake"
SITES = [{"id": "store", "zones": [{"id": "room-1"}]}]


class World:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="coldchain-people-")
        self.home = os.path.join(self.folder, "home")
        os.makedirs(self.home)
        self.parts = []

    def start(self):
        broker = Broker(self.folder, PROGRAM)
        self.collector = Collector(self.folder, COLLECTOR, broker, sites=SITES)
        for part in (broker, self.collector):
            self.parts.append(part)
            part.start()
        self.root = os.path.join(self.collector.data, "api.token")

    def close(self):
        for part in reversed(self.parts):
            part.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def environment():
    env = {name: value for name, value in os.environ.items() if not name.startswith(("COLDCHAIN_", "XDG_"))}
    return {**env, "HOME": WORLD.home, "COLDCHAIN_API": WORLD.collector.url}


def run(*args, root=False, given="", status=0):
    more = ["--token-file", WORLD.root] if root else []
    done = subprocess.run([PROGRAM, *args, *more], input=given, capture_output=True, text=True, timeout=60, check=False,
                          env=environment())
    if done.returncode != status:
        raise AssertionError(f"{args}: {done.returncode}, want {status}: {done.stderr}{done.stdout}")
    return done


def typed(answers, *args):
    """(status, everything the terminal showed): each answer is typed when its question stands there."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(PROGRAM, [PROGRAM, *args], environment())
    shown, answers, end = "", list(answers), time.monotonic() + 30
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            part = os.read(terminal, 1000)
        except OSError:
            part = b""
        if not part:
            break
        shown += part.decode()
        if answers and re.search(answers[0][0] + r"[^\r\n]*: $", shown):
            os.write(terminal, answers.pop(0)[1].encode() + b"\n")
    os.close(terminal)  # and whoever waits for an answer ends
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), shown


def people():
    return json.loads(run("people", "--json", root=True).stdout)


def add(login, *more, password=PASSWORD):
    made = run("people", "add", "--role", "admin", "--login", login, "--password", "--json", *more, root=True,
               given=password + "\n")
    return json.loads(made.stdout)["id"]


class People(unittest.TestCase):
    def test_add_change_list_and_erase(self):
        done = run("people", "add", "--role", "operator", "--org", "fengjie", "--sites", "store,store-2", "--login", "li",
                   "--name", "李", "--password", "--reason", "joins us", root=True, given=PASSWORD + "\n")
        who = done.stdout.split()[0]
        self.assertRegex(done.stdout, r"^p-[0-9a-f]{16} is added\n$")
        run("people", "change", "li", "--phone", "13800000000", "--sites", "store", root=True)
        line = next(line for line in run("people", root=True).stdout.splitlines() if who in line)
        for word in ("fengjie", "operator", "store ", "li", "李", "13800000000", "can sign in"):
            self.assertIn(word, line)
        self.assertIn("nothing was erased", run("people", "erase", "li", root=True, status=1).stderr)
        self.assertIn("is erased", run("people", "erase", "li", "--yes", "--reason", "left us", root=True).stdout)
        row = next(one for one in people() if one["id"] == who)
        self.assertEqual((row["erased"], row["login"], row["name"], row["phone"]), (True, "", "", ""))
        audit = json.loads(run("audit", "--json", "--limit", "1000", root=True).stdout)["audit"]
        ours = [(one["verb"], one["reason"]) for one in audit if one["result"].get("id") == who]
        self.assertEqual(ours, [("person.add", "joins us"), ("person.change", ""), ("person.erase", "left us")])
        self.assertNotIn("13800000000", json.dumps(audit))

    def test_what_is_wrong_is_said(self):
        for words, args in (("role", ["add"]), ("there is no person", ["change", "nobody", "--name", "x"]),
                            ("only an operator", ["add", "--role", "admin", "--sites", "s"])):
            with self.subTest(args=args):
                self.assertIn(words, run("people", *args, root=True, status=1).stderr)
        add("twice")
        self.assertIn("that sign-in name", run("people", "add", "--role", "admin", "--login", "twice", root=True,
                                                status=1).stderr)
        self.assertIn("10", run("people", "add", "--role", "admin", "--login", "weak", "--password", root=True,
                                given="short\n", status=1).stderr)
        for args in (["dance"], ["erase"], ["erase", "a", "b"], ["list", "x"], ["add", "x"]):
            with self.subTest(args=args):
                run("people", *args, root=True, status=2)


class SigningIn(unittest.TestCase):
    def kept(self):
        path = os.path.join(WORLD.home, ".config", "coldchain", "tokens")
        if not os.path.exists(path):
            return path, ""
        with open(path, encoding="utf-8") as file:
            return path, file.read()

    def test_the_terminal_does_not_show_the_password(self):
        who = add("wang")
        status, shown = typed([("sign-in name", "wang"), ("password", PASSWORD)], "login")
        self.assertEqual(status, 0, shown)
        self.assertIn(f"{who} is signed in at {WORLD.collector.url} until", shown)
        self.assertNotIn(PASSWORD, shown)
        path, text = self.kept()
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode), 0o700)
        self.assertRegex(text, rf"^{re.escape(WORLD.collector.url)} [0-9a-f]{{64}}\n$")
        # What follows is the person's: the audit says so.
        run("do", "site.put", "id=by-wang", "org=fengjie")
        audit = json.loads(run("audit", "--json", "--limit", "1000").stdout)["audit"]
        self.assertEqual(audit[-1]["actor"], who)
        run("logout")
        self.assertEqual(self.kept()[1], "")
        self.assertIn("coldchainctl login", run("zones", status=1).stderr)
        secret = text.split()[1]
        file = os.path.join(WORLD.home, "old")
        with open(file, "w", encoding="utf-8") as old:
            old.write(secret)
        run("zones", "--token-file", file, status=1)

    def test_a_wrong_password_and_an_ended_session_are_told(self):
        add("zhao")
        self.assertIn("password", run("login", "--as", "zhao", given="wrong password\n", status=1).stderr)
        self.assertIn("no answer", run("login", "--as", "zhao", status=1).stderr)
        run("login", "--as", "zhao", given=PASSWORD + "\n")
        run("people", "sign-out", "zhao", root=True)
        self.assertIn("session", run("zones", status=1).stderr)
        run("logout")

    def test_a_token_goes_to_its_own_address_only(self):
        add("sun")
        run("login", "--as", "sun", given=PASSWORD + "\n")
        before = self.kept()[1]
        env = {**environment(), "COLDCHAIN_API": WORLD.collector.url.replace("127.0.0.1", "localhost")}
        done = subprocess.run([PROGRAM, "zones"], capture_output=True, text=True, timeout=60, check=False, env=env)
        self.assertEqual(done.returncode, 1)
        self.assertIn("wants a token", done.stderr)
        self.assertEqual(self.kept()[1], before)
        os.chmod(self.kept()[0], 0o644)
        self.assertIn("others may read", run("zones", status=1).stderr)
        os.chmod(self.kept()[0], 0o600)
        run("logout")

    def test_the_token_may_be_kept_in_a_file_of_ones_own(self):
        add("wu")
        path = os.path.join(WORLD.home, "wu.token")
        done = run("login", "--as", "wu", "--token-file", path, "--json", given=PASSWORD + "\n")
        self.assertNotIn("token", json.loads(done.stdout))
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        run("zones", "--token-file", path)
        self.assertEqual(self.kept()[1], "")

    def test_a_forgotten_password_is_set_anew(self):
        add("feng")
        run("login", "--as", "feng", given=PASSWORD + "\n")
        run("zones")
        args = ["reset-password", "feng", "--token-file", WORLD.root]
        status, shown = typed([("new password", OTHER), ("once more", OTHER + "x")], *args)
        self.assertEqual((status, "differ" in shown), (1, True), shown)
        run("zones")
        status, shown = typed([("new password", OTHER), ("once more", OTHER)], *args)
        self.assertEqual(status, 0, shown)
        self.assertNotIn(OTHER, shown)
        self.assertIn("session", run("zones", status=1).stderr)
        run("login", "--as", "feng", given=PASSWORD + "\n", status=1)
        run("login", "--as", "feng", given=OTHER + "\n")
        run("logout")
        self.assertIn("there is no person", run("reset-password", "nobody", root=True, given=OTHER + "\n", status=1).stderr)
        run("reset-password", root=True, status=2)
        audit = run("audit", "--json", "--limit", "1000", root=True).stdout
        self.assertIn("password reset", audit)
        self.assertNotIn("argon2", audit)


class Tokens(unittest.TestCase):
    def test_a_secret_is_shown_once_and_counts_until_it_is_revoked(self):
        done = run("token", "make", "--name", "grafana", "--scopes", "read,metrics", "--expires", "90d", root=True)
        self.assertRegex(done.stdout, r"^[0-9a-f]{64}\n$")
        which = re.search(r"(t-[0-9a-f]{16}) counts until", done.stderr)[1]
        path = os.path.join(WORLD.home, "grafana.token")
        with open(path, "w", encoding="utf-8") as file:
            file.write(done.stdout)
        run("zones", "--token-file", path)
        listed = run("token", root=True).stdout
        self.assertNotIn(done.stdout.strip(), listed)
        line = next(line for line in listed.splitlines() if which in line)
        for word in ("grafana", "integrator", "read metrics", "first-start"):
            self.assertIn(word, line)
        self.assertIn("counts no more", run("token", "revoke", which, root=True).stdout)
        run("zones", "--token-file", path, status=1)
        self.assertIn("no token", run("token", "revoke", which, root=True, status=1).stderr)

    def test_links_and_grants_show_one_zone(self):
        made = json.loads(run("token", "make", "--name", "lot 17", "--share", "room-1", "--expires", "30d", "--json",
                              root=True).stdout)
        path = os.path.join(WORLD.home, "link.token")
        with open(path, "w", encoding="utf-8") as file:
            file.write(made["secret"])
        self.assertEqual([zone["id"] for zone in json.loads(run("zones", "--json", "--token-file", path).stdout)],
                         ["room-1"])
        which = run("grant", "make", "--zone", "room-1", "--holder", "wushan", "--cause", "leg 3", root=True).stdout.split()[0]
        line = next(line for line in run("grant", root=True).stdout.splitlines() if which in line)
        for word in ("room-1", "org", "wushan", "leg 3"):
            self.assertIn(word, line)
        self.assertIn("has ended", run("grant", "end", which, root=True).stdout)
        self.assertNotIn(which, run("grant", root=True).stdout)

    def test_what_is_wrong_is_said(self):
        for words, args in (("scopes", ["make", "--name", "x", "--expires", "1d"]),
                            ("in the coming year", ["make", "--name", "x", "--scopes", "read", "--expires", "900d"]),
                            ("zone", ["make", "--name", "x", "--share", "room-9", "--expires", "1d"])):
            with self.subTest(args=args):
                self.assertIn(words, run("token", *args, root=True, status=1).stderr)
        for args in (["make"], ["revoke"], ["list", "x"], ["burn"]):
            with self.subTest(args=args):
                run("token", *args, root=True, status=2)
        run("grant", "make", "--zone", "room-1", root=True, status=2)


if __name__ == "__main__":
    WORLD = World()
    try:
        WORLD.start()
        unittest.main(argv=sys.argv[:1], verbosity=1)
    finally:
        WORLD.close()
