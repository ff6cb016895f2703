# SPDX-License-Identifier: Apache-2.0
"""A rule is changed, and the agent in that zone has it; nothing else can be set from afar."""
import json
import os
import subprocess
import time

from house.agent import Agent
from house.broker import Broker
from house.clock import day
from house.collector import Collector
from house.mqtt import Client
from house.series import iso

SITES = [{"id": "store", "zones": [{"id": "room", "band_low": 2, "band_high": 12}]}]
RULES = [{"id": "warm", "zone": "room", "kind": "above", "quantity": "air_temperature", "levels": [{"level": 30}]}]
TOPIC = "coldchain/v1/fengjie/{}/config"
SIM = [{"name": "probe", "driver": "sim", "interval": "1s", "channels": [{"name": "air_temperature"}],
        "sim": {"zone": "van"}}]


class Store:
    """An agent that acts on rules, and a device of our own hand that does not."""

    def __init__(self, house):
        self.house = house
        self.broker = Broker(house.folder, house.program("coldchainctl"))
        self.password = self.broker.add("fengjie/old")
        self.agent = Agent(house.folder, house.program("coldchain-agent"), self.broker, "agent-1", SIM)
        house.start(self.broker)
        self.collector = house.start(Collector(
            house.folder, house.program("coldchain-collector"), self.broker, sites=SITES, rules=RULES,
            delivery={"ack_interval": "100ms"},
            devices=[{"id": "agent-1", "zone": "room"}, {"id": "old", "zone": "room"}]))

    def device(self, name):
        return next(one for one in self.collector.get("/devices") if one["id"] == name)

    def ctl(self, *words):
        return subprocess.run(
            [self.house.program("coldchainctl"), *words, "--api", self.collector.url, "--token-file",
             os.path.join(self.collector.data, "api.token")], capture_output=True, text=True, check=True).stdout

    def listen(self):
        client = self.house.keep(Client(self.broker.port, "fengjie/old", self.password, "old"))
        client.subscribe(TOPIC.format("old"))
        return client

    def wait_for_version(self, other_than):
        """The agent has what it is to have, and it is not that; the version."""
        def known():
            device = self.device("agent-1")
            return device["config_version"] and device["config_version"] == device["config_wanted"] \
                and device["config_version"] != other_than and device["config_version"]
        return self.house.wait_for(known, 20, lambda: f"the agent has its rules: {self.device('agent-1')}")

    def kept(self):
        with open(os.path.join(self.agent.settings["journal"]["dir"], "zone-rules.json"), encoding="utf-8") as file:
            return json.load(file)


def rules_of(payload):
    return json.loads(payload)["zones"][0]["rules"]


