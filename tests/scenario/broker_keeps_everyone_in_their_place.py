# SPDX-License-Identifier: Apache-2.0
"""On the real broker: who may write and read which topic, one by one."""
from house.broker import Broker
from house.mqtt import NOT_AUTHORIZED, Client

KINDS = ["readings/0123456789abcdef/1", "status", "hello", "ack", "command", "config"]
DEVICE_WRITES = set(KINDS[:3])
COLLECTOR_WRITES = set(KINDS[3:])


def story_nobody_enters_without_a_password(house):
    broker = house.start(Broker(house.folder, house.program("coldchainctl")))
    for name, password in ((None, None), ("org/nobody", "x"), (Broker.COLLECTOR, "wrong")):
        try:
            Client(broker.port, name, password).stop()
        except PermissionError:
            continue
        house.check(False, f"{name} got in")


def story_each_topic_has_one_writer(house):
    broker = Broker(house.folder, house.program("coldchainctl"))
    names = ["org/one", "org/two", Broker.COLLECTOR]
    for name in names[:2]:
        broker.add(name)
    house.start(broker)
    clients = {name: house.keep(Client(broker.port, name, broker.passwords[name], name.replace("/", "-")))
               for name in names}
    for kind in KINDS:
        allowed = {name: clients[name].publish(f"coldchain/v1/org/one/{kind}", b"x") != NOT_AUTHORIZED
                   for name in names}
        house.equal(allowed, {"org/one": kind in DEVICE_WRITES, "org/two": False,
                              Broker.COLLECTOR: kind in COLLECTOR_WRITES}, f"who may write {kind}")


def story_each_topic_reaches_only_whom_it_concerns(house):
    broker = Broker(house.folder, house.program("coldchainctl"))
    names = ["org/one", "org/two", Broker.COLLECTOR]
    for name in names[:2]:
        broker.add(name)
    house.start(broker)
    clients = {name: house.keep(Client(broker.port, name, broker.passwords[name], name.replace("/", "-")))
               for name in names}
    for client in clients.values():
        client.subscribe("coldchain/v1/#")
        for kind in KINDS:
            client.subscribe(f"coldchain/v1/org/one/{kind}")
    for kind in KINDS:
        writer = clients["org/one" if kind in DEVICE_WRITES else Broker.COLLECTOR]
        writer.publish(f"coldchain/v1/org/one/{kind}", kind)
    # What each may read arrives in the order written, so the last one ends the waiting.
    house.wait_for(lambda: clients["org/one"].received(f"coldchain/v1/org/one/{KINDS[-1]}"), 5, "config arrives")
    house.wait_for(lambda: clients[Broker.COLLECTOR].received(f"coldchain/v1/org/one/{KINDS[2]}"), 5,
                   "hello arrives")
    for name, kinds in (("org/one", COLLECTOR_WRITES), ("org/two", set()), (Broker.COLLECTOR, DEVICE_WRITES)):
        got = {topic.split("/", 4)[4] for topic, _ in clients[name].messages}
        house.equal(got, kinds, f"what {name} was given")
