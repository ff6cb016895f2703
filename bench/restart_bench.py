# SPDX-License-Identifier: Apache-2.0
"""A collector that starts with a journal of 10 GB and a checkpoint near its beginning:
when it takes messages and answers, and when it has caught up.
"""
import json
import os
import shutil
import subprocess
import sys
import time

from figures import program, row
from scene import Stage, wait_for

GB = 1000 ** 3


def fill(data, devices, size):
    os.makedirs(data)
    subprocess.run([program("pipeline_bench"), "--house", data, str(devices), str(size)], check=True)
    return sum(entry.stat().st_size for entry in os.scandir(os.path.join(data, "journal")))


def serves(collector):
    """It answers, and has its subscription at the broker."""
    return collector.check_running() and collector.metric("broker_connected") == 1


def measure(devices, size):
    with Stage() as stage:
        collector = stage.collector(devices=1)
        held = fill(collector.data, devices, size)
        stage.start(stage.broker)
        collector.write()
        begun = time.monotonic()
        collector.start(ready=False)
        stage.started.append(collector)
        wait_for(lambda: serves(collector), 120, "it serves", step=0.01)
        serving = time.monotonic() - begun
        wait_for(collector.is_ready, 240, "it has caught up", step=0.1)
        return held, serving, time.monotonic() - begun


# What one seed of places holds: one record of the journal carries it, and 1,000,000 are too many for that.
MANY = 50000


def size_for(wanted):
    """(bytes, why it is less than wanted)"""
    free = shutil.disk_usage("/tmp").free
    if free > 2 * wanted:
        return wanted, None
    return free // 4, f"the disk has room for {free / GB:.0f} GB only"


def run(quick):
    size, note = (GB // 4, "quick: a small journal") if quick else size_for(10 * GB)
    many = 50000 if quick else MANY
    for devices, budget in ((1000, 1), (many, 10)):
        held, serving, caught_up = measure(devices, size)
        what = f"restart, {held / GB:.1f} GB journal, {devices:,} devices"
        yield row(f"{what}: intake and API serve", serving, "s", budget, note=note)
        yield row(f"{what}: caught up", caught_up, "s")


if __name__ == "__main__":
    for figure in run("--quick" in sys.argv[1:]):
        print(json.dumps(figure), flush=True)
