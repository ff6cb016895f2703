# SPDX-License-Identifier: Apache-2.0
"""From the PUBLISH of a reading that alarms to its webhook delivered: quiet, and beside
10,000 messages a second.
"""
import json
import subprocess
import sys
import time

from figures import row
from scene import DEVICES, RATE, Alarms, Stage, p50_p99


def run(quick):
    count, packs = (40, 60) if quick else (90, 150)
    with Stage() as stage:
        stage.start(stage.broker)
        alarms = Alarms(stage)
        stage.start(stage.collector(probes=200, **alarms.settings), timeout=60)
        alarms.connect()
        quiet = p50_p99(alarms.run(count, 0.02))
        with subprocess.Popen(stage.flood_command(packs, RATE), stdout=subprocess.PIPE, text=True) as flood:
            time.sleep(1)  # until its rate is reached
            busy = alarms.run(count, packs * DEVICES / RATE * 0.7 / count, lambda: flood.poll() is not None)
            flood_said = json.loads(flood.communicate()[0])
        p50, p99 = p50_p99(busy)
        return [
            row("publish to webhook, quiet, p50", quiet[0], "ms"),
            row("publish to webhook, quiet, p99", quiet[1], "ms"),
            row("publish to webhook at 10,000 messages/s, p50", p50, "ms", 10),
            row("publish to webhook at 10,000 messages/s, p99", p99, "ms", 50),
            row("alarms timed beside the messages", len(busy), "alarms"),
            row("generator beside the alarms: rate reached", flood_said["published"] / flood_said["wall_s"],
                "messages/s"),
        ]


if __name__ == "__main__":
    for figure in run("--quick" in sys.argv[1:]):
        print(json.dumps(figure), flush=True)
