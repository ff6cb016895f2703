# SPDX-License-Identifier: Apache-2.0
"""What Grafana makes of a dashboard before InfluxDB sees it, and what is wrong with one.

Grafana itself is in no Debian package and never runs here. Its expansion is repeated from
its documentation: template variables on the browser's side (a multi value as a regular
expression group), then $timeFilter, $__interval and $__interval_ms on the server's.
"""
import json
import re

from house.process import Failure

MACROS = {"timeFilter", "__interval", "__interval_ms", "interval"}
BUILT_IN = {"__url_time_range", "__value", "__field", "__data", "__from", "__to"}
VARIABLE = re.compile(r"\$\{(\w+)(?:[.:][\w.\[\]]+)*\}|\$(?!tag_)(\w+)")
IN_ALIAS = re.compile(r"\$tag_(\w+)")


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def variables_of(board):
    return {one["name"]: one for one in board["templating"]["list"]}


def regex_value(values):
    """${name:regex} of one or several values."""
    escaped = [re.sub(r"([\\^$.*+?()\[\]{}|/-])", r"\\\1", value) for value in values]
    return escaped[0] if len(escaped) == 1 else "(" + "|".join(escaped) + ")"


def expand(query, values, from_ms, to_ms, interval="1m", interval_ms=60000):
    """`values`: {variable: [chosen]}. Failure when anything is left unexpanded."""
    for name, chosen in values.items():
        query = query.replace("${%s:regex}" % name, regex_value(chosen))
        query = query.replace("${%s}" % name, chosen[0])
    query = query.replace("$timeFilter", f"time >= {from_ms}ms and time <= {to_ms}ms")
    query = query.replace("$__interval_ms", str(interval_ms)).replace("$__interval", interval)
    left = re.search(r"\$[{\w]", query)
    if left:
        raise Failure(f"Grafana would not expand all of: {query}")
    return query


def targets(board):
    """[(what, target)] of all panels."""
    return [(f"{board['uid']} panel {panel['id']} {panel['title']!r} {target['refId']}", target)
            for panel in board["panels"] for target in panel["targets"]]


def annotations(board):
    return [(f"{board['uid']} annotation {one['name']!r}", one["target"])
            for one in board["annotations"]["list"] if "target" in one]


# --- what is wrong with a dashboard, without a server --------------------------------------


def overlaps(left, right):
    return (left["x"] < right["x"] + right["w"] and right["x"] < left["x"] + left["w"]
            and left["y"] < right["y"] + right["h"] and right["y"] < left["y"] + left["h"])


def panel_problems(panel):
    at = panel["gridPos"]
    if at["x"] < 0 or at["x"] + at["w"] > 24 or min(at["w"], at["h"]) < 1:
        yield "leaves the grid of 24 columns"
    if not panel.get("description"):
        yield "has no description"
    if not panel["fieldConfig"]["defaults"].get("unit"):
        yield "has no unit"
    references = [target["refId"] for target in panel["targets"]]
    if not references or len(set(references)) != len(references):
        yield "has no target, or two of one name"
    for target in panel["targets"]:
        yield from target_problems(target)


def target_problems(target):
    if target.get("datasource") != {"type": "influxdb", "uid": "${ds}"}:
        yield "asks another data source than ${ds}"
    if target.get("rawQuery") is not True or target.get("resultFormat") not in ("time_series", "table"):
        yield "is not a raw query with a format"
    for tag in IN_ALIAS.findall(target.get("alias", "")):
        if f'"{tag}"::tag' not in target["query"].partition("GROUP BY")[2]:
            yield f"names $tag_{tag}, which it does not group by"


def link_problems(board, uids):
    for uid in re.findall(r"/d/([\w-]+)", json.dumps(board)):
        if uid not in uids:
            yield f"links to the dashboard {uid}, which is not there"
    for name in re.findall(r"var-(\w+)=", json.dumps(board)):
        if name not in variables_of(board):
            yield f"links with a variable {name}, which is not declared"


def board_problems(board, uids):
    text = json.dumps(board)
    declared = set(variables_of(board)) | MACROS | BUILT_IN
    ids = [panel["id"] for panel in board["panels"]]
    if not re.fullmatch(r"[\w-]{1,40}", board["uid"]):
        yield "has no fit uid"
    if len(set(ids)) != len(ids):
        yield "has two panels with one id"
    if "__inputs" in text or "${DS_" in text:
        yield "was exported for import, and cannot be provisioned"
    for braced, bare in VARIABLE.findall(text):
        if (braced or bare) not in declared:
            yield f"uses ${braced or bare}, which is not declared"
    for place, panel in enumerate(board["panels"]):
        yield from (f"panel {panel['id']} {problem}" for problem in panel_problems(panel))
        for other in board["panels"][:place]:
            if overlaps(panel["gridPos"], other["gridPos"]):
                yield f"panels {other['id']} and {panel['id']} overlap"
    yield from link_problems(board, uids)


def check_boards(boards):
    uids = [board["uid"] for board in boards]
    problems = [f"{board['uid']}: {problem}" for board in boards for problem in board_problems(board, set(uids))]
    if len(set(uids)) != len(uids):
        problems.append(f"two dashboards with one uid: {sorted(uids)}")
    if problems:
        raise Failure("\n".join(problems))


# --- and with one ------------------------------------------------------------------------


def choices(influx, board, from_ms, to_ms):
    """What the drop-down lists would offer, each query run with what stands above it."""
    values = {}
    for name, one in variables_of(board).items():
        if one["type"] != "query":
            continue
        found = influx.query(expand(one["query"], values, from_ms, to_ms))
        values[name] = sorted({row[1] for series in found for row in series["values"]})
        if not values[name]:
            raise Failure(f"{board['uid']}: the variable {name} has no value")
    return values


def rows_of(influx, query):
    """Rows with at least one value that is not null, beside the time."""
    return [row for series in influx.query(query) for row in series["values"]
            if any(value is not None for value in row[1:])]


def check_queries(influx, board, from_ms, to_ms, chosen=None):
    """Runs all of them with every value chosen, and with one; how many gave data."""
    every = choices(influx, board, from_ms, to_ms)
    single = {name: (chosen or {}).get(name, values[:1]) for name, values in every.items()}
    zone_is_one = not variables_of(board)["zone"]["multi"]
    asked = 0
    for what, target in targets(board) + annotations(board):
        for values in ([single] if zone_is_one else [every, single]):
            query = expand(target["query"], values, from_ms, to_ms)
            if not rows_of(influx, query):
                raise Failure(f"{what}: no data for\n  {query}")
            asked += 1
    return asked
