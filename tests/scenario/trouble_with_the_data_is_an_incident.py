# SPDX-License-Identifier: Apache-2.0
"""A cloned device and a journal that rots ring like a warm room does: one incident for each device
and cause, told once with its remedy, in its organisation only, until a person closes it."""
import glob
import json
import os
import time
import urllib.request

from house.broker import Broker
from house.clock import day
from house.collector import Collector
from house.mqtt import Client
from house.webhook import Receiver

EPOCH = "00000000000000aa"
SECRET = "a secret of the tests"
SITES = [{"id": "store", "name": "冷库", "zones": [{"id": "room-1", "name": "1"}]}]


class Bench:
    """A collector and devices of our own hand: `one` measures room-1, nobody declared `loose`."""

    def __init__(self, house):
        self.house = house
        self.broker = Broker(house.folder, house.program("coldchainctl"))
        passwords = {name: self.broker.add(f"fengjie/{name}") for name in ("one", "loose")}
        self.receiver = house.start(Receiver(SECRET))
        house.start(self.broker)
        self.collector = house.start(Collector(
            house.folder, house.program("coldchain-collector"), self.broker, sites=SITES,
            webhooks=[{"name": "duty", "url": self.receiver.url, "secret": SECRET, "timeout": "10s"}],
            devices=[{"id": "one", "zone": "room-1"}]))
        self.clients = {name: house.keep(Client(self.broker.port, f"fengjie/{name}", password, name))
                        for name, password in passwords.items()}
        self.sent = 0

    def send(self, device, seq, value):
        payload = [{"n": "air_temperature", "u": "Cel", "t": int(time.time()), "v": value}]
        self.clients[device].publish(f"coldchain/v1/fengjie/{device}/readings/{EPOCH}/{seq}",
                                     json.dumps(payload).encode())
        self.sent += 1

    def ask(self, path, token, method="GET", body=None):
        request = urllib.request.Request(self.collector.url + "/api/v1" + path, method=method,
                                         data=json.dumps(body).encode() if body is not None else None,
                                         headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def token_of(self, org):
        return self.ask("/tokens", self.collector.token, "POST", {
            "name": "watch", "org": org, "scopes": ["read", "incidents"], "expires": day(90)})["secret"]

    def found(self, kind, token=None):
        """[(device, zone, state)] of incidents of that kind that the caller sees."""
        page = self.ask("/incidents?limit=1000", token or self.collector.token)
        return sorted((one["device"], one["zone"], one["state"]) for one in page["incidents"] if one["kind"] == kind)

    def told(self, kind, event):
        return [one for one in self.receiver.events(event) if one["kind"] == kind]


def story_a_cloned_device(house):
    bench = Bench(house)
    want = [("loose", "", "open"), ("one", "room-1", "open")]
    for device in ("one", "loose"):
        for value in range(5):
            bench.send(device, 1, value)
    house.wait_for(lambda: bench.found("fork") == want, 20, lambda: f"incidents of forks: {bench.found('fork')}")
    house.wait_for(lambda: len(bench.told("fork", "opened")) == 2, 20, "both are told")
    for message in bench.told("fork", "opened"):
        house.check("name of its own" in message["text_en"] and "单独的名称" in message["text_zh"], message)
        house.equal((message["org"], message["severity"]), ("fengjie", "critical"), "whose it is")
    house.equal(bench.found("fork", bench.token_of("fengjie")), want, "what its organisation sees")
    house.equal(bench.found("fork", bench.token_of("wushan")), [], "what a neighbour sees")
    bench.collector.kill()
    bench.collector.start()
    for device in ("one", "loose"):
        bench.send(device, 1, 50)
    house.wait_for(lambda: bench.collector.quarantine()[0].get("fork") == 10, 20, "more of them are in quarantine")
    house.equal(bench.found("fork"), want, "which is no other incident")
    first = next(one for one in bench.ask("/incidents", bench.collector.token)["incidents"] if one["device"] == "one")
    house.equal(first["value"], 5, "it counts them")
    bench.ask(f"/incidents/{first['id']}/close", bench.token_of("fengjie"), "POST",
              {"cause": "procedure", "action": "repaired", "disposition": "no_product"})
    house.wait_for(lambda: bench.told("fork", "closed"), 20, "the closing is told")
    bench.send("one", 1, 60)
    house.wait_for(lambda: ("one", "room-1", "open") in bench.found("fork"), 20, "what goes on is another one")
    house.wait_for(lambda: len(bench.told("fork", "opened")) == 3, 20, "and told")
    house.equal((bench.receiver.complaints, bench.receiver.doubled()), ([], []), "the receiver's complaints")


def damage(collector):
    """One byte inside a message that was synced long ago, with sound records behind it."""
    for path in sorted(glob.glob(os.path.join(collector.data, "journal", "*"))):
        with open(path, "r+b") as file:
            at = file.read().find(b'"air_temperature"')
            if at > 0:
                file.seek(at)
                file.write(b"X")
                return
    raise AssertionError("no message is in the journal")


def story_a_journal_that_rots(house):
    bench = Bench(house)
    for seq in range(1, 6):
        bench.send("one", seq, 4)
    house.wait_for(lambda: bench.collector.count("one", "air_temperature") == 5, 20, "all are stored")
    bench.collector.stop()
    damage(bench.collector)
    bench.collector.start()
    house.wait_for(lambda: bench.found("journal_damage") == [("", "", "open")], 20, "the damage is an incident")
    house.wait_for(lambda: len(bench.told("journal_damage", "opened")) == 1, 20, "and told")
    message = bench.told("journal_damage", "opened")[0]
    house.check("coldchainctl journal verify" in message["text_zh"], message["text_zh"])
    house.equal(bench.found("journal_damage", bench.token_of("fengjie")), [], "it is the installation's, not a tenant's")
    bench.collector.stop()
    bench.collector.start()
    house.equal(len(bench.found("journal_damage")), 1, "a restart tells nothing new")
