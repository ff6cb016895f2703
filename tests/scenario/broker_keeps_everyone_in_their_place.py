# SPDX-License-Identifier: Apache-2.0
"""On the real broker: who may write and read which topic, one by one, and what its limits hold.

RIGHTS is the whole truth; every identity tries every topic by every way there is to write
and to read. Two users of the test's own stand beside: `source` writes everything, `witness`
reads everything.
"""
import os
import shutil
import ssl
import subprocess

from house.broker import Broker
from house.mqtt import NOT_AUTHORIZED, Client
from house.process import is_listening

HOME = "coldchain/v1/org/one"
DEVICE, COLLECTOR, NOBODY = "org/one", Broker.COLLECTOR, None
# topic: (who writes it, who reads it)
RIGHTS = {
    f"{HOME}/readings/0123456789abcdef/1": (DEVICE, COLLECTOR),
    f"{HOME}/status": (DEVICE, COLLECTOR),
    f"{HOME}/hello": (DEVICE, COLLECTOR),
    f"{HOME}/ack": (COLLECTOR, DEVICE),
    f"{HOME}/command": (COLLECTOR, DEVICE),
    f"{HOME}/config": (COLLECTOR, DEVICE),
    "coldchain/v1/org/zones/room-3/incidents": (COLLECTOR, NOBODY),
    f"{HOME}/readings/0123456789abcdef": (NOBODY, NOBODY),
    f"{HOME}/readings/0123456789abcdef/1/2": (NOBODY, NOBODY),
    f"{HOME}/other": (NOBODY, NOBODY),
    HOME: (NOBODY, NOBODY),
    "coldchain/v2/org/one/status": (NOBODY, NOBODY),
    "elsewhere": (NOBODY, NOBODY),
}
IDENTITIES = [DEVICE, COLLECTOR, "org/two", "org2/one", "ORG/ONE", "org", "org/one/readings", "org/", "/org/one",
              "org#", "+", "org/#", "org/+", "+/one", "+/+", "org/one#", "$SYS"]
WILDCARDS = ["#", "coldchain/#", "coldchain/v1/+/+/+", f"{HOME}/#", "+/+/+/+/#", "$share/a/coldchain/v1/#"]
WAYS_TO_WRITE = ["publish", "publish retained", "leave a will", "leave a retained will"]


def with_outsiders(rules):
    return (rules + "\nuser source\ntopic write #\n\nuser witness\ntopic read #\ntopic read $SYS/#\n")


def busy_broker(house):
    """A broker that knows all identities; returns it and a function that connects one."""
    broker = Broker(house.folder, house.program("coldchainctl"), acl=with_outsiders)
    for name in [*IDENTITIES, "source", "witness"]:
        if name != COLLECTOR:
            broker.add(name)
    house.start(broker)

    def connect(name, **more):
        return house.keep(Client(broker.port, name, broker.passwords[name], "any", **more))
    return broker, connect


def barrier(client):
    """What the broker had for this client before is here now: answers come in order."""
    client.subscribe("barrier")


def write(connect, identity, client, way, topic, payload):
    """True, False, or None where the broker does not say."""
    retain = "retained" in way
    if "will" in way:
        client.stop()
        connect(identity, will=(topic, payload, retain)).leave_a_will()
        return None
    return client.publish(topic, payload, retain=retain) != NOT_AUTHORIZED


def story_nobody_enters_without_a_password(house):
    broker = Broker(house.folder, house.program("coldchainctl"))
    broker.add("#")  # a comment, to a file of passwords
    house.start(broker)
    for name, password in ((None, None), ("org/nobody", "x"), (COLLECTOR, "wrong"), (COLLECTOR, None),
                           ("#", broker.passwords["#"])):
        try:
            Client(broker.port, name, password).stop()
        except PermissionError:
            continue
        house.check(False, f"{name} got in")


