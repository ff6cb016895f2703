# SPDX-License-Identifier: Apache-2.0
"""What a QoS 1 message costs the collector, beside a subscriber that only receives with
Paho and parses with jansson, in the same run, behind the same broker and generator.
"""
import json
import os
import subprocess
import sys

from figures import cpu_by_thread, median, program, row
from scene import DEVICES, RATE, READINGS, Stage, wait_for
from house.influx import Influx

TURNS = 3


def floor_of(stage, packs):
    """CPU seconds per message of the subscriber that does nothing else."""
    count, broker = packs * DEVICES, stage.broker
    process = subprocess.Popen(
        [program("bare_subscriber"), str(broker.port), "collector", broker.passwords["collector"],
         "coldchain/v1/+/+/readings/+/+", str(count)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == "READY"
    sent = stage.flood(packs, RATE)
    got = json.loads(process.stdout.readline())
    process.wait(timeout=30)
    return sent, got["cpu_s"] / count


def through(collector, want, influx):
    found = collector.metrics()
    return found["history_readings_total"] >= want and (not influx or found["influx_lines_total"] >= want / READINGS)


def collector_of(stage, collector, packs, influx):
    """CPU seconds per message by thread."""
    pid, count = collector.child.pid, packs * DEVICES
    before, taken = cpu_by_thread(pid), collector.metric("packs_total")
    sent = stage.flood(packs, RATE)
    wait_for(lambda: collector.metric("packs_total") >= taken + count, 120, "all packs are taken")
    wait_for(lambda: through(collector, (taken + count) * READINGS, influx), 240, "the followers are through", step=0.5)
    after = cpu_by_thread(pid)
    return sent, {name: (after[name] - before.get(name, 0.0)) / count for name in after}


def run(quick):
    packs = 20 if quick else 100
    with Stage() as stage:
        stage.start(stage.broker)
        alone = stage.flood(packs, 0)
        influx = stage.start(Influx(stage.folder)) if os.path.exists("/usr/bin/influxd") else None
        floors, turns, behind = [], [], 0
        collector = stage.collector(**({"influx": {"url": influx.url}} if influx else {}))
        for _ in range(1 if quick else TURNS):  # by turns: what disturbs one disturbs the other
            sent, floor = floor_of(stage, packs)
            stage.start(collector, timeout=60)
            loaded, parts = collector_of(stage, collector, packs, influx)
            stage.stop(collector)
            floors.append(floor)
            turns.append(parts)
            behind = max(behind, sent["most_behind"], loaded["most_behind"])
        return rows_of(alone, floors, turns, behind, influx)


def rows_of(alone, floors, turns, behind, influx):
    floor = median(floors)

    def ratio(names):
        return median([sum(parts.get(name, 0.0) for name in names(parts)) / one for one, parts in zip(floors, turns)])

    followers = ("history", "influx")
    rows = [
        row("generator alone, full speed", alone["published"] / alone["wall_s"], "messages/s"),
        row("generator: behind its rate of 10,000/s by at most", behind, "messages"),
        row("floor: Paho and jansson, CPU per message", floor * 1e6, "us"),
        row("collector, CPU per QoS 1 message / floor", ratio(lambda parts: [n for n in parts if n not in followers]),
            "ratio", 1.5),
        row("history follower / floor", ratio(lambda _: ["history"]), "ratio", 0.3),
    ]
    if influx:
        rows.append(row("influx follower / floor", ratio(lambda _: ["influx"]), "ratio", 0.3))
    else:
        rows.append(row("influx follower / floor", None, "ratio", 0.3, note="influxd is not installed"))
    parts = {name: median([one.get(name, 0.0) for one in turns]) for name in turns[0]}
    for name in sorted(parts, key=parts.get, reverse=True)[:5]:
        rows.append(row(f"collector thread '{name}', CPU per message", parts[name] * 1e6, "us"))
    return rows


if __name__ == "__main__":
    for figure in run("--quick" in sys.argv[1:]):
        print(json.dumps(figure), flush=True)
