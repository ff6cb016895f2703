# SPDX-License-Identifier: Apache-2.0
"""usage: table.py RESULTS.json: a result of the benches as a table in Markdown; without a
budget first what has one.
"""
import json
import sys


def number(value):
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def verdict(row):
    if row["budget"] is None:
        return ""
    if row["value"] is None:
        return "not yet"
    return "ok" if row["ok"] else "MISSED"


def cells(row):
    ratio = row["value"] / row["budget"] if row["budget"] and row["value"] is not None else None
    sign = ">= " if row.get("at_least") else "<= "
    return [row["name"] + (f" ({row['note']})" if row.get("note") else ""),
            sign + number(row["budget"]) if row["budget"] is not None else "",
            f"{number(row['value'])} {row['unit']}" if row["value"] is not None else "-",
            f"{ratio:.2f}" if ratio is not None else "", verdict(row)]


HEAD = ["what", "budget", "figure", "figure / budget", "verdict"]


def ordered(result):
    budgeted = [row for row in result["figures"] if row["budget"] is not None]
    return budgeted + [row for row in result["figures"] if row["budget"] is None]


def text(result):
    rows = [HEAD] + [cells(row) for row in ordered(result)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    lines += [f"failed: {name} {why}" for name, why in result["failed"].items()]
    return "\n".join(lines)


def markdown(result):
    lines = ["| " + " | ".join(row) + " |" for row in [HEAD, ["---"] * len(HEAD)]]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in ordered(result)]
    return "\n".join(lines)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as source:
        print(markdown(json.load(source)))
