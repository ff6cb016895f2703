# SPDX-License-Identifier: Apache-2.0
"""coldchain-agent: its configuration and its process."""
import json
import os

from house.process import Process
from house.yamlfile import format_yaml


class Agent(Process):
    """`settings` is what the YAML file says; change it before start()."""

    def __init__(self, folder, program, broker, device, sensors, org="fengjie", **settings):
        home = os.path.join(folder, device)
        os.makedirs(home)
        self.device, self.program, self.extra = device, program, []
        self.path = os.path.join(home, "agent.yaml")
        self.status_path = os.path.join(home, "status.json")
        self.settings = {
            "org": org,
            "device": device,
            "mqtt": {"uri": broker.uri, "password": broker.add(f"{org}/{device}"),
                     "reconnect_min": "100ms", "reconnect_max": "2s"},
            "journal": {"dir": os.path.join(home, "journal")},
            "status": {"file": self.status_path, "interval": "200ms"},
            "sensors": sensors,
            **settings,
        }
        super().__init__(device, [], home)

    def write(self):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(format_yaml(self.settings))
        os.chmod(self.path, 0o600)
        self.command = [self.program, "--config", self.path, *self.extra]
        return self

    def start(self):
        self.write()
        if os.path.exists(self.status_path):
            os.remove(self.status_path)  # of an earlier life
        return super().start()

    def status(self):
        """The agent's counters, {} before it has written any since it was started."""
        try:
            with open(self.status_path, encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {}


def replay_sensor(path, columns, channels, rate="fast", name="recorder"):
    """`columns` as the agent has it: time=COLUMN[@ZONE],CHANNEL=COLUMN,..."""
    return {"name": name, "driver": "replay", "interval": "1s",
            "channels": [{"name": channel} for channel in channels],
            "replay": {"file": path, "columns": columns, "rate": rate}}
