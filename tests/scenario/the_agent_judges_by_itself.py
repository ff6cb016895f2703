# SPDX-License-Identifier: Apache-2.0
"""The broker is down and the room gets warm: the agent rings within the rule's delay, killed or
not; when the broker is back the collector has the same incident, and tells of it once, as late. What people do
to it at the collector the agent learns, away or not, and its siren does the same."""
import json
import os

from house.agent import Agent
from house.broker import Broker
from house.clock import VirtualClock
from house.collector import Collector
from house.webhook import Receiver

RATE = 60  # minutes of the room are seconds of ours
SECRET = "a secret of the tests"
SITES = [{"id": "store", "zones": [{"id": "room"}]}]
RULES = [{"id": "warm", "zone": "room", "kind": "above", "quantity": "air_temperature",
          "levels": [{"severity": "critical", "level": 8, "delay": "9m", "recovery": "7", "recovery_delay": "1m"}]}]


class Room:
    """A probe that reads what we write, an agent with a siren, and the rest of the house."""

    def __init__(self, house, rate=RATE, interval="10s"):
        self.house = house
        self.probe, self.rung = (os.path.join(house.folder, name) for name in ("probe", "rung"))
        siren, self.mute = os.path.join(house.folder, "siren"), os.path.join(house.folder, "mute")
        with open(siren, "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\necho "$2 $COLDCHAIN_INCIDENT $COLDCHAIN_OPEN" >> "$1"\n')
        os.chmod(siren, 0o700)
        self.set(4)
        self.clock = VirtualClock(1790000000000, rate)
        self.receiver = Receiver(SECRET)
        self.broker = Broker(house.folder, house.program("coldchainctl"))
        self.collector = Collector(
            house.folder, house.program("coldchain-collector"), self.broker, sites=SITES, rules=RULES,
            webhooks=[{"name": "duty", "url": self.receiver.url, "secret": SECRET, "timeout": "10s"}],
            delivery={"ack_interval": "100ms"}, devices=[{"id": "agent-1", "zone": "room"}])
        self.agent = Agent(
            house.folder, house.program("coldchain-agent"), self.broker, "agent-1",
            [{"name": "probe", "driver": "exec", "interval": interval, "channels": [{"name": "air_temperature"}],
              "exec": {"command": ["/bin/cat", self.probe]}}], drain_timeout="0s", pack={"interval": "300ms"},
            alarm={"on_incident": [siren, self.rung], "severity": "critical", "repeat": "0s",
                   "mute_file": self.mute})
        self.agent.extra, self.collector.extra = self.clock.flags(), self.clock.flags()
        for part in (self.receiver, self.broker, self.collector, self.agent):
            house.start(part)
        house.wait_for(lambda: self.agent.status().get("rules_version"), 20, "the agent has its rules")
        house.wait_for(lambda: self.agent.status()["packs_acked"] > 1, 20, "packs are acknowledged")

    def set(self, celsius):
        with open(self.probe + ".new", "w", encoding="utf-8") as file:
            json.dump([{"n": "air_temperature", "u": "Cel", "v": celsius}], file)
        os.replace(self.probe + ".new", self.probe)

    def heard(self):
        """[[event, incident, how many ring]]"""
        try:
            with open(self.rung, encoding="utf-8") as file:
                return [line.split() for line in file]
        except FileNotFoundError:
            return []

    def events(self):
        return [one[0] for one in self.heard()]

    def lose_the_broker(self):
        self.broker.stop()
        self.house.wait_for(lambda: not self.agent.status()["is_connected"], 20, "the broker is away")

    def do(self, verb, **body):
        incident = self.collector.incidents()[0]["id"]
        status, answer = self.collector.do(verb, reason="so it is", id=incident, **body)
        self.house.check(status == 200, f"{verb}: {answer}")


def story_broker_down_and_the_room_gets_warm(house):
    room = Room(house)
    room.broker.stop()
    house.wait_for(lambda: not room.agent.status()["is_connected"], 20, "the broker is away")
    taken = room.agent.status()["readings_stored"]
    room.set(9.3)
    begun_ms = room.clock.now_ms()
    house.wait_for(lambda: room.agent.status()["readings_stored"] > taken + 6, 20, "the warm room is in the journal")
    room.agent.kill()
    room.agent.start()
    house.wait_for(lambda: room.events() == ["opened"], 30, lambda: f"it rings: {room.heard()}")
    rung_ms = room.clock.now_ms()
    room.agent.stop()
    room.agent.start()
    house.wait_for(lambda: [one["is_told"] for one in room.agent.status().get("incidents", [])] == [True], 20,
                   "it is open after a restart, and told")
    mine = room.agent.status()["incidents"][0]
    house.equal((mine["rule"], mine["zone"], mine["severity"], mine["value"], mine["limit"]),
                ("warm", "room", "critical", 9.3, 8), "the status says what it is")
    house.equal(room.heard(), [["opened", mine["id"], "1"]], "it rang once")
    house.say(f"rang {(rung_ms - begun_ms) / 60000:.1f} minutes after the room got warm, delay 9")

    # not before anybody would call it late
    house.wait_for(lambda: room.clock.now_ms() > rung_ms + 10 * 60000, 30, "some minutes pass")
    room.broker.start()
    house.wait_for(lambda: room.collector.incidents(), 20, "the collector learns of it")
    house.equal([one["id"] for one in room.collector.incidents()], [mine["id"]], "under the same id")
    house.wait_for(lambda: room.receiver.messages, 20, "people are told")
    with open(room.mute, "w", encoding="utf-8"):
        pass
    house.wait_for(lambda: room.events() == ["opened", "muted"], 20, lambda: f"it is quiet: {room.heard()}")
    house.equal(room.heard()[1][-1], "0", "nothing rings")
    room.set(4)
    house.wait_for(lambda: room.events() == ["opened", "muted", "closed"], 30, lambda: f"it is over: {room.heard()}")
    house.wait_for(lambda: len(room.receiver.messages) == 2, 20, "people are told that it is")
    said = sorted(room.receiver.messages.values(), key=lambda one: one["event"] != "opened")
    house.equal([one["event"] for one in said], ["opened", "closed"], "once")
    # the first may be said of a live reading, which overtakes the older ones: these correct it
    house.check(said[1]["late"], "as late")
    house.equal([one["state"] for one in room.collector.incidents()], ["closed"], "there is no other")
    house.equal(room.receiver.complaints, [], "the receiver is content")


def story_what_people_do_is_done_at_the_siren_too(house):
    room = Room(house, rate=600, interval="1m")
    room.set(9.3)
    house.wait_for(lambda: room.events() == ["opened"], 30, lambda: f"it rings: {room.heard()}")
    house.wait_for(lambda: room.collector.incidents(), 20, "the collector knows")
    room.do("incident.acknowledge")
    house.wait_for(lambda: room.events() == ["opened", "muted"], 20, lambda: f"it is quiet: {room.heard()}")
    house.equal(room.heard()[-1][-1], "0", "nothing rings")
    acknowledged_ms = room.clock.now_ms()
    room.lose_the_broker()
    house.wait_for(lambda: room.events() == ["opened", "muted", "opened"], 60, lambda: f"it comes back: {room.heard()}")
    house.check(room.clock.now_ms() - acknowledged_ms > 3.5 * 3600000, "nobody said a word for 4 hours, nor could")
    house.equal({one[1] for one in room.heard() if one[0] == "opened"}, {room.collector.incidents()[0]["id"]}, "as it was")

    room.broker.start()
    house.wait_for(lambda: room.agent.status()["is_connected"] and room.agent.status()["backlog"] < 5, 60, "all is sent")
    house.wait_for(lambda: [one["state"] for one in room.collector.incidents()] == ["open"], 20, "it is still that one")
    room.agent.kill()
    room.do("incident.close", cause="door", action="door_closed", disposition="unaffected")
    house.equal(len(room.heard()), 3, "it does not know of that yet")
    closed_ms = room.clock.now_ms()
    room.agent.start()
    house.wait_for(lambda: room.events()[3:] == ["closed"], 20, lambda: f"it is closed there, too: {room.heard()}")
    house.wait_for(lambda: room.clock.now_ms() > closed_ms + 30 * 60000, 60, "it goes on being warm")
    house.wait_for(lambda: room.agent.status().get("incidents_open") == 0, 20, "the agent opens no other")
    house.equal(room.events(), ["opened", "muted", "opened", "closed"], "and does not ring")
    house.equal([one["state"] for one in room.collector.incidents()], ["closed"], "nor does the collector")
    room.set(4)
