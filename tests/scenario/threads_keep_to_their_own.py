# SPDX-License-Identifier: Apache-2.0
"""Every thread of the collector at work at once; under ./dev tsan no two reach for the same thing.

In any build all of it must succeed; in the preset `tsan` the thread sanitizer reports what
two threads touched without agreement, and the story fails with it.
"""
import http.client
import json
import os
import threading
import time
import urllib.parse

from house.broker import Broker
from house.collector import Collector
from house.influx import FalseInflux
from house.mqtt import Client
from house.webhook import Receiver

SECRET, PASSWORD = "a secret of thirty-two characters", "orange truck seven hill"
SITES = [{"id": "store", "zones": [{"id": f"room-{i}"} for i in range(4)]}]
RULES = [{"id": f"warm-{i}", "zone": f"room-{i}", "kind": "above", "quantity": "air_temperature",
          "levels": [{"level": 8}]} for i in range(4)]
ROUNDS, PACKS = 12, 150
PATHS = ("/api/v1/zones", "/api/v1/devices", "/api/v1/status", "/api/v1/incidents", "/api/v1/zones/room-1/readings",
         "/api/v1/devices/fengjie/agent-1/readings?format=csv", "/api/v1/placements", "/metrics", "/api/v1/outbox",
         "/api/v1/sinks", "/api/v1/audit", "/api/v1/audit/verify", "/api/v1/entities/zone", "/api/v1/people", "/readyz",
         "/api/v1/quarantine", "/api/v1/verbs", "/nothing")
BUSY = {429, 503}  # a slow machine may say so
PATIENCE_S = 60  # with a machine that says so again and again


class Load:
    """Threads of ours, each with an address of its own; the first problem of each is kept."""

    def __init__(self, collector):
        self.collector, self.token = collector, collector.token
        self.problems, self.threads, self.asked = [], [], 0

    def start(self, number, work):
        def run():
            connection = http.client.HTTPConnection("127.0.0.1", self.collector.port, timeout=60,
                                                    source_address=(f"127.0.0.{number + 2}", 0))
            try:
                work(number, lambda *ask, **more: self.ask(connection, *ask, **more))
            except Exception as problem:
                self.problems.append(f"{work.__name__} {number}: {problem!r}")
            finally:
                connection.close()

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def ask(self, connection, method, path, body=None, want=(200,), token=True):
        headers = {"Authorization": f"Bearer {self.token}"} if token else {}
        end = time.monotonic() + PATIENCE_S
        while True:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            text = answer.read()
            self.asked += 1
            if answer.status not in BUSY or answer.status in want or time.monotonic() > end:
                break
            time.sleep(0.1)  # as Retry-After asks for
        if answer.status not in want:
            raise AssertionError(f"{method} {path} is {answer.status}: {text[:200]}")
        return json.loads(text) if answer.getheader("Content-Type", "").startswith("application/json") else text

    def join(self):
        for thread in self.threads:
            thread.join(300)


def reads(number, ask):
    for i in range(ROUNDS * len(PATHS)):
        path = PATHS[(i * 5 + number) % len(PATHS)]
        ask("GET", path, want=(200, 404) if path == "/nothing" else (200, 503))


def changes_places(number, ask):
    for i in range(ROUNDS * 4):
        zone = f"room-{i % 4}"
        ask("PATCH", f"/api/v1/zones/{zone}", {"band_low": 1 + i % 3, "band_high": 8})
        ask("POST", f"/api/v1/zones/{zone}/duty", {"on": i % 2 == 1, "why": "empty"} if i % 2 == 0 else {"on": True})
        ask("POST", "/api/v1/placements/move", {"device": f"agent-{number % 4}", "zone": zone}, want=(200, 400, 409))


