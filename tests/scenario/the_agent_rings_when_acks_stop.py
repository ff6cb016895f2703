# SPDX-License-Identifier: Apache-2.0
"""Collector gone, broker up: the agent runs its own command once when nothing is acknowledged any
more, once more when acks are back, and its status says so."""
import os

from house.agent import Agent
from house.broker import Broker
from house.collector import Collector


def story_collector_away(house):
    broker = Broker(house.folder, house.program("coldchainctl"))
    collector = Collector(house.folder, house.program("coldchain-collector"), broker,
                          delivery={"ack_interval": "200ms"})
    rung, siren = os.path.join(house.folder, "rung"), os.path.join(house.folder, "siren")
    with open(siren, "w", encoding="utf-8") as file:
        file.write('#!/bin/sh\necho "$2" >> "$1"\n')
    os.chmod(siren, 0o700)
    agent = Agent(
        house.folder, house.program("coldchain-agent"), broker, "one",
        [{"name": "probe", "driver": "null", "interval": "200ms", "channels": [{"name": "air_temperature"}]}],
        pack={"interval": "500ms"}, alarm={"no_ack_after": "3s", "command": [siren, rung], "timeout": "5s"})
    for part in (broker, collector, agent):
        house.start(part)

    def heard():
        try:
            with open(rung, encoding="utf-8") as file:
                return file.read().split()
        except FileNotFoundError:
            return []

    house.wait_for(lambda: agent.status().get("packs_acked", 0) > 2, 30, "packs are acknowledged")
    house.equal((heard(), agent.status()["is_ringing"]), ([], False), "before")
    collector.stop()
    house.wait_for(lambda: heard() == ["lost"], 30, lambda: f"it rings: {heard()}")
    house.wait_for(lambda: agent.status()["unacked_ms"] > 6000, 30, "it goes on")
    house.equal((heard(), agent.status()["is_ringing"]), (["lost"], True), "once")
    collector.start()
    house.wait_for(lambda: heard() == ["lost", "back"], 40, lambda: f"it is told: {heard()}")
    house.wait_for(lambda: not agent.status()["is_ringing"], 30, "the status says so")
    house.wait_for(lambda: agent.status()["alarm_runs"] == 2, 30, "commands")
    house.equal(agent.status()["alarm_runs_failed"], 0, "none failed")