def story_each_topic_has_one_writer(house):
    _, connect = busy_broker(house)
    witness, source = connect("witness"), connect("source")
    witness.subscribe("#")
    tried = 0
    for identity in IDENTITIES:
        for way in WAYS_TO_WRITE:
            client = connect(identity)
            for topic, (writer, _) in RIGHTS.items():
                payload = f"{identity} {way} {topic}".encode()
                said = write(connect, identity, client, way, topic, payload)
                house.check(said in (None, identity == writer), f"{way} on {topic} by {identity}: answered {said}")
                tried += 1
            client.stop()
    source.publish("end", b"end")
    house.wait_for(lambda: witness.received("end"), 20, "the last message")
    want = sorted(f"{identity} {way} {topic}" for identity in IDENTITIES for way in WAYS_TO_WRITE
                  for topic, (writer, _) in RIGHTS.items() if identity == writer)
    got = sorted(payload.decode() for topic, payload in witness.messages if topic != "end")
    house.equal(set(got) - set(want), set(), "written by somebody who may not")
    house.equal(set(want) - set(got), set(), "not written by who may")
    house.equal(len(got), len(want), "messages written")
    house.say(f"{tried} attempts to write, {len(want)} of them rightful")


def read(connect, source, identity, filters, retained):
    """What this identity is given of one message on each topic."""
    client = connect(identity)
    if retained:
        for topic in RIGHTS:
            source.publish(topic, b"kept", retain=True)
    for one in filters:
        client.subscribe(one)
    if not retained:
        for topic in RIGHTS:
            source.publish(topic, b"live")
    barrier(client)
    got = {topic for topic, _ in client.messages}
    client.stop()
    for topic in RIGHTS if retained else ():
        source.publish(topic, b"", retain=True)
    return got


def story_each_topic_reaches_only_whom_it_concerns(house):
    _, connect = busy_broker(house)
    source = connect("source")
    ways = [("by its name", list(RIGHTS)), ("shared", [f"$share/{n}/{topic}" for n, topic in enumerate(RIGHTS)])]
    ways += [(f"by {wildcard}", [wildcard]) for wildcard in WILDCARDS]
    tried = 0
    for identity in IDENTITIES:
        want = {topic for topic, (_, reader) in RIGHTS.items() if identity == reader}
        for name, filters in ways:
            for retained in (False, True):
                got = read(connect, source, identity, filters, retained)
                tried += len(RIGHTS)
                house.equal(got - want, set(), f"{identity} was given {name}, retained {retained}")
                if name == "by its name":
                    house.equal(want - got, set(), f"{identity} missed {name}, retained {retained}")
    house.say(f"{tried} attempts to read")


def story_the_broker_tells_nobody_of_itself(house):
    _, connect = busy_broker(house)
    witness = connect("witness")
    witness.subscribe("$SYS/#")
    house.wait_for(lambda: witness.received("$SYS/broker/version"), 30, "the broker's version for the witness")
    for identity in IDENTITIES:
        client = connect(identity)
        for one in ("$SYS/#", "$SYS/broker/version", "$share/a/$SYS/#", "$CONTROL/#"):
            client.subscribe(one)
        house.check(client.publish("$SYS/broker/version", b"x") != 0 or identity == "source",
                    f"{identity} writes to $SYS")
        barrier(client)
        house.equal(client.messages, [], f"what {identity} reads of $SYS")
        client.stop()


def story_nobody_takes_the_session_of_somebody_else(house):
    broker, connect = busy_broker(house)
    collector = connect(COLLECTOR)
    device = connect(DEVICE)
    for client_id in (COLLECTOR, DEVICE, "coldchain-collector", ""):
        Client(broker.port, "org/two", broker.passwords["org/two"], client_id).stop()
    barrier(collector)
    barrier(device)
    house.check(collector.is_alive() and device.is_alive(), "a client id of the same name ended a connection")


def story_a_message_kept_from_before_is_not_told_to_who_lost_the_right(house):
    broker, connect = busy_broker(house)
    source = connect("source")
    source.publish(f"{HOME}/config", b"old", retain=True)
    path = os.path.join(broker.home, "acl")
    with open(path, encoding="utf-8") as file:
        rules = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(rules.replace("pattern read coldchain/v1/%u/config\n", ""))
    broker.stop()
    broker.start()
    device = connect(DEVICE)
    device.subscribe(f"{HOME}/config")
    barrier(device)
    house.equal(device.messages, [], "the retained configuration after the right is gone")


