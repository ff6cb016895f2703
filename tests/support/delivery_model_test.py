# SPDX-License-Identifier: Apache-2.0
"""spin walks through docs/delivery.pml: no error as it stands, and each mistake is found.

Each run is exhaustive within its bounds; together they take about a minute at most.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = sys.argv[1]
SKIP = 77

CRASH = ["CLONES=0", "RESTORES=0", "CRASHES=1", "HELLOS=2"]
RESTORE = ["CLONES=0", "RESTORES=1", "CRASHES=1", "HELLOS=2"]
CLONE = ["CLONES=1", "RESTORES=0", "CRASHES=0", "HELLOS=2"]

# name, switches, whether an error must be found
RUNS = [
    ("a crash of the collector", CRASH, False),
    ("the same, and a full disk", ["TRIM"] + CRASH, False),
    ("a restored collector", RESTORE, False),
    ("a clone of the agent", CLONE, False),
    ("acked before the sync", ["ACK_EARLY", "TRIM"] + CRASH, True),
    ("no deduplication", ["NO_DEDUP"] + CRASH, True),
    ("the cursor before the data", ["CURSOR_FIRST"] + CRASH, True),
    ("a fork is not detected", ["NO_FORK"] + CLONE, True),
    ("no rewinding", ["NO_REWIND"] + RESTORE, True),
    ("published before the own sync", ["SEND_UNSYNCED"] + CRASH, True),
]


def check(folder, switches):
    """What the checker says: how many errors, how many states."""
    model = os.path.join(ROOT, "docs", "delivery.pml")
    subprocess.run(["spin", "-a"] + [f"-D{switch}" for switch in switches] + [model],
                   cwd=folder, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["gcc", "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c"], cwd=folder, check=True)
    said = subprocess.run(["./pan", "-m100000"], cwd=folder, check=True, capture_output=True, text=True,
                          timeout=240).stdout
    if "max search depth too small" in said:
        raise RuntimeError("the search was cut short")
    errors = int(re.search(r"errors: (\d+)", said).group(1))
    states = re.search(r"(\S+) states, stored", said).group(1)
    return errors, states


def main():
    if shutil.which("spin") is None or shutil.which("gcc") is None:
        print("skipped: spin or gcc is not installed (apt-get install spin gcc)")
        return SKIP
    failed = 0
    for name, switches, is_mistake in RUNS:
        with tempfile.TemporaryDirectory(prefix="coldchain-model-") as folder:
            errors, states = check(folder, switches)
        is_right = (errors > 0) == is_mistake
        failed += not is_right
        print(f"{'ok  ' if is_right else 'FAIL'} {name}: {errors} errors in {states} states")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
