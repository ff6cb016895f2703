# SPDX-License-Identifier: Apache-2.0
"""usage: alert_figures.py [--check] ROOT: the tables and the pictures of docs/alert-quality.md
are those of bench/alert_quality.jsonl and bench/alert_silence.jsonl (what alert_quality_bench
prints) and bench/alert_day.csv (what alert_day prints); writes them, or with --check says what differs (status 1).
"""
import json
import math
import os
import sys

BEGIN, END = "<!-- figures of bench/alert_quality.jsonl -->", "<!-- end of figures -->"
SILENCE_BEGIN = "<!-- figures of bench/alert_silence.jsonl -->"
KINDS = {"room": "#1f77b4", "freezer": "#d62728", "van": "#2ca02c"}
HEAD = ("rules", "false a room-month", "missed, of those that show (briefly)", "dead compressor told: median, worst, min",
        "on the spot: median, worst, min; after 15 min", "warning before harm: median, min",
        "harms told before; on the spot", "messages per incident")


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file if line.strip()]


def number(value, digits=1):
    return "-" if value is None else f"{value:,.{digits}f}"


def table(head, rows):
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *rows])


def kind_table(said, kind):
    rows = []
    for one in said:
        if one["world"] == kind:
            rows.append((one["rules"], number(one["false_per_month"], 2),
                         f"{one['missed']} of {one['to_tell'] - one['not_visible']} ({one['missed_brief']})",
                         f"{number(one['dead_min_median'])}, {number(one['dead_min_worst'], 0)}",
                         f"{number(one['dead_there_min_median'])}, {number(one['dead_there_min_worst'], 0)}; "
                         f"{one['dead_late_there']} of {one['dead']}", number(one["warning_min_median"], 0),
                         f"{one['harms_told_before']}; {one['harms_told_before_there']} of {one['harms']}",
                         number(one["notices_per_incident"], 2)))
    return table(HEAD, rows)


def silence_table(said):
    """What is not in the tables of each kind: silence, and harm that was told with less than 30 min left."""
    rows = []
    for one in said:
        if one["world"] not in KINDS:
            continue
        ours = one["rules"].startswith("ours")
        rows.append((one["world"], one["rules"], number(one["silences_per_month"], 2) if ours else "-",
                     str(one["silences_without_outage"]) if ours else "-", str(one["harms_with_time"]),
                     str(one["harms_short_there"]), str(one["harms_short"])))
    return table(("world", "rules", "silences a room-month", "of all, without an outage", "harms that leave 30 min",
                  "told with less left, on the spot", "from afar"), rows)


def recorded_table(said):
    rows = [(one["rules"], str(one["false"]), f"{one['missed']} of {one['spliced']}",
             f"{number(one['told_min_median'], 0)}, {number(one['told_min_worst'], 0)}")
            for one in said if "spliced" in one]
    return table(("rules", "false in 14 days", "missed", "told after the splice: median, worst, min"), rows)


def section(said):
    parts = [BEGIN]
    for kind in KINDS:
        years = next(one["years"] for one in said if one["world"] == kind)
        parts.append(f"**{kind}**, {years} years\n\n{kind_table(said, kind)}")
    parts += [f"**recorded freezer**\n\n{recorded_table(said)}", END]
    return "\n\n".join(parts)


def svg(width, height, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
            f'font-size="12">\n<rect width="{width}" height="{height}" fill="white"/>\n' + "\n".join(body) + "\n</svg>\n")


def text(x, y, what, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{what}</text>'


def line(x1, y1, x2, y2, colour="#999", more=""):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" {more}/>'


def trade_off(said):
    """False alarms against minutes, both by the logarithm."""
    def x_of(minutes):
        return 60 + 600 * math.log10(max(minutes, 5) / 5) / 2
    def y_of(false):
        return 360 - 320 * math.log10(max(false, 0.01) / 0.01) / 5
    body = [text(360, 395, "minutes until a dead compressor is told, median", 'text-anchor="middle"'),
            text(14, 200, "false alarms a room-month", 'text-anchor="middle" transform="rotate(-90 14 200)"')]
    for minutes in (5, 10, 15, 30, 60, 120, 240, 500):
        body += [line(x_of(minutes), 40, x_of(minutes), 360, "#eee"), text(x_of(minutes), 375, minutes, 'text-anchor="middle"')]
    for false in (0.01, 0.1, 1, 10, 100, 1000):
        body += [line(60, y_of(false), 660, y_of(false), "#eee"), text(55, y_of(false) + 4, f"{false:g}", 'text-anchor="end"')]
    for at, (kind, colour) in enumerate(KINDS.items()):
        of_kind = [one for one in said if one["world"] == kind and one["dead_min_median"] is not None]
        points = [(x_of(one["dead_min_median"]), y_of(one["false_per_month"]), one["rules"]) for one in of_kind]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, rules in points if rules.startswith("threshold"))
        body += [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-dasharray="4 3"/>',
                 text(560, 60 + 16 * at, kind, f'fill="{colour}"')]
        for x, y, rules in points:
            ours = rules.startswith("ours")
            body.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{6 if ours else 3}" fill="{colour}" '
                        f'fill-opacity="{1 if "signals" in rules else 0.55}"><title>{kind}, {rules}</title></circle>')
    body.append(text(60, 25, "lines: the band as a threshold, at once and after 10, 30, 180 min; large: ours, darker with signals"))
    return svg(690, 405, body)


