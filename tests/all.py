# SPDX-License-Identifier: Apache-2.0
"""usage: ./dev test [PART...] [-- STORY...]

Runs every part, or those named, and ends with one line: N passed, N failed, N skipped.
Each skip is printed above that line with its reason. STORY narrows the scenarios.
"""
import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RESULTS = os.path.join(ROOT, "build", "results")


class Totals:
    """What was counted so far; `skips` holds (name, reason)."""

    def __init__(self):
        self.passed, self.failed, self.skips = 0, [], []

    def line(self):
        text = f"{self.passed} passed, {len(self.failed)} failed"
        return text + (f", {len(self.skips)} skipped" if self.skips else "")


def skip_reason(output):
    lines = [line.strip() for line in output.splitlines() if "SKIP" in line]
    return lines[0] if lines else "gave no reason"


def read_junit(path, label, totals):
    """Adds the results which ctest left in `path`."""
    for case in xml.parse(path).getroot().iter("testcase"):
        name, status = f"{label} {case.get('name')}", case.get("status")
        if status == "run":
            totals.passed += 1
        elif status == "notrun" and case.find("skipped") is not None:
            totals.skips.append((name, skip_reason(case.findtext("system-out") or "")))
        elif status != "disabled":
            totals.failed.append(name)


def run_ctest(preset, totals, *arguments):
    """ctest's own progress goes to the terminal; its results are counted from junit."""
    path = os.path.join(RESULTS, f"{preset}.xml")
    if os.path.exists(path):
        os.unlink(path)
    command = ["ctest", "--test-dir", os.path.join(ROOT, "build", preset), "--no-tests=error",
               "-j", str(os.cpu_count()), "--output-on-failure", "--output-junit", path, *arguments]
    status = subprocess.run(command, stdin=subprocess.DEVNULL).returncode
    if not os.path.exists(path):
        totals.failed.append(f"{preset}: ctest left no results")
        return
    before = len(totals.failed)
    read_junit(path, preset, totals)
    if status != 0 and len(totals.failed) == before:
        totals.failed.append(f"{preset}: ctest ended with {status}")


def run_script(name, totals, *arguments):
    """A script of ours that leaves [{name, result, reason}] in the file it is told."""
    path = os.path.join(RESULTS, os.path.basename(name) + ".json")
    if os.path.exists(path):
        os.unlink(path)
    subprocess.run([sys.executable, os.path.join(ROOT, name), "--results", path, *arguments],
                   stdin=subprocess.DEVNULL)
    try:
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
    except (OSError, ValueError):
        totals.failed.append(f"{name}: left no results")
        return
    for result in results:
        if result["result"] == "passed":
            totals.passed += 1
        elif result["result"] == "skipped":
            totals.skips.append((result["name"], result["reason"]))
        else:
            totals.failed.append(result["name"])


def part_unit(totals, _):
    """unit tests, data folders and fuzz corpora, with ASan and UBSan"""
    run_ctest("dev", totals)


def part_journal(totals, _):
    """the journal again as it is shipped: every cut, every bit"""
    run_ctest("release", totals, "-R", "^journal/")


def part_sim(totals, _):
    """lives by seed: disks that forget and refuse"""
    run_script("tests/sim/run.py", totals)


def part_mutants(totals, _):
    """seeded bugs: each is caught by the assertion that names its promise"""
    run_script("tests/mutants/run.py", totals)


def part_chaos(totals, _):
    """release builds under fire, and an oracle that shares no code with them"""
    run_script("tests/chaos/run.py", totals)


def part_tools(totals, _):
    """the tests of our own scripts"""
    run_script("tests/support/tools_test.py", totals)


def part_scenario(totals, stories):
    """both daemons with the real mosquitto and influxd"""
    run_script("tests/scenario/run.py", totals, *stories)


PARTS = {"unit": part_unit, "journal": part_journal, "sim": part_sim, "tools": part_tools,
         "mutants": part_mutants, "chaos": part_chaos, "scenario": part_scenario}


def main(arguments):
    if "--help" in arguments or "-h" in arguments:
        print(__doc__)
        for name, part in PARTS.items():
            print(f"  {name:9} {part.__doc__}")
        return 0
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    wanted, stories = arguments[:cut] or list(PARTS), arguments[cut + 1:]
    for name in wanted:
        if name not in PARTS:
            print(f"test: there is no part '{name}'; there are: {' '.join(PARTS)}", file=sys.stderr)
            return 2
    os.makedirs(RESULTS, exist_ok=True)
    totals, begun = Totals(), time.monotonic()
    for name in wanted:
        print(f"== {name}: {PARTS[name].__doc__}", flush=True)
        since = time.monotonic()
        PARTS[name](totals, stories)
        print(f"== {name}: {time.monotonic() - since:.0f} s", flush=True)
    for name, reason in totals.skips:
        print(f"skipped: {name}: {reason}")
    for name in totals.failed:
        print(f"failed: {name}")
    print(f"== {time.monotonic() - begun:.0f} s in all")
    print(totals.line(), flush=True)
    return 1 if totals.failed or not totals.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