def story_an_empty_list_of_rules_lets_nobody_do_anything(house):
    broker = Broker(house.folder, house.program("coldchainctl"), acl=lambda rules: "")
    broker.add(DEVICE)
    house.start(broker)
    for name in (DEVICE, COLLECTOR):
        client = house.keep(Client(broker.port, name, broker.passwords[name]))
        client.subscribe("#")
        for topic in RIGHTS:
            house.equal(client.publish(topic, b"x"), NOT_AUTHORIZED, f"{name} on {topic} without rules")
        barrier(client)
        house.equal(client.messages, [], f"{name} without rules")


# ---- certificates instead of passwords ----

def make_certificates(house, folder, names):
    if not shutil.which("openssl"):
        house.skip("openssl is not installed")
    key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes".split()

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    for ca in ("ca", "other"):
        openssl("req", "-x509", *key, "-keyout", f"{ca}.key", "-out", f"{ca}.crt", "-subj", f"/CN={ca}", "-days", "2")
    with open(os.path.join(folder, "ext"), "w", encoding="utf-8") as file:
        file.write("subjectAltName=DNS:localhost")
    for name, subject, ca in names:
        escaped = subject.replace("\\", "\\\\").replace("/", "\\/").replace("+", "\\+")
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={escaped}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key", "-CAcreateserial",
                "-out", f"{name}.crt", "-days", "2", "-extfile", "ext")
    for name in os.listdir(folder):
        os.chmod(os.path.join(folder, name), 0o600)


def story_certificates_are_identities(house):
    folder = os.path.join(house.folder, "certificates")
    os.makedirs(folder)
    make_certificates(house, folder, [("server", "localhost", "ca"), ("one", DEVICE, "ca"), ("it", COLLECTOR, "ca"),
                                      ("wild", "org/+", "ca"), ("forged", DEVICE, "other")])

    def path(name):
        return os.path.join(folder, name)
    broker = house.start(Broker(house.folder, house.program("coldchainctl"), words=[
        "--cert-file", path("server.crt"), "--key-file", path("server.key"), "--ca-file", path("ca.crt"),
        "--client-certs"]))

    def connect(name, **more):
        context = ssl.create_default_context(cafile=path("ca.crt"))
        if name:
            context.load_cert_chain(path(f"{name}.crt"), path(f"{name}.key"))
        return house.keep(Client(broker.port, tls=context, **more))
    for name, more in (("forged", {}), (None, {}), (None, {"username": DEVICE, "password": "x"})):
        try:
            connect(name, **more)
        except (PermissionError, OSError, EOFError):
            continue
        house.check(False, f"{name or 'nobody'} got in")
    # A name that is sent beside the certificate counts for nothing.
    clients = {"one": connect("one", username=COLLECTOR, password="x"), "it": connect("it"), "wild": connect("wild")}
    for topic, (writer, _) in RIGHTS.items():
        for name, identity in (("one", DEVICE), ("it", COLLECTOR), ("wild", "org/+")):
            house.equal(clients[name].publish(topic, b"x") != NOT_AUTHORIZED, identity == writer,
                        f"{identity} with a certificate writes {topic}")
    try:
        plain = Client(broker.port, DEVICE, "x")
    except (OSError, EOFError, PermissionError):
        plain = None
    house.check(plain is None, "somebody without TLS got in")


# ---- limits ----

def story_a_packet_that_is_too_large_costs_its_sender_only(house):
    broker, connect = busy_broker(house)
    witness, device, large = connect("witness"), connect(DEVICE), connect("org/two")
    witness.subscribe("#")
    big = b"x" * 1_000_000
    house.equal(device.publish(f"{HOME}/status", big), 0, "a pack of 1 MB")
    try:
        large.publish("coldchain/v1/org/two/status", b"x" * 1_200_000)
        house.check(False, "1.2 MB were taken")
    except Exception as refused:  # noqa: BLE001 - however the connection ends
        house.check("closed" in str(refused) or isinstance(refused, OSError), f"refused otherwise: {refused}")
    broker.check_running()
    house.equal(device.publish(f"{HOME}/hello", b"still"), 0, "the others go on")
    house.wait_for(lambda: witness.received(f"{HOME}/hello"), 30, "hello")
    house.equal([len(payload) for topic, payload in witness.messages if topic.endswith("status")], [len(big)],
                "what came through")