def changes_people(number, ask):
    for i in range(ROUNDS):
        who = ask("POST", "/api/v1/people", {"role": "admin", "login": f"l-{number}-{i}", "password": PASSWORD})["id"]
        ask("POST", "/api/v1/login", {"login": f"l-{number}-{i}", "password": PASSWORD}, token=False)
        made = ask("POST", "/api/v1/tokens", {"name": "x", "scopes": ["read"], "expires": time.strftime(
            "%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))})
        ask("DELETE", f"/api/v1/tokens/{made['id']}")
        ask("DELETE", f"/api/v1/people/{who}")


def takes_backups(_, ask):
    for _ in range(3):
        staged = ask("POST", "/api/v1/backups")
        for file in staged["files"]:
            ask("GET", f"/api/v1/backups/{staged['id']}/file?" + urllib.parse.urlencode({"name": file["name"], "limit": 65536}))
        ask("POST", f"/api/v1/backups/{staged['id']}/end")


def follows(number, load):
    """Streams, each for some lines: they are cut off in the middle, as by a browser that goes."""
    for _ in range(ROUNDS):
        connection = http.client.HTTPConnection("127.0.0.1", load.collector.port, timeout=60,
                                                source_address=(f"127.0.0.{number + 40}", 0))
        connection.request("GET", "/api/v1/stream", None, {"Authorization": f"Bearer {load.token}"})
        answer = connection.getresponse()
        for _ in range(5 if answer.status == 200 else 0):
            answer.readline()
        connection.close()


def acknowledges(_, ask):
    for _ in range(ROUNDS):
        for incident in ask("GET", "/api/v1/incidents?limit=20")["incidents"]:
            ask("POST", f"/api/v1/incidents/{incident['id']}/acknowledge", {}, want=(200, 404, 409))
            ask("POST", f"/api/v1/incidents/{incident['id']}/comment", {"text": "seen"}, want=(200, 404))


def story_readings_and_requests_at_once(house):
    broker = Broker(house.folder, house.program("coldchainctl"))
    names = [f"agent-{i}" for i in range(4)]
    passwords = {name: broker.add(f"fengjie/{name}") for name in names}
    house.start(broker)
    receiver, influx = house.start(Receiver(SECRET)), house.start(FalseInflux())
    collector = house.start(Collector(
        house.folder, house.program("coldchain-collector"), broker, sites=SITES, rules=RULES,
        devices=[{"id": name, "zone": f"room-{i}"} for i, name in enumerate(names)],
        delivery={"ack_interval": "100ms"}, influx={"url": influx.url, "flush": "100ms"},
        webhooks=[{"name": "duty", "url": receiver.url, "secret": SECRET}]))
    load = Load(collector)

    def sends(number, _):
        name, start = names[number % 4], int(time.time()) - PACKS
        client = Client(broker.port, f"fengjie/{name}", passwords[name], name)
        for seq in range(1, PACKS + 1):
            records = [{"n": "air_temperature", "u": "Cel", "t": start + seq, "v": 4 + 8 * (seq // 10 % 2)},
                       {"n": "humidity", "u": "%RH", "t": start + seq, "v": 90}]
            client.publish(f"coldchain/v1/fengjie/{name}/readings/00000000000000a{number % 4}/{seq}",
                           "{ no pack" if seq % 50 == 0 else json.dumps(records), timeout=60)
        client.stop()

    for number in range(4):
        load.start(number, sends)
    for number in range(4, 9):
        load.start(number, reads)
    for number, work in enumerate((changes_places, changes_people, takes_backups, acknowledges), 9):
        load.start(number, work)
    load.start(13, lambda number, _: follows(number, load))
    load.join()
    house.check(not any(thread.is_alive() for thread in load.threads), "all is done in 300 s")
    house.check(not load.problems, "\n".join(load.problems[:5]))
    house.wait_for(lambda: collector.check_running() and receiver.requests > 0, 30, "the webhook is told")
    house.equal(receiver.complaints, [], "what the webhook says")
    status = collector.stop(60)
    log = collector.log()
    house.check("ThreadSanitizer" not in log, f"races: {log[log.find('WARNING: Thread'):][:6000]}")
    house.equal(status, 0, "its exit status")
    house.say(f"{load.asked} requests, {4 * PACKS} packs, {receiver.requests} webhooks; preset "
              f"{os.environ.get('COLDCHAIN_PRESET', 'dev')}")
