# SPDX-License-Identifier: Apache-2.0
"""usage: ./dev chaos --long [--minutes M] [--kills N] [--chaos-last] [--bound M]
                          [--seed N] [--report FILE]

The long run: every campaign about the delivery, one after another beside the chaos of real
processes, in at most --bound minutes (58). What its time does not reach is reported with the
count it came to. Writes docs/reliability-report.md (or FILE); ends with 1 when a promise broke.

  --minutes M   of chaos (12), and then until --kills processes were killed
  --chaos-last  of real processes, once the machine is less busy
  --kills N     2,000, and 500 of the collector; 0: as many as M minutes bring
"""
import argparse
import collections
import json
import os
import platform
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
BUILD = os.path.join(ROOT, "build", "release")
KILLS, CRASHES, INCIDENTS = 2000, 500, 1000
LAYOUTS = 3
HEALING_S = 240  # what the chaos takes to begin, to heal and to compare
CHUNK = 20_000  # lives between two looks at the clock; fewer would miss the rarest kinds

# name, what it shows, how many are wanted, of its time
LIVES = [("disk_errors", "every error of every call to the disk, in process", 20_000),
         ("disk_lives", "a journal on a disk that forgets, tears, reorders, refuses and rots", 500_000),
         ("protocol_lives", "agents, clones and a collector over a bad network", 500_000)]


class Row:
    """One campaign: what was wanted, what was reached, how to do it again."""

    def __init__(self, what, again, wanted):
        self.what, self.again, self.wanted = what, again, wanted
        self.reached, self.seconds, self.broken, self.kinds = 0, 0.0, None, {}
        self.lost = self.doubled = 0


class Clock:
    def __init__(self, bound_s):
        self.end = time.monotonic() + bound_s

    def left(self):
        return self.end - time.monotonic()


def tell(text):
    print(f"long run: {text}", flush=True)


def output_of(command, bound_s, env=None):
    """(status, output); None for a status: its time was over, and it ends with all it started."""
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", start_new_session=True, env={**os.environ, **(env or {})}) as child:
        try:
            said, _ = child.communicate(timeout=max(1, bound_s))
            return child.returncode, said
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            return None, child.communicate()[0]


def damage(clock):
    program = os.path.join(BUILD, "tests", "journal-damage_test")
    row = Row("every cut and every flipped bit of a 64 KiB segment, layouts",
              "COLDCHAIN_LAYOUT=N build/release/tests/journal-damage_test", LAYOUTS)
    for layout in range(LAYOUTS):
        begun = time.monotonic()
        status, said = output_of([program], clock.left(), {"COLDCHAIN_LAYOUT": str(layout)})
        row.seconds += time.monotonic() - begun
        if status is None:
            break
        if status != 0:
            row.broken = f"layout {layout}: {said[-400:]}"
            break
        row.reached += 1
        tell(f"damage: layout {layout} is through")
    return row


class Lives:
    """A campaign of simulated lives, some thousand seeds at a time."""

    def __init__(self, name, about, wanted, first):
        self.name, self.first = name, first
        self.row = Row(f"{name}: {about}", f"build/release/bin/{name} --first {first} --seeds {wanted}", wanted)
        self.row.kinds = collections.Counter()

    def is_over(self):
        return self.row.broken or self.row.reached >= self.row.wanted

    def some(self, clock):
        """False when its time is over."""
        row, begun = self.row, time.monotonic()
        count = min(CHUNK, row.wanted - row.reached)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "counts.json")
            status, said = output_of([os.path.join(BUILD, "bin", self.name), "--first", str(self.first + row.reached),
                                      "--seeds", str(count), "--json", path], clock.left())
            if status is None:
                return False
            with open(path, encoding="utf-8") as file:
                found = json.load(file)
        row.reached += found["lives"]
        row.lost += found["lost"]
        row.doubled += found["doubled"]
        row.kinds.update(found["kinds"])
        row.seconds += time.monotonic() - begun
        if status != 0:
            row.broken = said[-600:]
        tell(f"{self.name}: {row.reached:,} of {row.wanted:,}")
        return True


def all_lives(first, clock):
    """In turns, so that each has its share of a time that is short."""
    campaigns = [Lives(*campaign, first) for campaign in LIVES]
    while any(not one.is_over() for one in campaigns):
        if not all(one.is_over() or one.some(clock) for one in campaigns):
            break
    return [one.row for one in campaigns]


def mutants(clock):
    row = Row("seeded bugs, each caught by the assertion it names", "./dev mutants",
              len([name for name in os.listdir(os.path.join(ROOT, "tests", "mutants")) if name.endswith(".patch")]))
    with tempfile.TemporaryDirectory() as folder:
        path, begun = os.path.join(folder, "mutants.json"), time.monotonic()
        status, said = output_of(["/usr/bin/python3", "tests/mutants/run.py", "--results", path], clock.left())
        row.seconds = time.monotonic() - begun
        if status is not None and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                row.reached = sum(one["result"] == "passed" for one in json.load(file))
    if status not in (0, None):
        row.broken = said[-600:]
    return row


