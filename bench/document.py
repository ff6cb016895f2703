# SPDX-License-Identifier: Apache-2.0
"""usage: document.py [--check] ROOT: the figures of docs/performance.md are those of
bench/results.json; writes them there, or with --check says what differs (status 1).
"""
import json
import os
import re
import sys

import table

BEGIN, END = "<!-- figures of bench/results.json: ./dev bench --save -->", "<!-- end of figures -->"


def taken(run, cpus):
    how = "small sizes (`--quick`)" if run["quick"] else "full sizes"
    return (f"{run['at'][:10]}, {how}, {cpus} cores, release build, "
            f"load {run['load_before']} before and {run['load_after']} after.")


def section(result):
    head = taken(result, result["cpus"])
    if result.get("runs"):
        head = "\n".join(f"* {', '.join(run['benches'])}: {taken(run, result['cpus'])}" for run in result["runs"])
    failed = "".join(f"\n\nFailed: {name} {why}." for name, why in result["failed"].items())
    return f"{BEGIN}\n\n{head}{failed}\n\n{table.markdown(result)}\n\n{END}"


def parts(text):
    """Before the figures, they, and what follows."""
    assert text.count(BEGIN) == 1 and text.count(END) == 1, "docs/performance.md has no place for the figures"
    before, rest = text.split(BEGIN)
    figures, after = rest.split(END)
    return before, BEGIN + figures + END, after


def problems(text, result):
    _, figures, after = parts(text)
    found = [] if figures == section(result) else ["the figures are not those of bench/results.json: ./dev bench --save"]
    explained = set(re.findall(r"^\* \*\*(\w+)\*\*", after, re.M))
    missed = {row["bench"] for row in result["figures"] if row["ok"] is False}
    return found + [f"{bench} misses a budget, and no paragraph '* **{bench}**' says what limits it"
                    for bench in sorted(missed - explained)]


def main(words):
    root = words[-1]
    path = os.path.join(root, "docs", "performance.md")
    with open(os.path.join(root, "bench", "results.json"), encoding="utf-8") as file:
        result = json.load(file)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if "--check" in words:
        found = problems(text, result)
        print("\n".join(found) or f"docs/performance.md has the {len(result['figures'])} figures of bench/results.json")
        return 1 if found else 0
    before, _, after = parts(text)
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + section(result) + after)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
