# SPDX-License-Identifier: Apache-2.0
"""A stream tells of readings, incidents and devices as they change, goes on from an id with exactly what came
after, keeps organisations apart, and ends when its token does or the collector does."""
import json
import time
import urllib.request

from house.broker import Broker
from house.clock import day
from house.collector import Collector
from house.mqtt import Client
from house.stream import Stream

EPOCH = "00000000000000aa"
SITES = [{"id": "store", "zones": [{"id": "room-1"}, {"id": "room-2"}]}]
RULES = [{"id": "warm", "zone": "room-1", "kind": "above", "quantity": "air_temperature",
          "levels": [{"level": 8, "recovery": 8, "recovery_delay": "0s"}]}]
MANY = 50


class Store:
    """A collector, a device of our own hand, and tokens."""

    def __init__(self, house):
        self.house, self.seq, self.at = house, 0, 0
        broker = Broker(house.folder, house.program("coldchainctl"))
        password = broker.add("fengjie/one")
        house.start(broker)
        self.collector = house.start(Collector(
            house.folder, house.program("coldchain-collector"), broker, sites=SITES, rules=RULES,
            devices=[{"id": "one", "zone": "room-1"}]))
        self.client = house.keep(Client(broker.port, "fengjie/one", password, "one"))
        self.client.publish("coldchain/v1/fengjie/one/status", json.dumps({"state": "online"}).encode())

    def send(self, value):
        # One that is not newer than the one before would be no reason for an incident.
        self.seq, self.at = self.seq + 1, max(time.time(), self.at + 0.01)
        payload = [{"n": "air_temperature", "u": "Cel", "t": self.at, "v": value}]
        self.client.publish(f"coldchain/v1/fengjie/one/readings/{EPOCH}/{self.seq}", json.dumps(payload).encode())

    def listen(self, token=None, last_id=None, source="127.0.0.1"):
        stream = self.house.keep(Stream(self.collector.port, token or self.collector.token, last_id, source))
        self.house.equal(stream.status, 200, "a stream begins")
        self.house.wait_for(stream.is_ready, 20, "everything that is there was told")
        return stream

    def seat(self, token, source):
        """A stream; None while those who left still have its seat."""
        stream = self.house.keep(Stream(self.collector.port, token, None, source))
        self.house.check(stream.status in (200, 429, 503), f"a stream begins: {stream.status}")
        return stream if stream.status == 200 else None

    def make(self, what, **body):
        request = urllib.request.Request(f"{self.collector.url}/api/v1/{what}", method="POST",
                                         data=json.dumps(body).encode())
        request.add_header("Authorization", f"Bearer {self.collector.token}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def token(self, org, expires=None):
        return self.make("tokens", name="t", org=org, role="integrator", scopes=["read"], expires=expires or day(90))

    def wait(self, stream, condition, what):
        self.house.wait_for(lambda: condition(stream), 20,
                            lambda: f"{what}: {stream.events[-5:]}")


def position(event_id):
    return int(event_id.split("-")[1])


def values(stream, zone="room-1"):
    return [channel["value"] for one in stream.named("zone") if one["id"] == zone for channel in one["channels"]]


def steps(stream):
    return [one["event"] for one in stream.named("incident")]


def story_readings_incidents_and_devices_as_they_change(house):
    store = Store(house)
    stream = store.listen()
    house.equal(stream.events[0][:2], ("reset", {}), "it begins anew")
    house.equal(sorted(one["id"] for one in stream.named("zone")), ["room-1", "room-2"], "all zones")
    store.wait(stream, lambda s: any(one["online"] for one in s.named("device")), "the device is online")
    begun = time.monotonic()
    store.send(4.5)
    store.wait(stream, lambda s: 4.5 in values(s), "the reading is told")
    house.say(f"from publishing a reading to its event: {(time.monotonic() - begun) * 1e3:.0f} ms")
    store.send(9.5)
    store.wait(stream, lambda s: steps(s) == ["opened"], "the incident opens")
    incident = stream.named("incident")[0]
    house.equal((incident["zone"], incident["device"], incident["value"]), ("room-1", "one", 9.5), "which incident")
    status, answer = store.collector.do("incident.acknowledge", id=incident["id"])
    house.equal(status, 200, f"it is acknowledged: {answer}")
    store.wait(stream, lambda s: steps(s)[-1] == "acknowledged", "the acknowledgement is told")
    store.send(4.0)
    store.wait(stream, lambda s: steps(s)[-1] == "closed", "the end is told")
    status, answer = store.collector.do("zone.put", id="room-2", site="store", name="Second room")
    house.equal(status, 200, f"a zone is renamed: {answer}")
    store.wait(stream, lambda s: s.named("zone")[-1]["name"] == "Second room", "the name is told")
    store.client.publish("coldchain/v1/fengjie/one/status", json.dumps({"state": "offline"}).encode())
    store.wait(stream, lambda s: not s.named("device")[-1]["online"], "the device is offline")
    house.check("age_ms" not in json.dumps(stream.events), "an age would be wrong by the time it is read")


def story_it_goes_on_from_an_id_with_what_came_after(house):
    store = Store(house)
    first = store.listen()
    store.send(4.5)
    store.wait(first, lambda s: 4.5 in values(s) and s.events[-1][2], "the reading is told")
    last = first.last_id
    first.stop()
    other = store.listen()  # somebody goes on listening
    store.send(5.5)
    store.send(9.5)
    store.wait(other, lambda s: steps(s) == ["opened"], "the incident opens")
    again = store.listen(last_id=last)
    house.equal(again.named("reset"), [], "it does not begin anew")
    house.equal([one["id"] for one in again.named("zone")], ["room-1"], "the zone that changed")
    house.equal(values(again), [9.5], "the latest of it, once")
    house.equal(steps(again), ["opened"], "the incident")
    house.equal(again.named("device"), [], "no device has changed")
    same = store.listen(last_id=again.last_id)
    house.equal([name for name, _, _ in same.events], ["ready"], "nothing came after")
    store.collector.stop()
    store.collector.start()
    anew = store.listen(last_id=again.last_id)
    house.equal(anew.events[0][:2], ("reset", {}), "after a restart it begins anew")
    house.equal([one["event"] for one in anew.named("incident")], ["present"], "with what is open")


def story_others_hear_nothing(house):
    store = Store(house)
    ours, theirs = store.listen(store.token("fengjie")["secret"]), store.listen(store.token("wushan")["secret"])
    store.make("grants", holder="chengdu", zone="room-1", **{"from": day(-7)})
    shown = store.listen(store.token("chengdu")["secret"])
    store.send(4.5)
    store.send(9.5)
    for stream, name in ((ours, "ours"), (shown, "shown")):
        store.wait(stream, lambda s: 9.5 in values(s) and steps(s), f"{name}: the incident is told")
    house.check(any(one["id"] == "one" for one in ours.named("device")), "our own device is told")
    house.equal(shown.named("device"), [], "a grant shows no device")
    house.equal({one["id"] for one in shown.named("zone")}, {"room-1"}, "a grant shows its zone")
    # The heartbeat names the position by which they would have heard.
    store.wait(theirs, lambda s: s.last_id and position(s.last_id) >= position(ours.last_id), "their turn came")
    house.equal([name for name, _, _ in theirs.events], ["reset", "ready"], "others hear nothing")


def story_it_ends_with_its_token_and_with_the_collector(house):
    store = Store(house)
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 6))
    short, token = store.listen(store.token("fengjie", soon)["secret"]), store.token("fengjie")
    taken, stays = store.listen(token["secret"]), store.listen()
    request = urllib.request.Request(f"{store.collector.url}/api/v1/tokens/{token['id']}", method="DELETE")
    request.add_header("Authorization", f"Bearer {store.collector.token}")
    urllib.request.urlopen(request, timeout=30).close()
    store.wait(taken, lambda s: s.ended, "the stream of a revoked token ends")
    house.equal(taken.events[-1][:2], ("end", {"reason": "revoked"}), "it says why")
    store.wait(short, lambda s: s.ended, "the stream of a token that expires ends")
    house.equal(short.events[-1][:2], ("end", {"reason": "expired"}), "it says why")
    house.check(not stays.ended, "others go on")
    begun = time.monotonic()
    store.collector.stop()
    took = time.monotonic() - begun
    store.wait(stays, lambda s: s.ended, "the stream ends with the collector")
    house.equal(stays.events[-1][:2], ("end", {"reason": "stopping"}), "it says why")
    house.check(took < 8, f"the collector stops while streams are open: {took:.1f} s")


def story_fifty_listen_and_one_does_not_read(house):
    store = Store(house)
    tokens = [store.token("fengjie")["secret"] for _ in range(2)]
    streams = [store.listen(tokens[i % 2], source=f"127.0.0.{i + 2}") for i in range(MANY)]
    sleeper = store.collector.open  # requests go on beside them
    store.send(4.5)
    for stream in streams:
        store.wait(stream, lambda s: 4.5 in values(s), "each hears the reading")
    house.check(sleeper("/api/v1/status"), "requests are answered")
    for stream in streams[:40]:
        stream.stop()
    store.send(6.5)
    for stream in streams[40:]:
        store.wait(stream, lambda s: 6.5 in values(s), "those that stayed hear the next")
    more = [house.wait_for(lambda i=i: store.seat(tokens[i % 2], f"127.0.1.{i + 2}"), 20, "a seat is free again")
            for i in range(MANY - 15)]
    for stream in more:
        house.wait_for(stream.is_ready, 20, "those who came later are told what is there")
