# SPDX-License-Identifier: Apache-2.0
"""What the benches share: rows of figures, CPU seconds of a process and its threads."""
import os

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.path.join(ROOT, "build", "release", "bin")
TICKS = os.sysconf("SC_CLK_TCK")


def row(name, value, unit, budget=None):
    return {"name": name, "value": value, "unit": unit, "budget": budget,
            "ok": None if budget is None else value <= budget}


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