def story_rule_is_changed(house):
    store = Store(house)
    old = store.listen()
    house.start(store.agent)
    first = store.wait_for_version(None)
    house.equal(store.kept()["version"], first, "the agent keeps them beside its journal")
    house.equal([zone["zone"] for zone in store.kept()["zones"]], ["room"], "the rules of its zone")

    store.ctl("do", "rule.put", "id=warm", 'levels=[{"level":9,"delay":"5m"}]', "--reason", "harvest")
    second = store.wait_for_version(first)
    house.equal(store.kept()["zones"][0]["rules"][0]["levels"][0]["level"], 9, "the new level is in force")
    house.wait_for(lambda: store.agent.status().get("rules_version") == second, 30, "its status file says so")
    house.check("yes" in store.ctl("devices"), "coldchainctl devices says so")

    # a device that does not act on them is served as ever
    house.wait_for(lambda: len(old.received(TOPIC.format("old"))) == 2, 30, "the other device was told twice")
    house.equal(rules_of(old.received(TOPIC.format("old"))[-1])[0]["levels"][0]["delay"], 300000, "delays, too")
    old.publish("coldchain/v1/fengjie/old/status", '{"state":"online","version":"0.1.0"}', retain=True)
    old.publish("coldchain/v1/fengjie/old/readings/00000000000000aa/1",
                '[{"n":"air_temperature","u":"Cel","v":4.5}]')
    house.wait_for(lambda: store.device("old")["readings"] == 1, 30, "its readings are taken")
    house.equal(store.device("old")["config_version"], None, "it has said nothing of rules")
    house.check(store.device("old")["config_wanted"], "and is to have some")

    # the same again is nothing new
    sent = store.collector.metric("configs_total")
    store.ctl("do", "zone.put", "id=room", "name=Room 1")
    store.agent.stop()
    store.agent.start()
    house.wait_for(lambda: store.agent.status().get("is_connected"), 20, "the agent is back")
    house.equal(store.agent.status()["rules_version"], second, "they held from the start")
    house.equal(store.collector.metric("configs_total"), sent, "what is the same is not sent")

    store.ctl("do", "zone.duty", "id=room", "on=no", "why=empty")
    third = store.wait_for_version(second)
    house.equal(store.kept()["zones"][0]["on_duty"], False, "off duty is told")

    # what measures nothing any more is cleared
    store.ctl("do", "placement.end", "device=old")
    house.wait_for(lambda: old.received(TOPIC.format("old"))[-1] == b"", 30, "the retained message is cleared")
    told = len(old.received(TOPIC.format("old")))
    soon = int(time.time() * 1000) + 2500
    store.ctl("do", "placement.put", "device=old", "zone=room", f"from={iso(soon)}")
    house.wait_for(lambda: len(old.received(TOPIC.format("old"))) > told, 20, "what begins later is told then")
    house.check(time.time() * 1000 >= soon, "and not before")
    done = subprocess.run([house.program("coldchainctl"), "journal", "verify", store.agent.settings["journal"]["dir"]],
                          capture_output=True, text=True)
    house.equal(done.returncode, 0, f"the journal does not mind the file beside it: {done.stdout}")
    store.ctl("do", "placement.end", "device=agent-1")
    house.wait_for(lambda: "rules_version" not in store.agent.status(), 30, "the agent has none any more")
    house.wait_for(lambda: store.device("agent-1")["config_version"] is None, 30, "and says so")
    house.check(not os.path.exists(os.path.join(store.agent.settings["journal"]["dir"], "zone-rules.json")),
                "its file is gone")
    house.check(third != first, "each was another version")


def story_broker_loses_its_memory(house):
    store = Store(house)
    house.start(store.agent)
    version = store.wait_for_version(None)
    store.broker.stop()
    for name in os.listdir(store.broker.home):
        if name.endswith(".db"):
            os.remove(os.path.join(store.broker.home, name))
    store.broker.start()
    old = store.listen()
    house.wait_for(lambda: old.received(TOPIC.format("old")), 30, "the rules are published again")
    house.equal(rules_of(old.received(TOPIC.format("old"))[0])[0]["levels"][0]["level"], 30, "as they were")
    house.wait_for(lambda: store.agent.status().get("is_connected"), 20, "the agent is back")
    house.equal(store.agent.status()["rules_version"], version, "its rules held all the while")


def story_something_else_is_sent(house):
    """Whoever has the collector's password, or took over the broker, can set rules at most."""
    store = Store(house)
    house.start(store.agent)
    version = store.wait_for_version(None)
    store.collector.stop()
    forger = Client(store.broker.port, store.broker.COLLECTOR, store.broker.passwords[store.broker.COLLECTOR], "x")
    rows = [{"sensors": [{"name": "x", "driver": "exec", "exec": {"command": "/bin/sh"}}]},
            {"mqtt": {"uri": "mqtt://elsewhere", "ca_file": "/tmp/ca.pem"}},
            {"journal": {"dir": "/tmp"}}, {"exec": "/bin/sh"}, {"status": {"file": "/etc/passwd"}}]
    for count, row in enumerate(rows, start=1):
        forger.publish(TOPIC.format("agent-1"), json.dumps(
            {"v": 1, "version": "00000000000000ff", "zones": [], "must": list(row), **row}), retain=True)
        house.wait_for(lambda: store.agent.status().get("rules_refused") == count, 30,
                       lambda: f"{row} is refused: {store.agent.status()}")
    house.equal(store.agent.status()["rules_version"], version, "the last good ones stay in force")
    house.check("must be understood, and is not known here" in store.agent.log(), "the log says why")
    forger.stop()

    # the collector hears of it and puts right what the broker keeps
    store.collector.start()
    house.wait_for(lambda: store.collector.metric("configs_refused_total") > 0, 20, "the collector hears of it")
    store.agent.stop()
    store.agent.start()
    house.wait_for(lambda: store.agent.status().get("is_connected"), 20, "the agent is back")
    house.wait_for(lambda: store.device("agent-1")["online"], 30, "and was heard of")
    house.equal(store.agent.status()["rules_refused"], 0, "what is retained is good again")
    house.equal(store.agent.status()["rules_version"], version, "and the same")


