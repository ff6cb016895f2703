# SPDX-License-Identifier: Apache-2.0
"""usage: bench/backlog_bench.py [--quick] [--limit SIZE]

200 agents, the real ones, come back with 24 hours of readings each: how long until all
is evaluated, and what live alarms notice of it. --limit is delivery.backlog_limit. By
./dev bench backlog, or after ./dev build release by itself.
"""
import json
import os
import sys
import tempfile
import time

from figures import program, row
from scene import Alarms, Background, Stage, p50_p99, wait_for
from house.agent import Agent, replay_sensor

ROWS = 24 * 360  # one reading per 10 s
COLUMNS = "time=when,air_temperature=temperature"
PROBES, GAP_S = 800, 0.04  # half beside the backlog, half beside nothing


def write_day(folder):
    path, end = os.path.join(folder, "day.csv"), int(time.time()) - 60
    with open(path, "w", encoding="utf-8") as file:
        file.write("when,temperature\n")
        for i in range(ROWS):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end - (ROWS - i) * 10))
            file.write(f"{stamp},{4 + i % 30 / 10}\n")
    return path


def agents_of(stage, folder, count):
    """In memory: each has a disk of its own, where this machine has one for all of them."""
    path = write_day(folder)
    agents = [Agent(folder, program("coldchain-agent"), stage.broker, f"dev-{i}",
                    [replay_sensor(path, COLUMNS, ["air_temperature"])], org="bench")
              for i in range(count)]
    for agent in agents:
        agent.settings["status"]["interval"] = "1s"  # as it is when nothing is said
    return agents


def has_all(agent):
    return agent.status().get("readings_stored", 0) >= ROWS


def fill(stage, agents):
    """Their journals, while there is no broker; a few at a time."""
    for i in range(0, len(agents), 20):
        group = agents[i:i + 20]
        for agent in group:
            stage.start(agent)
        wait_for(lambda: all(has_all(agent) for agent in group), 120, "the journals are full")


def run(quick, limit=None):
    count = 20 if quick else 200
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="coldchain-bench-", dir=memory) as folder, Stage() as stage:
        agents = agents_of(stage, folder, count)
        alarms = Alarms(stage, PROBES)
        delivery = {"delivery": {"backlog_limit": limit}} if limit else {}
        collector = stage.collector(devices=count, probes=PROBES, **alarms.settings, **delivery)
        fill(stage, agents)
        stage.start(stage.broker)
        stage.start(collector, timeout=60)
        alarms.connect()
        total = count * ROWS
        begun, before = time.monotonic(), collector.metric("readings_total")
        live = Background(alarms.run, PROBES // 2, GAP_S, lambda: collector.metric("readings_total") >= total)
        wait_for(lambda: collector.metric("readings_total") >= total, 300,
                 lambda: f"{collector.metric('readings_total')} of {total} readings are evaluated", step=0.2)
        drained = time.monotonic() - begun
        busy = live.result()
        for agent in agents:
            stage.stop(agent)
        quiet = p50_p99(alarms.run(PROBES // 2, GAP_S))
        return rows_of(count, drained, before, busy, quiet)


def rows_of(count, drained, before, busy, quiet):
    what = f"backlog of {count} agents x 24 h ({count * ROWS / 1e6:.2f} M readings)"
    rows = [row(f"{what}: drained in", drained, "s", 60),
            row("backlog: readings per second", (count * ROWS - before) / drained, "readings/s"),
            row("live alarm beside nothing, p50", quiet[0], "ms"), row("live alarm beside nothing, p99", quiet[1], "ms")]
    if busy:
        rows.append(row("alarms timed beside the backlog", len(busy), "alarms"))
        rows.append(row("live alarm beside the backlog, p50", p50_p99(busy)[0], "ms"))
        rows.append(row("live alarm beside the backlog, p99", p50_p99(busy)[1], "ms"))
        rows.append(row("live alarm p99, beside the backlog / beside nothing", p50_p99(busy)[1] / quiet[1], "ratio", 2))
    return rows


if __name__ == "__main__":
    words = sys.argv[1:]
    for figure in run("--quick" in words, words[words.index("--limit") + 1] if "--limit" in words else None):
        print(json.dumps(figure), flush=True)
