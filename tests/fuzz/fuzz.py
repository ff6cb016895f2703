# SPDX-License-Identifier: Apache-2.0
"""usage: ./dev fuzz [SECONDS] [NAME...]

Runs each fuzzer of build/fuzz (or those named) for SECONDS, two at a time, from the
corpus of tests/fuzz/corpus. What it learns stays in build/fuzz/corpus; an input that
breaks something is left in build/fuzz/found, to become a test.
"""
import glob
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOUND = os.path.join(ROOT, "build", "fuzz", "found")


def run(binary, seconds):
    """(name, whether it held, what it said last)"""
    name = os.path.basename(binary)
    learnt = os.path.join(ROOT, "build", "fuzz", "corpus", name)
    seeds = os.path.join(ROOT, "tests", "fuzz", "corpus", name)
    os.makedirs(learnt, exist_ok=True)
    result = subprocess.run(
        [binary, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
         f"-artifact_prefix={FOUND}/{name}-", learnt, seeds],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    return name, result.returncode == 0, result.stdout


def executed(output):
    for line in output.splitlines():
        if line.startswith("stat::number_of_executed_units:"):
            return line.split(":")[-1].strip()
    return "?"


def main(arguments):
    if not arguments or not arguments[0].isdigit():
        print(__doc__)
        return 2
    wanted = set(arguments[1:])
    binaries = [b for b in sorted(glob.glob(os.path.join(ROOT, "build", "fuzz", "tests", "*_fuzz")))
                if not wanted or os.path.basename(b) in wanted]
    os.makedirs(FOUND, exist_ok=True)
    failed = 0
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for name, held, output in pool.map(lambda b: run(b, int(arguments[0])), binaries):
            print(f"fuzz: {name:28} {'held' if held else 'FAILED'}  {executed(output)} inputs", flush=True)
            if not held:
                failed += 1
                print("\n".join("  " + line for line in output.splitlines()[-40:]))
    print(f"fuzz: {len(binaries) - failed} held, {failed} failed")
    return 1 if failed or not binaries else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
