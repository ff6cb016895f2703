# SPDX-License-Identifier: Apache-2.0
"""usage: ./dev bench [NAME...]

Runs bench/NAME_bench.c (built for release) and bench/NAME_bench.py, all without a NAME.
Each prints one JSON object a line; all are kept in build/bench.json with the machine
that they were measured on.
"""
import glob
import json
import os
import platform
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def benches():
    """{name: command}"""
    found = {}
    for path in sorted(glob.glob(os.path.join(ROOT, "bench", "*_bench.*"))):
        name, ending = os.path.basename(path).rsplit("_bench", 1)
        if ending == ".c":
            found[name] = [os.path.join(ROOT, "build", "release", "bin", f"{name}_bench")]
        elif ending == ".py":
            found[name] = [sys.executable, path]
    return found


def run(name, command):
    """(whether it went well, the figures it printed)"""
    figures = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as child:
        for line in child.stdout:
            print(f"{name}: {line}", end="", flush=True)
            if line.startswith("{"):
                figures.append({"bench": name, **json.loads(line)})
    return child.returncode == 0, figures


def main(wanted):
    if "--help" in wanted or "-h" in wanted:
        print(__doc__)
        return 0
    known = benches()
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"bench: there is no '{unknown[0]}'; there are: {' '.join(known)}", file=sys.stderr)
        return 2
    figures, failed = [], []
    for name in wanted or known:
        went_well, printed = run(name, known[name])
        figures += printed
        if not went_well:
            failed.append(name)
    with open(os.path.join(ROOT, "build", "bench.json"), "w", encoding="utf-8") as file:
        json.dump({"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "cpus": os.cpu_count(),
                   "machine": platform.machine(), "figures": figures}, file, indent=1)
    print("bench: build/bench.json" + (f"; failed: {' '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