def day_picture(rows):
    readings = [row for row in rows if row[0] == "r"]
    most_ms = max(int(row[1]) for row in readings)
    def x_of(ms):
        return 50 + 780 * int(ms) / most_ms
    def y_of(celsius):
        return 260 - 210 * (float(celsius) + 26) / 36
    body = [line(50, y_of(c), 830, y_of(c), "#eee") + text(45, y_of(c) + 4, c, 'text-anchor="end"') for c in range(-25, 11, 5)]
    body += [text(x_of(h * 3600000), 278, f"{h} h", 'text-anchor="middle"') for h in range(0, most_ms // 3600000 + 1, 6)]
    for flag, colour in ((3, "#ffd27f"), (4, "#9ecae1")):
        body += [line(x_of(row[1]), 50, x_of(row[1]), 260, colour, 'stroke-opacity="0.5"') for row in readings if row[flag] == "1"]
    path = " ".join(f"{x_of(row[1]):.1f},{y_of(row[2]):.1f}" for row in readings)
    body += [f'<polyline points="{path}" fill="none" stroke="#333"/>', line(50, y_of(-15), 830, y_of(-15), "#d62728", 'stroke-dasharray="4 3"')]
    for row in rows:
        if row[0] == "l":
            body += [line(x_of(row[1]), 40, x_of(row[1]), 260, "#d62728", 'stroke-width="2"'),
                     text(x_of(row[1]) - 4, 36, row[2].replace("_", " "), 'fill="#d62728" text-anchor="end"')]
        elif row[0] == "t":
            ours = row[2] == "ours"
            y, colour = (290, "#2ca02c") if ours else (303, "#1f77b4")
            body.append(f'<circle cx="{x_of(row[1]):.1f}" cy="{y}" r="4" fill="{colour}"><title>{row[2]}</title></circle>')
    body += [text(845, 294, "ours", 'fill="#2ca02c"'), text(845, 307, "threshold + 30 min", 'fill="#1f77b4"'),
             text(50, 18, "a freezer: readings a minute; yellow: defrosts, blue: doors, dashed: the goods' limit, dots: messages")]
    return svg(970, 315, body)


def between(page, begin, block):
    """The page with that block between its marks."""
    before, rest = page.split(begin)
    return before + block + rest.split(END, 1)[1]


def outputs(root):
    said = [json.loads(one) for one in lines_of(os.path.join(root, "bench", "alert_quality.jsonl"))]
    silence = [json.loads(one) for one in lines_of(os.path.join(root, "bench", "alert_silence.jsonl"))]
    page = os.path.join(root, "docs", "alert-quality.md")
    with open(page, encoding="utf-8") as file:
        whole = file.read()
    whole = between(whole, BEGIN, section(said))
    whole = between(whole, SILENCE_BEGIN, "\n\n".join((SILENCE_BEGIN, silence_table(silence), END)))
    day = [one.split(",") for one in lines_of(os.path.join(root, "bench", "alert_day.csv"))]
    return {page: whole,
            os.path.join(root, "docs", "alert-quality-trade-off.svg"): trade_off(said),
            os.path.join(root, "docs", "alert-quality-day.svg"): day_picture(day)}


def main(words):
    differs = []
    for path, wanted in outputs(words[-1]).items():
        if "--check" not in words:
            with open(path, "w", encoding="utf-8") as file:
                file.write(wanted)
            continue
        with open(path, encoding="utf-8") as file:
            if file.read() != wanted:
                differs.append(path)
    print("\n".join(f"{path} is not what bench/alert_figures.py makes" for path in differs) or "alert figures: fine")
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
