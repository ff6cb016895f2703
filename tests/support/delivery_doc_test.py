# SPDX-License-Identifier: Apache-2.0
"""Every test that docs/delivery.md names exists, and each of the 23 pitfalls names one."""
import os
import re
import sys

ROOT = sys.argv[1]
NAMED = re.compile(r"`([a-z][\w/.-]+\.(?:c|py|pml)): ([^`]+)`")


def exists(path, name):
    try:
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return False
    if path.endswith(".py"):
        return f"def {name}(" in text
    if path.endswith(".pml"):
        return re.search(rf"#ifn?def {name}\b", text) is not None
    return f'{{"{name}"' in text


def main():
    with open(os.path.join(ROOT, "docs", "delivery.md"), encoding="utf-8") as file:
        rows = [line for line in file if re.match(r"\| \d+ \|", line)]
    problems = []
    numbers = [int(row.split("|")[1]) for row in rows]
    if numbers != list(range(1, 24)):
        problems.append(f"the pitfalls are numbered {numbers}")
    for number, row in zip(numbers, rows):
        named = NAMED.findall(row)
        if not named:
            problems.append(f"pitfall {number} names no test")
        problems += [f"pitfall {number}: no '{name}' in {path}" for path, name in named if not exists(path, name)]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
