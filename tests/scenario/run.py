# SPDX-License-Identifier: Apache-2.0
"""usage: /usr/bin/python3 tests/scenario/run.py [--results FILE] [--list] [NAME...]

Runs the stories of this folder whose names contain any NAME; all without one.
COLDCHAIN_PRESET chooses the build (dev), COLDCHAIN_SHARED the reference data.
"""
import argparse
import glob
import importlib.util
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import harness  # noqa: E402
import results  # noqa: E402

NO_STORIES = {"harness.py", "run.py"}


def stories():
    """[(name, function)] of all files, in the order of their names."""
    found = []
    for path in sorted(glob.glob(os.path.join(HERE, "*.py"))):
        if os.path.basename(path) in NO_STORIES:
            continue
        name = os.path.basename(path)[:-3]
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found += [(f"{name}: {key[6:].replace('_', ' ')}", function)
                  for key, function in vars(module).items() if key.startswith("story_")]
    return found


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--results")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    chosen = [(name, function) for name, function in stories()
              if not options.names or any(wanted in name for wanted in options.names)]
    if options.list:
        print("\n".join(name for name, _ in chosen))
        return 0
    if not chosen:
        print("no story has such a name", file=sys.stderr)
        return 2
    tests = [(name, lambda name=name, function=function: harness.tell(name, function))
             for name, function in chosen]
    return results.run_all(tests, options.results)


if __name__ == "__main__":
    sys.exit(main())
