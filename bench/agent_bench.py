# SPDX-License-Identifier: Apache-2.0
"""What the agent takes of a small board: memory, a share of one core, bytes for the flash."""
import json
import os
import sys
import time

from figures import cpu_exact, memory_kib, program, row
from scene import ORG, Stage, wait_for
from house.agent import Agent
from house.broker import Broker
from house.tls import make_certificates

SENSORS = 8
DAY_S = 86400


def sensors():
    return [{"name": f"room-{i}", "driver": "sim", "interval": "10s",
             "channels": [{"name": f"air_temperature-{i}"}], "sim": {"zone": "room", "seed": i}}
            for i in range(1, SENSORS + 1)]


def settled(agent):
    status = agent.status()
    return status.get("is_connected") and status.get("packs_acked", 0) >= 1


class TlsBroker(Broker):
    @property
    def uri(self):
        return f"mqtts://localhost:{self.port}"


def memory_with_tls(folder):
    """Connected, idle, in the program that speaks TLS."""
    certificates = os.path.join(folder, "tls")
    make_certificates(certificates)
    broker = TlsBroker(folder, program("coldchainctl"), name="tls-mosquitto", words=(
        "--cert-file", f"{certificates}/api.crt", "--key-file", f"{certificates}/api.key"))
    agent = Agent(folder, program("coldchain-agent"), broker, "tls-board", sensors(), org=ORG)
    agent.settings["mqtt"]["ca_file"] = f"{certificates}/ca.crt"
    broker.start()
    try:
        agent.start()
        try:
            wait_for(lambda: agent.check_running() and agent.status().get("is_connected"), 60, "the agent is connected")
            return memory_kib(agent.pid)
        finally:
            agent.stop()
    finally:
        broker.stop()


def run(quick):
    seconds = 20 if quick else 60
    with Stage() as stage:
        agent = Agent(stage.folder, program("coldchain-agent"), stage.broker, "board", sensors(), org=ORG,
                      status={"file": os.path.join(stage.folder, "status.json"), "interval": "1s"})
        agent.status_path = os.path.join(stage.folder, "status.json")
        stage.start(stage.broker)
        stage.start(stage.collector(devices=1, delivery={"ack_interval": "10s"}))
        stage.start(agent)
        wait_for(lambda: agent.check_running() and settled(agent), 60, "the agent is acknowledged")
        before, wrote, begun = cpu_exact(agent.pid), agent.status()["bytes_written"], time.monotonic()
        time.sleep(seconds)  # the measurement itself
        spent, lasted = cpu_exact(agent.pid) - before, time.monotonic() - begun
        written = agent.status()["bytes_written"] - wrote
        memory = memory_kib(agent.pid)
        with_tls = memory_with_tls(stage.folder)
        return [
            row("agent: RSS without TLS", memory["Rss"] / 1024, "MiB", 4),
            row("agent: of these its own, not shared with other programs",
                (memory["Private_Dirty"] + memory["Private_Clean"]) / 1024, "MiB"),
            row("agent: RSS with TLS", with_tls["Rss"] / 1024, "MiB", 12),
            row("agent: share of a core at 8 sensors per 10 s", 100 * spent / lasted, "%", 0.1),
            row("agent: written to flash at 8 sensors per 10 s", written / lasted * DAY_S / 1e6, "MB/day"),
        ]


if __name__ == "__main__":
    for figure in run("--quick" in sys.argv[1:]):
        print(json.dumps(figure), flush=True)