def queued(house, change, count, size):
    """How many of `count` messages a session is given that was away meanwhile."""
    broker = Broker(house.folder, house.program("coldchainctl"), name=f"mosquitto-{count}-{size}", change=change)
    broker.add(DEVICE)
    house.start(broker)

    def collector():
        return house.keep(Client(broker.port, COLLECTOR, broker.passwords[COLLECTOR], session_s=3600))
    away = collector()
    away.subscribe(f"{HOME}/status")
    away.stop()
    device = house.keep(Client(broker.port, DEVICE, broker.passwords[DEVICE]))
    for _ in range(count):
        device.publish(f"{HOME}/status", b"x" * size)
    back = collector()
    house.wait_for(lambda: back.received(f"{HOME}/status"), 30, "the queue begins to come")
    settled = [-1]

    def is_still():
        before, settled[0] = settled[0], len(back.messages)
        barrier(back)
        return before == len(back.messages)
    house.wait_for(is_still, 20, "the queue has come")
    broker.check_running()
    return len(back.messages)


def story_a_queue_holds_no_more_than_it_may(house):
    change = {"max_queued_messages 100000": "max_queued_messages 50", "max_inflight_messages 100":
              "max_inflight_messages 10"}
    got = queued(house, change, 200, 10)
    house.check(50 <= got <= 60, f"{got} messages of 200 were kept; 50 may wait, 10 may be under way")
    got = queued(house, {"max_queued_bytes 268435456": "max_queued_bytes 100000", "max_inflight_messages 100":
                         "max_inflight_messages 10"}, 150, 2000)
    house.check(40 <= got <= 61, f"{got} messages of 2 kB were kept; 100 kB may wait")
    house.equal(queued(house, {}, 150, 10), 150, "with the limits as printed nothing is missing")


def story_connections_are_counted(house):
    """mosquitto 2.0 counts one that left before it said its name twice, so some more get in."""
    broker = Broker(house.folder, house.program("coldchainctl"), words=["--connections", "5"])
    names = [f"org/{n}" for n in range(20)]
    for name in names:
        broker.add(name)
    house.start(broker)
    let_in = []
    for name in names:
        try:
            let_in.append(house.keep(Client(broker.port, name, broker.passwords[name])))
        except (OSError, EOFError, PermissionError):
            continue
    house.say(f"{len(let_in)} of {len(names)} got in where 5 may")
    house.check(5 <= len(let_in) <= 10, f"{len(let_in)} of {len(names)} got in where 5 may")
    for client in let_in:
        barrier(client)


# ---- our own tool ----

def story_our_tool_names_no_identity_that_the_rules_cannot_hold(house):
    def user(name):
        return subprocess.run([house.program("coldchainctl"), "broker", "user", name], capture_output=True, text=True)
    for name in ("org/one", "o-r_G/1", COLLECTOR):
        house.equal(user(name).stdout, f"mosquitto_passwd /etc/mosquitto/coldchain/passwords {name}\n", name)
    for name in (*IDENTITIES[5:], "#", "org/zones", "", "a/b c", "a/b:c", "a/b;rm", "a/" + "b" * 65, "组织/一号", "a//b"):
        answer = user(name)
        house.equal((answer.returncode, answer.stdout), (2, ""), f"user {name!r}")
    for name in ("a/b", "#", "+", "a b", "", "x\ntopic readwrite #"):
        answer = subprocess.run([house.program("coldchainctl"), "broker", "acl", "--collector", name],
                                capture_output=True, text=True)
        house.equal((answer.returncode, answer.stdout), (2, ""), f"--collector {name!r}")
