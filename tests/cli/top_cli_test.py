#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`coldchainctl top` on a real terminal (a pty), against a real collector behind a real broker.

usage: top_cli_test.py COLDCHAINCTL COLLECTOR SOURCE_DIR
"""
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unicodedata
import unittest

PROGRAM, COLLECTOR, SOURCE = map(os.path.abspath, sys.argv[1:4])
sys.path.insert(0, os.path.join(SOURCE, "tests", "support"))

from house.broker import Broker  # noqa: E402
from house.collector import Collector  # noqa: E402
from house.mqtt import Client  # noqa: E402
from house.process import free_port, wait_for  # noqa: E402

NAMES = ["1号库 脐橙", "2号冷藏库 柑橘（待发货，第二批）", "Cold room three, west wing, lower dock", "空库"]
BLOCKS = "▁▂▃▄▅▆▇█"


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class World:
    def __init__(self):
        self.folder, self.parts = tempfile.mkdtemp(prefix="coldchain-top-"), []

    def start(self):
        self.broker = Broker(self.folder, PROGRAM)
        passwords = [self.broker.add(f"fengjie/d{i}") for i in range(len(NAMES))]
        self.parts.append(self.broker)
        self.broker.start()
        zones = [{"id": f"room-{i}", "name": name, "band_low": 3, "band_high": 8} for i, name in enumerate(NAMES)]
        self.collector = Collector(
            self.folder, COLLECTOR, self.broker, sites=[{"id": "store", "name": "奉节产地冷库", "zones": zones}],
            devices=[{"id": f"d{i}", "zone": f"room-{i}"} for i in range(len(NAMES))],
            rules=[{"id": "warm", "zone": "room-1", "kind": "above", "quantity": "air_temperature",
                    "levels": [{"level": 8, "severity": "critical"}]}])
        self.parts.append(self.collector)
        self.collector.start()
        now = int(time.time())
        for i in range(len(NAMES) - 1):
            client = Client(self.broker.port, f"fengjie/d{i}", passwords[i], "x")
            rows = [{"n": "air_temperature", "u": "Cel", "t": now - 3500 + k * 60, "v": 4 + i * 3 + k / 20} for k in range(59)]
            client.publish(f"coldchain/v1/fengjie/d{i}/readings/00000000000000aa/1",
                           json.dumps(rows + [{"n": "humidity", "u": "%RH", "t": now, "v": 90 + i}]))
            client.stop()
        wait_for(lambda: self.collector.incidents() and len(self.collector.readings("d2", "air_temperature")) == 59, 30, "all is known")
        self.env = {"COLDCHAIN_API": self.collector.url, "COLDCHAIN_TOKEN_FILE": os.path.join(self.collector.data, "api.token"),
                    "LC_ALL": "C.UTF-8", "TERM": "xterm"}

    def close(self):
        for part in reversed(self.parts):
            part.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Terminal:
    """A pty with top in it; what it shows is its last whole frame."""

    def __init__(self, *words, columns=80, lines=24, **env):
        self.out = b""
        self.keyboard, inside = pty.openpty()
        self.resize(columns, lines)
        self.before = termios.tcgetattr(inside)
        self.child = subprocess.Popen([PROGRAM, "top", "--every", "1", *words], stdin=inside, stdout=inside, stderr=inside,
                                      env={**os.environ, **WORLD.env, **env}, start_new_session=True,
                                      preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.inside = inside

    def resize(self, columns, lines):
        fcntl.ioctl(self.keyboard, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, timeout=0.05):
        while select.select([self.keyboard], [], [], timeout)[0]:
            self.out += os.read(self.keyboard, 65536)

    def frame(self):
        self.read()
        frames = self.out.split(b"\033[H")
        whole = [one for one in frames[1:] if b"\033[J" in one]
        return whole[-1].split(b"\033[J")[0].decode() if whole else ""

    def text(self):
        return re.sub(r"\033\[[0-9;?]*[A-Za-z]", "", self.frame()).replace("\r", "")

    def shows(self, words, timeout=30):
        wait_for(lambda: words in self.text(), timeout, lambda: f"{words!r} on the screen:\n{self.text()}")
        return self.text()

    def press(self, keys):
        os.write(self.keyboard, keys.encode())

    def end(self, timeout=30):
        status = self.child.wait(timeout)
        self.read()
        return status

    def is_given_back(self):
        """The shell's screen, its cursor, its keys."""
        return self.out.rstrip().endswith(b"\033[?1049l") and b"\033[?25h" in self.out.split(b"\033[J")[-1] \
            and termios.tcgetattr(self.inside) == self.before

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        os.close(self.inside)
        os.close(self.keyboard)


