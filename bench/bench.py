# SPDX-License-Identifier: Apache-2.0
"""usage: ./dev bench [--quick] [--json] [--save] [NAME...]

Runs the benches (all without a NAME) and prints every figure beside its budget. Each is
bounded in time; all of them take about 15 minutes, 3 with --quick, which uses smaller
fleets and journals and says so. What each measures is in docs/performance.md.

  --quick   small sizes: to see whether a change moved something
  --json    prints the JSON instead of the table
  --save    also keeps it as bench/results.json and in docs/performance.md, beside what
            is there of other benches (build/bench.json is always written)

names:    {names}
status:   0 when everything ran, whatever the verdicts; 1 when a bench failed; 2 usage

examples:
  ./dev bench                     everything
  ./dev bench --quick alarm       from publish to webhook, for half a minute
  ./dev bench --json pipeline     the pipeline's figures as JSON
"""
import json
import os
import platform
import subprocess
import sys
import time

import document
import lines
import table

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.path.join(ROOT, "build", "release", "bin")

# name: (what it is, seconds it may take; a quarter of it when quick)
BENCHES = {
    "pack": ("bytes on the wire", 60),
    "freshness": ("keeping quality of a load", 60),
    "alerts": ("rules alone", 200),
    "alert_quality": ("alarms beside what is true, also with alerts", 240),
    "pipeline": ("from the journal through five rules", 400),
    "store": ("history on disk", 200),
    "agent": ("the agent on a small board", 200),
    "collector": ("CPU per QoS 1 message beside the floor", 600),
    "alarm": ("publish to webhook", 200),
    "page": ("30 days by the API", 300),
    "backlog": ("200 agents come back", 500),
    "restart": ("with a journal of 10 GB", 800),
}
QUICK_ONLY = {"alerts": ["1000", "100000"], "alert_quality": ["1"], "store": ["/tmp", "1"], "pack": ["60"]}  # words of the programs in C


def command_of(name, quick):
    script = os.path.join(ROOT, "bench", f"{name}_bench.py")
    if os.path.exists(script):
        return [sys.executable, script] + (["--quick"] if quick else [])
    words = QUICK_ONLY.get(name, ["--quick"] if name == "pipeline" else [])
    return [os.path.join(BIN, f"{name}_bench")] + (words if quick else [])


def run(name, quick):
    """(what went wrong or None, rows)"""
    allowed = BENCHES[name][1]
    rows, begun = [], time.monotonic()
    try:
        done = subprocess.run(command_of(name, quick), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                              timeout=allowed, check=False, env={**os.environ, "TMPDIR": "/tmp"})
    except subprocess.TimeoutExpired:
        return f"did not end within {allowed} s", []
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            rows += lines.rows_of(name, json.loads(line), quick)
    for one in rows:
        one["bench"] = name
    print(f"bench: {name} took {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return (None if done.returncode == 0 else f"ended with status {done.returncode}"), rows


def result_of(rows, failed, quick, load_before):
    return {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "cpus": os.cpu_count(),
            "machine": platform.machine(), "kernel": platform.release(), "quick": quick,
            "load_before": round(load_before, 2), "load_after": round(os.getloadavg()[0], 2),
            "failed": failed, "figures": rows}


def write(path, result):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1, ensure_ascii=False)
        file.write("\n")


def run_of(result, names):
    return {**{key: result[key] for key in ("at", "quick", "load_before", "load_after")}, "benches": names}


def beside(result, wanted, before):
    """The result with what an earlier one has of other benches, and when each was taken."""
    kept = [row for row in before["figures"] if row["bench"] not in wanted]
    runs = before.get("runs") or [run_of(before, list(BENCHES))]
    there = {row["bench"] for row in kept}
    runs = [{**one, "benches": [name for name in one["benches"] if name in there and name not in wanted]} for one in runs]
    order = {name: at for at, name in enumerate(BENCHES)}
    return {**result, "failed": {**{name: why for name, why in before["failed"].items() if name not in wanted},
                                 **result["failed"]},
            "runs": [run_of(result, wanted)] + [one for one in runs if one["benches"]],
            "figures": sorted(kept + result["figures"], key=lambda row: order.get(row["bench"], len(order)))}


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def measure(wanted, quick):
    load, rows, failed = os.getloadavg()[0], [], {}
    for number, name in enumerate(wanted, 1):
        print(f"bench: {number} of {len(wanted)}: {name}, {BENCHES[name][0]}", file=sys.stderr, flush=True)
        problem, found = run(name, quick)
        rows += found
        if problem:
            print(f"bench: {name} {problem}", file=sys.stderr)
            failed[name] = problem
    return result_of(rows, failed, quick, load)


def main(words):
    options = {word for word in words if word.startswith("-")}
    wanted = [word for word in words if not word.startswith("-")]
    if options & {"--help", "-h"}:
        print(__doc__.format(names=" ".join(BENCHES)))
        return 0
    wrong = [word for word in wanted if word not in BENCHES] + sorted(options - {"--quick", "--json", "--save"})
    if wrong:
        print(f"bench: there is no '{wrong[0]}'; there are: {' '.join(BENCHES)} --quick --json --save",
              file=sys.stderr)
        return 2
    if "alerts" in wanted and "alert_quality" not in wanted:
        wanted.append("alert_quality")  # what rules cost, and what they are worth
    result = measure(wanted or list(BENCHES), "--quick" in options)
    write(os.path.join(ROOT, "build", "bench.json"), result)
    if "--save" in options:
        kept = os.path.join(ROOT, "bench", "results.json")
        write(kept, beside(result, wanted, read(kept)) if wanted and os.path.exists(kept) else result)
        document.main([ROOT])
    print(json.dumps(result, indent=1, ensure_ascii=False) if "--json" in options else table.text(result))
    return 1 if result["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