def chaos_row(minutes, seed, kills, bound_s):
    crashes = CRASHES if kills else 0
    again = f"./dev chaos {minutes:g} {seed} --kills {kills} --crashes {crashes}"
    row = Row("real processes under fire: kills", again, KILLS)
    with tempfile.TemporaryDirectory() as folder:
        path, begun = os.path.join(folder, "chaos.json"), time.monotonic()
        status, said = output_of(["/usr/bin/python3", "tests/chaos/chaos.py", f"{minutes:g}", str(seed), "--kills", str(kills),
                                  "--crashes", str(crashes), "--report", path], bound_s)
        row.seconds = time.monotonic() - begun
        if not os.path.exists(path):
            row.broken = f"its time was over: {said[-600:]}" if status is None else said[-600:]
            return row, {}
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    row.reached, row.lost, row.doubled = found["kills"], found["lost"], found["doubled"]
    row.kinds = found["faults"]
    if status != 0:
        row.broken = said[-600:]
    return row, found


def table(rows):
    lines = ["| campaign | wanted | reached | broken | lost | doubled | at 95 % fewer than | seconds | again |",
             "|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        bound = f"{3 / row.reached:.1e}" if row.reached else "-"
        lines.append(f"| {row.what} | {row.wanted:,} | {row.reached:,} | {'yes' if row.broken else 'no'} | {row.lost} | "
                     f"{row.doubled} | {bound} | {row.seconds:.0f} | `{row.again}` |")
    return "\n".join(lines)


def kinds(title, counts, skipped):
    rows = "\n".join(f"| {name} | {count:,}{' (skipped: ' + skipped[name] + ')' if name in skipped else ''} |"
                     for name, count in counts.items())
    return f"### {title}\n\n| kind of fault | how often |\n|---|---|\n{rows}\n"


def commit():
    return subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True,
                          check=False).stdout.strip() or "unknown"


def document(rows, found, minutes):
    crashes = found.get("faults", {}).get("collector killed", 0)
    text = [f"""# Reliability: a run of everything

Written by `./dev chaos --long`; [reliability.md](reliability.md) says what each campaign is. {time.strftime('%Y-%m-%d', time.gmtime())}, commit {commit()}, {os.cpu_count()} cores ({platform.machine()}, Linux {platform.release()}), release builds with asserts on, load {os.getloadavg()[0]:.1f} at the end.

{table(rows)}

"Lost" and "doubled" are packs of the simulated worlds, and readings, incidents and messages of the real one. N trials without a failure leave a chance of less than 3/N each, at 95 %.
""",
            f"""## Real processes

Seed {found.get('seed', '-')}, {minutes:g} minutes of faults and then until enough processes were killed, {found.get('seconds', 0)} s with healing and comparing: {found.get('readings', 0):,} readings fed in, {found.get('packs promised', 0):,} packs promised, {found.get('incidents', 0):,} incidents (wanted: {INCIDENTS:,}) through {crashes:,} crashes of collector and notifier (wanted: {CRASHES:,}), {found.get('messages repeated under their key', 0):,} messages repeated under their key, each marked as a repetition.
"""]
    if found:
        text.append(kinds("Faults among real processes", found["faults"], found["skipped"]))
    text += [kinds(f"Faults in {row.what.split(':')[0]}", dict(row.kinds), {}) for row in rows if row.kinds and "--first" in row.again]
    text.append("""## What no run can show

Exactly once to a person or a phone network is impossible: a receiver that took a message and could not say so gets it again, under the same key and marked. A seed repeats a simulated life exactly; of real processes it repeats the order of the faults, not the moment at which they strike.
""")
    broken = [f"### {row.what}\n\n```\n{row.broken}\n```\n" for row in rows if row.broken]
    if broken:
        text += ["## What broke\n"] + broken
    return "\n".join(text)


def run(options):
    clock, begun = Clock(options.bound * 60), time.monotonic()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 20)
    chaos_found = []
    wait_s = max(0, options.bound * 60 - options.minutes * 60 - HEALING_S) if options.chaos_last else 0

    def chaos():
        threading.Event().wait(wait_s)
        chaos_found.append(chaos_row(options.minutes, seed, options.kills, clock.left()))

    beside = threading.Thread(target=chaos, daemon=True)
    tell(f"seed {seed}; the chaos of real processes runs beside the simulated lives, from {wait_s:.0f} s on")
    beside.start()
    first = 1 + seed * 1_000_000
    rows = [damage(clock), mutants(clock), *all_lives(first, clock)]
    beside.join()
    row, found = chaos_found[0]
    rows.append(row)
    with open(options.report, "w", encoding="utf-8") as file:
        file.write(document(rows, found, options.minutes))
    tell(f"{time.monotonic() - begun:.0f} s; {options.report}")
    for one in rows:
        tell(f"{one.what}: {one.reached:,} of {one.wanted:,}, lost {one.lost}, doubled {one.doubled}"
             + (f", BROKEN: {one.broken}" if one.broken else ""))
    return 1 if any(one.broken or one.lost or one.doubled for one in rows) else 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--minutes", type=float, default=12)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--chaos-last", action="store_true")
    parser.add_argument("--bound", type=float, default=58)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--report", default=os.path.join(ROOT, "docs", "reliability-report.md"))
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
