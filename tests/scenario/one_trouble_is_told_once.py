# SPDX-License-Identifier: Apache-2.0
"""Three warm probes of one room are one cause: one message, one person who takes it, and one end with
cause, action and disposition of the product. Who comes second is told who was first. And a message says how
long the goods bear it."""
import json
import os
import subprocess
import time

from house.broker import Broker
from house.collector import Collector
from house.mqtt import Client
from house.webhook import Receiver

EPOCH = "00000000000000aa"
SECRET = "a secret of the tests"
PROBES = ("north", "south", "west")
SITES = [{"id": "store", "name": "冷库", "zones": [{"id": "room-1", "name": "1", "band_low": 0, "band_high": 8,
                                                  "tau": "6h"}]}]
CLOSING = {"cause": "door", "action": "door_closed", "disposition": "unaffected"}


class Bench:
    def __init__(self, house):
        self.house = house
        self.ctl = house.program("coldchainctl")
        self.broker = Broker(house.folder, self.ctl)
        passwords = {name: self.broker.add(f"fengjie/{name}") for name in PROBES}
        self.receiver = house.start(Receiver(SECRET))
        house.start(self.broker)
        self.collector = house.start(Collector(
            house.folder, house.program("coldchain-collector"), self.broker, sites=SITES,
            webhooks=[{"name": "duty", "url": self.receiver.url, "secret": SECRET, "timeout": "10s"}],
            devices=[{"id": name, "zone": "room-1"} for name in PROBES]))
        status, answer = self.collector.do("rule.put", id="warm", zone="room-1", kind="above",
                                           quantity="air_temperature", levels=[{"level": 8, "delay": 0}])
        house.equal(status, 200, f"the rule is taken: {answer}")
        self.clients = {name: house.keep(Client(self.broker.port, f"fengjie/{name}", password, name))
                        for name, password in passwords.items()}

    def send(self, device, seq, value, ago_s=0):
        payload = [{"n": "air_temperature", "u": "Cel", "t": int(time.time() * 1000) / 1000 - ago_s, "v": value}]
        self.clients[device].publish(f"coldchain/v1/fengjie/{device}/readings/{EPOCH}/{seq}",
                                     json.dumps(payload).encode())

    def incidents(self, **query):
        return [one for one in self.collector.incidents(**query) if one["rule"] == "warm"]

    def told(self):
        return [(one["event"], one["device"]) for one in self.receiver.messages.values() if one["rule"] == "warm"]

    def refused(self, verb, first, **body):
        status, answer = self.collector.do(verb, **body)
        self.house.equal(status, 409, f"the second {verb} is refused: {answer}")
        self.house.check(first in json.dumps(answer), f"and told who was first: {answer}")

    def done(self, verb, **body):
        status, answer = self.collector.do(verb, **body)
        self.house.equal(status, 200, f"{verb}: {answer}")


def story_three_probes_are_one_trouble(house):
    bench = Bench(house)
    for count, name in enumerate(PROBES, 1):
        bench.send(name, 1, 9)
        house.wait_for(lambda wanted=count: len(bench.incidents()) == wanted, 20, f"{name} is an incident")
    house.wait_for(lambda: bench.told() == [("opened", "north")], 20, lambda: f"one is told: {bench.told()}")
    leader = bench.incidents()[0]
    house.equal({one["cause"] for one in bench.incidents()}, {leader["id"]}, "all are of one cause")
    house.equal([one["told"] for one in bench.incidents()], [True, False, False], "one was told")
    house.equal(len(bench.incidents(cause=leader["id"])), 3, "its members are listed")

    bench.done("incident.acknowledge", id=leader["id"])
    bench.refused("incident.acknowledge", "acknowledged it before", id=leader["id"])
    bench.done("incident.assign", id=leader["id"], to="wang")
    bench.refused("incident.assign", "wang", id=leader["id"], to="li")
    bench.done("incident.snooze", id=leader["id"], **{"for": "4h"})
    bench.done("incident.comment", id=leader["id"], text="门开着")
    status, answer = bench.collector.do("incident.close", id=leader["id"])
    house.equal(status, 400, f"nothing is closed without a cause: {answer}")
    bench.collector.kill()
    bench.collector.start()

    bench.done("incident.close", id=leader["id"], **CLOSING)
    bench.refused("incident.close", "closed it before", id=leader["id"], **CLOSING)
    house.equal({one["state"] for one in bench.incidents()}, {"closed"}, "all of it is closed")
    house.wait_for(lambda: sorted(event for event, _ in bench.told()) == ["closed", "opened"], 20,
                   lambda: f"the end is told once: {bench.told()}")
    one = bench.collector.get(f"/incidents/{leader['id']}")
    house.equal([done["kind"] for done in one["comments"]], ["acknowledge", "assign", "snooze", "comment", "close"],
                "what people did is kept")
    house.equal({key: one["closing"][key] for key in CLOSING}, CLOSING, "with what was said at the end")
    house.equal(len(one["members"]), 3, "and its members")
    house.equal((bench.receiver.complaints, bench.receiver.doubled()), ([], []), "the receiver's complaints")


def shown(bench, incident):
    done = subprocess.run([bench.ctl, "incidents", "show", incident, "--api", bench.collector.url, "--token-file",
                           os.path.join(bench.collector.data, "api.token")], capture_output=True, text=True,
                          timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8"})
    bench.house.equal(done.returncode, 0, f"incidents show: {done.stderr}")
    return done.stdout


def story_a_message_says_how_long_the_goods_bear_it(house):
    bench = Bench(house)
    bench.done("rule.put", id="power", zone="room-1", kind="mains_lost", quantity="mains", levels=[{"level": 25}])
    bench.send("north", 1, 4, ago_s=1800)
    bench.send("north", 2, 9)
    house.wait_for(bench.told, 20, "it is told")
    said = next(one for one in bench.receiver.messages.values() if one["rule"] == "warm")
    # goods at 4 that follow air at 9 with tau 6 h (4 to 9) are at 8 in 6 ln 5 h
    house.check("If the air stays at 9.0 °C, the goods reach 8.0 °C in 9 h 39 min (6 h 26 min–14 h 29 min). Check first"
                in said["text_en"], said["text_en"])
    house.check("若空气保持 9.0 °C，货物将在 9 h 39 min (6 h 26 min–14 h 29 min) 后达到 8.0 °C。先查" in said["text_zh"],
                said["text_zh"])
    house.check(said["text_en"].endswith(". Goods 4.0 °C, band 0.0 to 8.0 °C"), said["text_en"])
    harm = said["harm"]
    house.equal((harm["outlook"], harm["air"], harm["band_low"], harm["band_high"], harm["tau_from"]),
                ("comes", 9, 0, 8, "stated"), "for machines")
    one = bench.incidents()[0]
    house.equal(one["harm"], harm, "the API says the same")
    said = shown(bench, one["id"])
    house.check("9h39m (6h26m to 14h29m), if the air stays so" in said and "0.0 to 8.0 °C" in said, said)

    bench.collector.kill()
    bench.collector.start()
    house.equal(bench.incidents()[0]["harm"], harm, "and again after a crash")
    bench.send("north", 3, 5)
    house.wait_for(lambda: bench.incidents()[0]["state"] == "closed", 20, "it is over")
    house.equal(bench.incidents()[0]["harm"], None, "of what is over nothing is said")
