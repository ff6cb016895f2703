# SPDX-License-Identifier: Apache-2.0
"""./dev run, as somebody sees it who tries coldchain for the first time: an hour and a half with doors, vans
that are loaded and a door left open on purpose, which rings, says what it means for the goods, and ends. Nothing
else rings."""
import json
import os
import subprocess
import sys

from harness import PRESET, ROOT

SECONDS = 45


def story_a_door_left_open_and_nothing_else(house):
    done = subprocess.run([sys.executable, os.path.join(ROOT, "examples", "demo", "demo.py"), "--headless",
                           "--for", str(SECONDS)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", check=False, timeout=SECONDS + 120,
                          env={**os.environ, "COLDCHAIN_PRESET": PRESET, "TMPDIR": house.folder})
    house.equal(done.returncode, 0, f"it ends well: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    summary = json.loads(done.stdout.splitlines()[-1])
    house.check(summary["ok"] and summary["incidents_closed"] >= 1, f"the summary: {summary}")
    house.equal(summary["false_alarms"], 0, f"what nothing called for: {done.stdout}")
    opened = [line for line in done.stdout.splitlines() if line.startswith("alarm  opened:")]
    house.check(opened and "the door has been open for 30 min" in opened[0] and "the goods reach 5.0 °C in" in opened[0],
                f"the door rings first, with what it means for the goods: {opened}")
    house.check("van 1 leaves, loaded" in done.stdout, "vans leave meanwhile")
    house.say(f"{summary['readings_stored']} readings, {len(opened)} alarm")
