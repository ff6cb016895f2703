# SPDX-License-Identifier: Apache-2.0
"""usage: /usr/bin/python3 tests/sim/run.py [--results FILE] [--long] [--report FILE] [NAME...]

Simulated lives by seed, in the release build: campaigns whose names contain any NAME, all
without one. --long runs what the long run asks for instead of what ./dev test does.
--report leaves every campaign's counts as JSON. One life again, told in words:

  build/release/bin/disk_lives --seed 4711
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

import results  # noqa: E402
from house.process import Failure  # noqa: E402

# name, what a life must keep, lives in ./dev test, lives in the long run
CAMPAIGNS = [
    ("disk_lives", "what was synced survives crashes, also in recovery", 50_000, 500_000),
    ("protocol_lives", "every pack arrives once, whatever network, disks and both ends do", 20_000, 500_000),
    ("disk_errors", "every error of every call to the disk, in process", 3_000, 20_000),
]


def bound_s(lives):
    """Generous: a busy machine is slower, a life that hangs is not waited for for ever."""
    return 300 + lives / 50


def run_campaign(name, lives, reports):
    program = os.path.join(ROOT, "build", "release", "bin", name)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "counts.json")
        status = subprocess.run([program, "--seeds", str(lives), "--json", path], stdin=subprocess.DEVNULL,
                                timeout=bound_s(lives), check=False).returncode
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                reports.append(json.load(file))
    if status != 0:
        raise Failure(f"{name} ended with {status}: see above which promise broke, or which fault never was")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--results")
    parser.add_argument("--report")
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    chosen = [row for row in CAMPAIGNS
              if not options.names or any(wanted in row[0] for wanted in options.names)]
    if not chosen:
        print("no campaign has such a name", file=sys.stderr)
        return 2
    reports = []
    tests = [(f"{name}: {about}",
              lambda name=name, lives=long if options.long else short: run_campaign(name, lives, reports))
             for name, about, short, long in chosen]
    status = results.run_all(tests, options.results)
    if options.report:
        with open(options.report, "w", encoding="utf-8") as file:
            json.dump(reports, file, indent=1)
    return status


if __name__ == "__main__":
    sys.exit(main())