def story_a_later_collector_says_more(house):
    """An agent that is older than its zone's settings judges the rest, and says what it does not know."""
    store = Store(house)
    house.start(store.agent)
    store.wait_for_version(None)
    house.wait_for(lambda: store.device("agent-1")["online"], 30, "it has said what it is")
    forger = Client(store.broker.port, store.broker.COLLECTOR, store.broker.passwords[store.broker.COLLECTOR], "x")
    later = store.kept()
    store.collector.stop()
    level = {"severity": "warning", "level": 30, "delay": 0, "recovery_level": 30, "recovery_delay": 0}
    rule = {"id": "x", "kind": "above", "quantity": "air_temperature", "levels": [level]}
    later["zones"][0].update(fog=1)
    later["zones"][0]["rules"] += [{**rule, "id": "mind", "kind": "telepathy"}, {**rule, "id": "odd", "must": ["slope"]}]
    later.update(version="00000000000000ee")
    forger.publish(TOPIC.format("agent-1"), json.dumps(later), retain=True)
    house.wait_for(lambda: store.agent.status().get("rules_version") == "00000000000000ee", 30, "it is in force")
    status = store.agent.status()
    house.equal((status["rules_refused"], status["rules_left_out"]), (0, 2), "two rules are left out")
    house.equal(status["rules_unknown"], 2, "and two words are not known")
    store.agent.stop()
    store.agent.start()
    house.wait_for(lambda: store.agent.status().get("rules_left_out") == 2, 20, "so it is from its own file")
    listener = house.keep(Client(store.broker.port, store.broker.COLLECTOR,
                                 store.broker.passwords[store.broker.COLLECTOR], "y"))
    topic = "coldchain/v1/fengjie/agent-1/status"
    listener.subscribe(topic)
    house.wait_for(lambda: any(b"telepathy" in one for one in listener.received(topic)), 20, "its status names them")
    said = json.loads(listener.received(topic)[-1])["config"]
    house.equal((said["form"], said["unknown"], said["left_out"]), (2, ["zone.fog", "kind.telepathy"], 2), "all of them")
    forger.stop()
    store.collector.start()
    house.wait_for(lambda: store.agent.status()["rules_left_out"] == 0, 90, "the collector puts right what it is to know")
    house.wait_for(lambda: store.device("agent-1")["config_unknown"] == [], 20, "and hears that all of it is known")


def story_an_older_agent_is_told_what_it_knows(house):
    store = Store(house)
    store.ctl("do", "zone.put", "id=room", "door_most=20m", f'loads=[{{"from":"{day(-7)}T10:00:00Z","entry_c":14}}]')
    old = store.listen()
    topic, status = TOPIC.format("old"), "coldchain/v1/fengjie/old/status"
    house.wait_for(lambda: old.received(topic), 20, "it is told")

    def zone():
        return json.loads(old.received(topic)[-1])["zones"][0]

    def say(**config):
        old.publish(status, json.dumps({"state": "online", "version": "0.1.0", "config": config}), retain=True)

    say(refused=0, version=json.loads(old.received(topic)[-1])["version"])
    house.wait_for(lambda: store.device("old")["config_unknown"] == ["zone.door_most", "zone.loads"], 20,
                   lambda: f"what it is not told is listed: {store.device('old')}")
    house.check("door_most" not in zone() and "loads" not in zone(), "for it would refuse all the rest")
    house.check("part" in store.ctl("devices"), "coldchainctl devices says so")
    say(form=2, refused=0, version=json.loads(old.received(topic)[-1])["version"])
    house.wait_for(lambda: zone().get("loads"), 20, "once it reads more, it is told more")
    house.equal((zone()["door_most"], zone()["loads"][0]["entry"]), (1200000, 14), "all of it")
