# SPDX-License-Identifier: Apache-2.0
"""What a page of 30 days x 2 channels at one reading a minute waits for: the series by
the API, out of a history that got them from the real agent.
"""
import json
import os
import sys
import time
import urllib.error

from figures import median, program, row
from scene import ORG, Stage, wait_for
from house.agent import Agent, replay_sensor

CHANNELS = {"air_temperature": "temperature", "humidity": "humidity"}
TIMES = 7


def write_month(folder, rows):
    path, end = os.path.join(folder, "month.csv"), int(time.time()) // 60 * 60
    with open(path, "w", encoding="utf-8") as file:
        file.write("when,temperature,humidity\n")
        for i in range(rows):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end - (rows - i) * 60))
            file.write(f"{stamp},{4 + i % 30 / 10},{85 + i % 70 / 10}\n")
    return path


def timed_ms(collector, path, parameters):
    times = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        collector.open(path, parameters)
        times.append((time.perf_counter() - begun) * 1e3)
    return median(times)


def series_ms(collector, begin):
    """None when there is no such route."""
    total = 0.0
    for channel in CHANNELS:
        parameters = {"channel": channel, "from": begin, "to": int(time.time()) * 1000, "buckets": 1000}
        try:
            total += timed_ms(collector, f"/api/v1/devices/{ORG}/dev-0/series", parameters)
        except urllib.error.HTTPError as error:
            print(f"page: series answers {error.code}", file=sys.stderr)
            return None
    return total


def run(quick):
    days = 30
    rows = days * 1440
    with Stage() as stage:
        agent = Agent(stage.folder, program("coldchain-agent"), stage.broker, "dev-0", [
            replay_sensor(write_month(stage.folder, rows), "time=when,air_temperature=temperature,humidity=humidity",
                          CHANNELS)], org=ORG)
        stage.start(stage.broker)
        collector = stage.start(stage.collector(devices=1, delivery={"ack_interval": "200ms"}))
        stage.start(agent)
        wait_for(lambda: agent.check_running() and collector.metric("history_readings_total") >= 2 * rows, 180,
                 lambda: f"{collector.metric('history_readings_total')} of {2 * rows} readings are in the history")
        stage.stop(agent)
        begin = int(time.time() - (days + 1) * 86400) * 1000
        whole = sum(timed_ms(collector, f"/api/v1/devices/{ORG}/dev-0/readings",
                             {"channel": channel, "from": begin, "limit": 100000}) for channel in CHANNELS)
        series = series_ms(collector, begin)
        return [
            row("30 days x 2 channels at 1 min: every reading as JSON", whole, "ms"),
            row("30 days x 2 channels at 1 min: down-sampled series", series, "ms", 50,
                note=None if series is not None else "no such route in this version"),
            row("shipment page, API", None, "ms", 50, note="there are no shipments in this version"),
            row("shipment page, PDF", None, "ms", 300, note="there are no shipments in this version"),
            row("console: first load, gzipped", None, "KiB", 60, note="there is no console in this version"),
        ]


if __name__ == "__main__":
    for figure in run("--quick" in sys.argv[1:]):
        print(json.dumps(figure), flush=True)
