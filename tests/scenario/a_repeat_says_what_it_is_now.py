# SPDX-License-Identifier: Apache-2.0
"""A room is told at 8.2 C and goes on to 22 C: who is told again after a minute reads 22, and so do
the API and who follows the stream, with nothing but the readings having come in between."""
import json
import time

from house.broker import Broker
from house.clock import VirtualClock
from house.collector import Collector
from house.mqtt import Client
from house.webhook import Receiver

EPOCH = "00000000000000aa"
SECRET = "a secret of the tests"
RATE = 4  # a minute of the room is a quarter of ours


def story_a_room_gets_warmer_unanswered(house):
    broker = Broker(house.folder, house.program("coldchainctl"))
    password = broker.add("fengjie/one")
    receiver = house.start(Receiver(SECRET))
    house.start(broker)
    clock = VirtualClock(int(time.time() * 1000), RATE)
    collector = Collector(
        house.folder, house.program("coldchain-collector"), broker,
        sites=[{"id": "store", "zones": [{"id": "room-1"}]}],
        devices=[{"id": "one", "zone": "room-1"}],
        rules=[{"id": "warm", "zone": "room-1", "quantity": "air_temperature", "kind": "above",
                "levels": [{"level": 8}]}],
        webhooks=[{"name": "duty", "url": receiver.url, "secret": SECRET}],
        escalation={"contacts": [{"id": "li", "addresses": [{"channel": "duty"}]}],
                    "duties": [{"id": "on-call", "shifts": [{"contact": "li"}]}],
                    "policies": [{"id": "rooms", "steps": [{"duty": "on-call", "repeat": "1m", "most": 2}]}]})
    collector.extra = clock.flags()
    house.start(collector)
    device = house.keep(Client(broker.port, "fengjie/one", password, "one"))

    begun_s = clock.now_ms() // 1000 - 10

    def measure(seq, value):
        device.publish(f"coldchain/v1/fengjie/one/readings/{EPOCH}/{seq}", json.dumps(
            [{"n": "air_temperature", "u": "Cel", "t": begun_s + seq, "v": value}]).encode())

    measure(1, 8.2)
    house.wait_for(lambda: receiver.events("opened"), 30, "it is told")
    for seq, value in enumerate((12, 23, 22), 2):
        measure(seq, value)
    house.wait_for(lambda: len(receiver.events("opened")) > 1, 120, "it is told again")
    first, again = receiver.events("opened")
    house.equal((first["value"], first["worst"]), (8.2, 8.2), "what was told at first")
    house.equal((again["value"], again["worst"], again["revision"]), (22, 23, first["revision"]), "what is told again")
    house.check("22.0 °C (worst 23.0 °C)" in again["text_en"], again["text_en"])
    stored = collector.get("/incidents", state="open")["incidents"][0]
    house.equal((stored["value"], stored["worst"], stored["revision"]), (22, 23, 1), "what the API says")
