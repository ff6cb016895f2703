# SPDX-License-Identifier: Apache-2.0
"""usage: /usr/bin/python3 tests/scenario/run.py [--results FILE] [--jobs N] [--list] [NAME...]

Runs the stories of this folder whose names contain any NAME; all without one. They wait more
than they work, so several run beside each other (--jobs, 2); those of a file that says ALONE
= True measure time, and run when the others are through.
COLDCHAIN_PRESET chooses the build (dev), COLDCHAIN_SHARED the reference data.
"""
import argparse
import concurrent.futures
import glob
import importlib.util
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import harness  # noqa: E402
import results  # noqa: E402

NO_STORIES = {"harness.py", "run.py"}


def stories():
    """[(name, function, whether it must be alone)] of all files, in the order of their names."""
    found = []
    for path in sorted(glob.glob(os.path.join(HERE, "*.py"))):
        if os.path.basename(path) in NO_STORIES:
            continue
        name = os.path.basename(path)[:-3]
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found += [(f"{name}: {key[6:].replace('_', ' ')}", function, getattr(module, "ALONE", False))
                  for key, function in vars(module).items() if key.startswith("story_")]
    return found


def in_a_process(name, slot, slots):
    """(what it printed, its result) of one story in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "result.json")
        done = subprocess.run([sys.executable, os.path.abspath(__file__), "--results", path, "--exactly", name],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", check=False, env={**os.environ, "COLDCHAIN_SLOT": f"{slot}/{slots}"})
        try:
            with open(path, encoding="utf-8") as file:
                return done.stdout, json.load(file)[0]
        except (OSError, ValueError, IndexError):
            return done.stdout, {"name": name, "result": "failed", "reason": f"ended with {done.returncode}, no result"}


def beside_each_other(names, jobs, report):
    """report(lines, result) for each, one at a time, as they end."""
    slots, turn = queue.Queue(), threading.Lock()
    for slot in range(jobs):
        slots.put(slot)

    def one(name):
        slot = slots.get()
        said, result = in_a_process(name, slot, jobs)
        slots.put(slot)
        lines = said.splitlines()
        with turn:
            report(lines[1:-1] or lines, result)  # without the name that begins it, and the sum of one

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, names))


def run_many(chosen, jobs, path):
    """All of them; the exit status."""
    found = []

    def report(lines, result):
        print("\n".join(lines), flush=True)
        found.append(result)
        if path:
            with open(path, "w", encoding="utf-8") as file:
                json.dump(found, file)

    beside_each_other([name for name, _, alone in chosen if not alone], jobs, report)
    beside_each_other([name for name, _, alone in chosen if alone], 1, report)
    words = [result["result"] for result in found]
    print(f"  {words.count('passed')} passed, {words.count('failed')} failed, {words.count('skipped')} skipped")
    return 1 if "failed" in words else 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--results")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--exactly", help=argparse.SUPPRESS)
    options = parser.parse_args()
    chosen = [story for story in stories()
              if (story[0] == options.exactly if options.exactly else
                  not options.names or any(wanted in story[0] for wanted in options.names))]
    if options.list:
        print("\n".join(name for name, _, _ in chosen))
        return 0
    if not chosen:
        print("no story has such a name", file=sys.stderr)
        return 2
    if len(chosen) > 1 and options.jobs > 1:
        return run_many(chosen, options.jobs, options.results)
    tests = [(name, lambda name=name, function=function: harness.tell(name, function))
             for name, function, _ in chosen]
    return results.run_all(tests, options.results)


if __name__ == "__main__":
    sys.exit(main())
