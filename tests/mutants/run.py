# SPDX-License-Identifier: Apache-2.0
"""usage: /usr/bin/python3 tests/mutants/run.py [--results FILE] [--report FILE] [--list] [NAME...]

Seeded bugs: each NAME.patch of this folder breaks one promise. It is applied in a scratch
copy of the tree, what it says under "Target" is built, "Test" is run, and the assertion
named under "Caught by" must fail: another failure, a build error or a timeout does not
count. Every test is run once without a bug first, and must pass then.

The head of a patch:

  Breaks: what would be lost, in one sentence
  Target: journal-faults_test            (what ninja builds)
  Test: tests/journal-faults_test        (run in the build folder)
  Caught by: the name of a test or, of lives by seed, of an assertion
"""
import argparse
import concurrent.futures
import glob
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FIELDS = ("Breaks", "Target", "Test", "Caught by")
BUILD_BOUND_S, TEST_BOUND_S = 600, 240


class Mutant:
    """A patch and what its head says."""

    def __init__(self, path):
        self.name = os.path.basename(path)[:-len(".patch")]
        with open(path, encoding="utf-8") as file:
            text = file.read()
        head, _, self.patch = text.partition("\n--- ")
        self.patch = "--- " + self.patch
        fields = dict(re.findall(r"^([A-Z][a-z ]+): (.*)$", head, re.M))
        missing = [field for field in FIELDS if field not in fields]
        if missing or "\n+++ " not in self.patch:
            raise ValueError(f"{path}: no {', '.join(missing) or 'patch'} in it")
        self.breaks, self.target, self.test, self.caught_by = (fields[field] for field in FIELDS)


def assertion_failed(output, name):
    """Whether that very test or assertion is what failed."""
    if re.search(r"\bbroke " + re.escape(name) + r":", output):
        return True
    if re.search(r"^\s*FAILED: " + re.escape(name) + r"\b", output, re.M):
        return True
    for part in re.split(r"^  Test: ", output, flags=re.M)[1:]:
        if part.startswith(name + " ...") and "FAILED" in part:
            return True
    return False


class Tree:
    """A scratch copy of the sources with a build folder of its own."""

    def __init__(self, folder):
        self.root = folder
        self.build = os.path.join(folder, "build", "release")
        self.clean = {}  # test -> output, without any bug
        names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT,
                               capture_output=True, text=True, check=True).stdout.split("\0")
        for name in filter(None, names):
            if os.path.isfile(os.path.join(ROOT, name)):
                os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
                shutil.copy2(os.path.join(ROOT, name), os.path.join(folder, name))
        launcher = ["-DCMAKE_C_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        # What a bug leaves unused is no reason not to build it.
        self.run(["cmake", "--preset", "release", "-DCOLDCHAIN_WERROR=OFF", *launcher], BUILD_BOUND_S, folder)

    def run(self, command, bound_s, folder=None):
        """(status, output); a timeout is status None."""
        environment = dict(os.environ, COLDCHAIN_SOURCE=self.root, CCACHE_BASEDIR=self.root, CCACHE_NOHASHDIR="1")
        environment.setdefault("COLDCHAIN_SHARED", os.path.join(os.path.dirname(ROOT), "shared"))
        try:
            done = subprocess.run(command, cwd=folder or self.build, stdin=subprocess.DEVNULL, timeout=bound_s,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                  env=environment, check=False)
        except subprocess.TimeoutExpired as late:
            return None, (late.stdout or b"").decode(errors="replace") if isinstance(late.stdout, bytes) else ""
        return done.returncode, done.stdout

    def build_and_test(self, mutant):
        """(what went wrong or "", status, output)"""
        status, output = self.run(["ninja", *mutant.target.split()], BUILD_BOUND_S)
        if status != 0:
            return "it does not build", status, output
        status, output = self.run(mutant.test.split(), TEST_BOUND_S)
        if status is None:
            return f"the test was not over after {TEST_BOUND_S} s", status, output
        return "", status, output

    def apply(self, mutant, *flags):
        done = subprocess.run(["git", "apply", "-C1", "--whitespace=nowarn", *flags], cwd=self.root,
                              input=mutant.patch, capture_output=True, text=True, check=False)
        return done.returncode == 0, done.stdout + done.stderr


def check_clean(tree, mutant):
    """Why the test proves nothing as it is, or ""."""
    if mutant.test not in tree.clean:
        wrong, status, output = tree.build_and_test(mutant)
        tree.clean[mutant.test] = wrong or ("" if status == 0 else f"it ends with {status} without any bug:\n"
                                            + "\n".join(output.splitlines()[-15:]))
    return tree.clean[mutant.test]


def judge(tree, mutant):
    """(caught, sentence)"""
    wrong = check_clean(tree, mutant)
    if wrong:
        return False, f"'{mutant.test}' cannot judge: {wrong}"
    good, said = tree.apply(mutant)
    if not good:
        return False, f"the patch does not apply any more: {said.strip()}"
    try:
        wrong, status, output = tree.build_and_test(mutant)
    finally:
        tree.apply(mutant, "-R")
    if wrong:
        return False, f"{wrong}:\n" + "\n".join(output.splitlines()[-15:])
    if status == 0:
        return False, f"'{mutant.test}' did not notice"
    if not assertion_failed(output, mutant.caught_by):
        return False, f"something failed, but not '{mutant.caught_by}':\n" + "\n".join(output.splitlines()[-25:])
    return True, f"'{mutant.caught_by}' ({mutant.test})"


def run_all(mutants, folder, jobs):
    """[{name, breaks, result, reason, seconds}] in the order of the names; lines as they come."""
    trees, say = queue.Queue(), threading.Lock()
    made = []

    def take_tree():
        try:
            return trees.get_nowait()
        except queue.Empty:
            with say:
                number = len(made)
                made.append(number)
            os.makedirs(os.path.join(folder, str(number)))
            return Tree(os.path.join(folder, str(number)))

    def one(mutant):
        begun = time.monotonic()
        tree = take_tree()
        caught, sentence = judge(tree, mutant)
        trees.put(tree)
        with say:
            print(f"  {'caught' if caught else 'MISSED'}: {mutant.name}: {mutant.breaks}\n    by {sentence}"
                  if caught else f"  MISSED: {mutant.name}: {mutant.breaks}\n    {sentence}", flush=True)
        return {"name": f"mutant {mutant.name}", "breaks": mutant.breaks, "result": "passed" if caught else "failed",
                "reason": sentence, "seconds": time.monotonic() - begun}

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, mutants))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--results")
    parser.add_argument("--report")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    mutants = [Mutant(path) for path in sorted(glob.glob(os.path.join(HERE, "*.patch")))]
    mutants = [mutant for mutant in mutants
               if not options.names or any(wanted in mutant.name for wanted in options.names)]
    if not mutants:
        print("no seeded bug has such a name", file=sys.stderr)
        return 2
    if options.list:
        for mutant in mutants:
            print(f"{mutant.name}: {mutant.breaks}")
        return 0
    # Neighbours in the list share what they build: each tree takes what comes.
    with tempfile.TemporaryDirectory(prefix="coldchain-mutants-") as folder:
        found = run_all(mutants, folder, options.jobs)
    for path in filter(None, (options.results, options.report)):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)
    caught = sum(row["result"] == "passed" for row in found)
    print(f"  {caught} of {len(found)} seeded bugs caught")
    return 0 if caught == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
