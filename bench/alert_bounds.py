# SPDX-License-Identifier: Apache-2.0
"""usage: alert_bounds.py PROGRAM KIND SEED YEARS: how long air without a failure stays above the top of
its last 24 calm hours, in worlds of bench/alerts_world.h (PROGRAM is alerts_world, SEED one for tuning).

Whoever goes by that time alone, even of the true air, must wait for the minutes that are exceeded once a
room-month, or calls more often than that for nothing. Printed for: any air; air with the compressor standing still,
no defrost, and mains on; air since the last door was shut. Of stops in a van: without the loading.
"""
import collections
import csv
import json
import os
import subprocess
import sys
import tempfile

MARGIN_K, HOUR_MS, DAY_MS = 0.2, 3600000, 86400000


def run(program, kind, seed, folder):
    subprocess.run([program, kind, str(seed), "365", "60", folder], check=True, stdout=subprocess.DEVNULL)
    path = os.path.join(folder, f"{kind}-{seed}")
    with open(path + ".jsonl", encoding="utf-8") as file:
        labels = [json.loads(line) for line in file]
    with open(path + ".csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    os.unlink(path + ".csv")
    return labels, rows


def minutes_covered(labels, wanted, rows):
    covered = bytearray(len(rows) + 1)
    for label in labels:
        if wanted(label):
            first, last = label["onset_ms"] // 60000, (label["settled_ms"] or label["end_ms"]) // 60000
            for at in range(max(first, 0), min(last + 1, len(rows))):
                covered[at] = 1
    return covered


def tally(labels, rows, seen, months):
    failing = minutes_covered(labels, lambda label: label["failure"], rows)
    busy = minutes_covered(labels, lambda label: True, rows)
    hours, filling = collections.deque(maxlen=24), []
    above = still = shut = since_duty = 0
    for at, row in enumerate(rows):
        air = float(row["truth_air_c"])
        if row["on_duty"] != "1" or failing[at]:
            above = still = shut = 0
            since_duty = 0 if row["on_duty"] != "1" else since_duty + 1
            continue
        since_duty += 1
        months[0] += 1 / (30 * 1440)
        if not busy[at]:
            filling.append(air)
            if len(filling) == 60:
                hours.append(max(filling))
                filling = []
        if len(hours) < 6 or since_duty < 121:
            continue
        is_above = air > max(hours) + MARGIN_K
        stands = row["compressor"] == "0" and row["defrost"] == "0" and row["mains"] == "1" and row["door"] == "0"
        for name, before, now in (("any", above, above + 1 if is_above else 0),
                                  ("compressor stands still", still, still + 1 if is_above and stands else 0),
                                  ("since the door was shut", shut, shut + 1 if is_above and row["door"] == "0" else 0)):
            if before > 0 and now == 0:
                seen[name].append(before)
        above = above + 1 if is_above else 0
        still = still + 1 if is_above and stands else 0
        shut = shut + 1 if is_above and row["door"] == "0" else 0


def main(words):
    program, kind, seed, years = words[1], words[2], int(words[3]), int(words[4])
    seen, months = collections.defaultdict(list), [0.0]
    with tempfile.TemporaryDirectory() as folder:
        for year in range(years):
            labels, rows = run(program, kind, seed + year, folder)
            tally(labels, rows, seen, months)
    for name in ("any", "since the door was shut", "compressor stands still"):
        lengths = sorted(seen[name], reverse=True)
        def once_in(share):
            at = int(months[0] * share)
            return lengths[at] if at < len(lengths) else 0
        print(f"{kind}, {name}: {len(lengths) / months[0]:.1f} a month, exceeded once a month {once_in(1)} min, "
              f"once in ten months {once_in(0.1)} min")


if __name__ == "__main__":
    main(sys.argv)