class Case(unittest.TestCase):
    def open(self, *words, **more):
        terminal = Terminal(*words, **more)
        self.addCleanup(terminal.close)
        return terminal

    def once(self, *words, columns=80, **env):
        done = subprocess.run([PROGRAM, "top", "--once", *words], capture_output=True, text=True, timeout=30, check=False,
                              env={**os.environ, **WORLD.env, "COLUMNS": str(columns), **env})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


class OneFrame(Case):
    def test_a_line_a_zone_the_worst_first(self):
        lines = self.once(columns=120).splitlines()
        self.assertRegex(lines[0], r"^\d\d:\d\d:\d\dZ  zones 4, not well 3, incidents 1  http")
        self.assertRegex(lines[1], "^critical  2号冷藏库 柑橘（待发货，第二批）  above 8 °C: ")
        self.assertTrue(lines[3].startswith("ZONE"))
        row = lines[4]
        for words in ("2号冷藏库", "ABOVE", "9.9", "91%", "3..8"):
            self.assertIn(words, row)
        self.assertGreater(sum(c in BLOCKS for c in row), 30)
        self.assertTrue(any("空库" in line and "never" in line for line in lines))
        self.assertEqual(len(lines), 8)

    def test_it_fits_from_40_to_200_columns(self):
        for columns in range(40, 201, 8):
            with self.subTest(columns=columns):
                lines = self.once(columns=columns).splitlines()
                self.assertLessEqual(max(map(width, lines)), columns)
                for words in ("ABOVE", "ok", "never", "9.9", "critical"):
                    self.assertIn(words, "\n".join(lines))

    def test_a_locale_that_is_no_utf8_has_ascii_courses(self):
        text = self.once(LC_ALL="C")
        self.assertFalse(any(c in BLOCKS for c in text))
        self.assertRegex(text, r"[_.:\-=+*#]{8}")

    def test_orders(self):
        def names(order):
            return [line.split()[0] for line in self.once("--sort", order).splitlines()[4:]]
        self.assertEqual(names("temperature")[0], "Cold")
        self.assertEqual(names("name"), sorted(names("name")))
        self.assertEqual(names("age")[0], "空库")

    def test_it_speaks_chinese(self):
        text = self.once("--lang", "zh", columns=100)
        for words in ("库区 4，异常 3，事件 1", "严重  2号冷藏库", "未受理", "偏高", "从未", "最近 1 小时"):
            self.assertIn(words, text)
        for columns in range(40, 201, 40):
            self.assertLessEqual(max(map(width, self.once("--lang", "zh", columns=columns).splitlines())), columns)

    def test_no_escape_goes_into_a_pipe(self):
        self.assertNotIn("\033", self.once())

    def test_nobody_answers(self):
        done = subprocess.run([PROGRAM, "top", "--once", "--api", f"http://127.0.0.1:{free_port()}"], capture_output=True, text=True,
                              env={**os.environ, **WORLD.env}, timeout=30, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("not reachable", done.stderr)

    def test_what_is_asked_wrongly(self):
        for words in (("x",), ("--sort", "size"), ("--every", "0"), ("--hours", "soon")):
            with self.subTest(words=words):
                done = subprocess.run([PROGRAM, "top", *words], capture_output=True, text=True, timeout=30, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)


class OnATerminal(Case):
    def test_it_follows_and_gives_the_terminal_back(self):
        terminal = self.open()
        text = terminal.shows("q quit")
        self.assertIn("critical  2号冷藏库", text)
        self.assertIn("\033[31m", terminal.frame())
        terminal.shows(BLOCKS[0])
        first = text.splitlines()[0]
        wait_for(lambda: terminal.text().splitlines()[0] != first, 30, "the time goes on")
        self.assertNotEqual(termios.tcgetattr(terminal.inside), terminal.before)
        terminal.press("q")
        self.assertEqual(terminal.end(), 0)
        self.assertTrue(terminal.is_given_back(), terminal.out[-200:])

    def test_keys_move_and_sort(self):
        terminal = self.open()
        terminal.shows("room-1: d1 air_temperature")
        terminal.press("j")
        self.assertNotIn("room-1: ", terminal.shows("1-4 of 4") if wait_for(lambda: "room-1: " not in terminal.text(), 30, "moved") else "")
        terminal.press("k")
        terminal.shows("room-1: d1 air_temperature")
        terminal.press("\033[B\033[B\033[B\033[B\033[A")
        wait_for(lambda: "room-1: " not in terminal.text(), 30, "moved by arrows")
        terminal.press("s")
        terminal.shows("sort: name")
        terminal.press("s")
        terminal.shows("sort: temperature")
        terminal.press("g")
        terminal.shows("room-2: d2 air_temperature")
        terminal.press("\033[1;2Q")  # a key that has a q in it, nearly
        terminal.press("Q")
        self.assertEqual(terminal.end(), 0)

    def test_it_takes_the_size_of_the_terminal(self):
        terminal = self.open(columns=160, lines=40)
        terminal.shows("q quit")
        for columns, lines in ((40, 12), (60, 10), (200, 50), (80, 24)):
            with self.subTest(columns=columns):
                terminal.resize(columns, lines)

                def fits():
                    shown = terminal.text().split("\n")
                    return width(shown[0].rstrip()) <= columns and len(shown) <= lines and \
                        max(map(width, shown)) <= columns and max(map(width, shown)) > columns - 41
                wait_for(fits, 30, lambda: f"it fits {columns}x{lines}:\n{terminal.text()}")
        terminal.press("q")
        self.assertEqual(terminal.end(), 0)

    def test_no_color(self):
        terminal = self.open(NO_COLOR="1")
        terminal.shows("q quit")
        self.assertNotRegex(terminal.frame(), r"\033\[3\dm")
        terminal.press("q")
        self.assertEqual(terminal.end(), 0)

    def test_signals_give_the_terminal_back(self):
        for number, status in ((signal.SIGTERM, -signal.SIGTERM), (signal.SIGHUP, -signal.SIGHUP), (signal.SIGINT, 0),
                               (signal.SIGQUIT, -signal.SIGQUIT), (signal.SIGSEGV, None)):
            with self.subTest(number=number):
                terminal = self.open()
                terminal.shows("q quit")
                terminal.child.send_signal(number)
                ended = terminal.end()
                self.assertEqual(ended, status) if status is not None else self.assertNotEqual(ended, 0)
                self.assertTrue(b"\033[?1049l" in terminal.out and termios.tcgetattr(terminal.inside) == terminal.before, terminal.out[-200:])

    def test_ctrl_c_is_a_way_to_go(self):
        terminal = self.open()
        terminal.shows("q quit")
        terminal.press("\x03")
        self.assertEqual(terminal.end(), 0)
        self.assertTrue(terminal.is_given_back())

    def test_ctrl_z_gives_the_terminal_back_meanwhile(self):
        terminal = self.open()
        terminal.shows("q quit")
        terminal.child.send_signal(signal.SIGTSTP)

        def is_stopped():
            with open(f"/proc/{terminal.child.pid}/stat", encoding="ascii") as file:
                return file.read().rsplit(")", 1)[1].split()[0] == "T"
        wait_for(is_stopped, 30, "it stops")
        terminal.read()
        self.assertTrue(terminal.is_given_back())
        terminal.out = b""
        terminal.child.send_signal(signal.SIGCONT)
        terminal.shows("q quit")
        terminal.press("q")
        self.assertEqual(terminal.end(), 0)
        self.assertTrue(terminal.is_given_back())

    def test_a_terminal_that_is_gone_ends_it(self):
        terminal = self.open()
        terminal.shows("q quit")
        os.close(terminal.keyboard)
        os.close(terminal.inside)
        terminal.child.wait(30)
        terminal.keyboard, terminal.inside = pty.openpty()

    def test_zz_a_collector_that_is_away_and_comes_back(self):
        terminal = self.open(columns=100)
        terminal.shows("q quit")
        WORLD.collector.stop()
        text = terminal.shows("NOT FRESH: ")
        self.assertIn("2号冷藏库", text)
        WORLD.collector.start()
        wait_for(lambda: "NOT FRESH" not in terminal.text(), 40, "it is fresh again")
        terminal.press("q")
        self.assertEqual(terminal.end(), 0)


if __name__ == "__main__":
    WORLD = World()
    try:
        WORLD.start()
        result = unittest.main(argv=sys.argv[:1] + sys.argv[4:], exit=False, verbosity=1).result
    finally:
        WORLD.close()
    raise SystemExit(0 if result.wasSuccessful() else 1)
