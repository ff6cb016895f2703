# SPDX-License-Identifier: Apache-2.0
"""What the benches share: rows of figures, medians, CPU seconds of a process and its threads."""
import os

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.path.join(ROOT, "build", "release", "bin")
TICKS = os.sysconf("SC_CLK_TCK")


def row(name, value, unit, budget=None, at_least=None, note=None):
    """A figure; `budget`: not more than that, `at_least`: not less; `note`: why it is not what was asked."""
    limit = budget if at_least is None else at_least
    ok = None if limit is None or value is None else (value <= limit if at_least is None else value >= limit)
    made = {"name": name, "unit": unit, "value": value, "budget": limit, "ok": ok}
    if at_least is not None:
        made["at_least"] = True
    if note:
        made["note"] = note
    return made


def percentile(values, share):
    """The smallest value that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values):
    return percentile(values, 0.5)


def program(name):
    path = os.path.join(BIN, name)
    if not os.path.exists(path):
        raise SystemExit(f"{path} is not built; run ./dev build release")
    return path


def _stat(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
    return name, (int(rest[11]) + int(rest[12])) / TICKS


def cpu_by_thread(pid):
    """{thread name: CPU seconds}; threads of one name are added up."""
    found = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            name, seconds = _stat(f"/proc/{pid}/task/{thread}/stat")
        except OSError:
            continue  # it ended just now
        found[name] = found.get(name, 0.0) + seconds
    return found


def cpu_exact(pid):
    """CPU seconds of all threads, to the nanosecond."""
    spent = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="utf-8") as file:
            spent += int(file.read().split()[0])
    return spent / 1e9


def memory_kib(pid):
    """{field: KiB} of smaps_rollup: Rss, Pss, Private_Dirty, ..."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        lines = file.read().splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) for line in lines}
