# SPDX-License-Identifier: Apache-2.0
"""Clients that send what no decent client sends, while decent ones keep being answered in time.

Each attack comes from addresses of its own and goes on for some seconds; meanwhile normal
clients ask over connections that they keep and over new ones. What counts is how long the
slowest of their answers took, and that each was the right one.
"""
import http.client
import os
import random
import select
import socket
import ssl
import threading
import time

from house.broker import Broker
from house.collector import Collector
from house.process import Failure
from house.tls import make_certificates, trusting

ALONE = True  # measures how long others wait
BOUND = 3.0  # seconds, for the slowest answer; sanitizers and a busy machine are in it
LONG = 4.0  # how long an attack goes on
SITES = [{"id": "store", "zones": [{"id": "room-1"}, {"id": "room-2"}]}]
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


class Normal(threading.Thread):
    """Asks again and again; over one connection, or each time over a new one."""

    def __init__(self, collector, source, keeps):
        super().__init__(daemon=True)
        self.collector, self.source, self.keeps = collector, source, keeps
        self.token = collector.token
        self.slowest, self.count, self.problem, self.is_over = 0.0, 0, None, False
        self.connection = None

    def connect(self):
        where = {"timeout": 30, "source_address": (self.source, 0)}
        if self.collector.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.collector.port, context=self.collector.tls, **where)
        return http.client.HTTPConnection("127.0.0.1", self.collector.port, **where)

    def once(self):
        if self.connection is None:
            self.connection = self.connect()
        self.connection.request("GET", "/api/v1/zones", headers={"Authorization": f"Bearer {self.token}"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200 or b"room-2" not in text:
            raise Failure(f"{answer.status} {text[:100]}")

    def drop(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def ask(self):
        """A connection that waited may be closed by the other side: a client then asks once more."""
        try:
            self.once()
        except (ConnectionError, http.client.RemoteDisconnected, ssl.SSLError):
            self.drop()
            self.once()

    def run(self):
        try:
            while not self.is_over:
                begin = time.monotonic()
                self.ask()
                self.slowest = max(self.slowest, time.monotonic() - begin)
                self.count += 1
                if not self.keeps:
                    self.drop()
                time.sleep(0.01)
        except Exception as problem:
            self.problem = problem
        finally:
            self.drop()


class Attack:
    """What the attacks have in common: sockets from an address, and an end."""

    def __init__(self, collector, seed):
        self.collector, self.random = collector, random.Random(seed)
        self.end = time.monotonic() + LONG

    def goes_on(self):
        return time.monotonic() < self.end

    def connect(self, source="127.0.0.66"):
        sock = socket.socket()
        sock.settimeout(5)
        sock.bind((source, 0))
        sock.connect(("127.0.0.1", self.collector.port))
        return sock

    def burst(self, data, half=False, source="127.0.0.66"):
        """Sends all that is taken, reads what comes for a moment."""
        try:
            with self.connect(source) as sock:
                sock.sendall(data)
                if half:
                    sock.shutdown(socket.SHUT_WR)
                sock.settimeout(0.2)
                return sock.recv(4096)
        except OSError:
            return b""


def dribble(attack, sources, start, pieces, pace=0.0):
    """As many connections as can be had from these addresses, each kept alive by a byte now and then."""
    socks = []
    while attack.goes_on():
        for source in sources:
            try:
                sock = attack.connect(source)
                sock.sendall(start)
                sock.setblocking(False)
                socks.append(sock)
            except OSError:
                pass
        time.sleep(pace)
        alive = []
        for sock in socks:
            try:
                sock.send(next(pieces))
                alive.append(sock)
            except BlockingIOError:
                alive.append(sock)
            except OSError:
                sock.close()
        socks = alive[-400:]
    for sock in socks:
        sock.close()


def letters():
    while True:
        yield from (b"X", b"-", b"a", b":", b" ", b"b", b"\r", b"\n")


def slow_headers(attack):
    dribble(attack, [f"127.0.0.{last}" for last in range(70, 78)], b"GET /healthz HTTP/1.1\r\nHost: x\r\n", letters())


def slow_headers_of_one_address(attack):
    """Of the very address of a normal client, fifty a second: who floods it faster keeps it to himself."""
    dribble(attack, ["127.0.0.80"], b"GET /healthz HTTP/1.1\r\n", letters(), 0.02)


def slow_bodies(attack):
    start = b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{"
    dribble(attack, [f"127.0.0.{last}" for last in range(90, 98)], start, letters())


def silence(attack):
    dribble(attack, [f"127.0.0.{last}" for last in range(100, 110)], b"", iter(lambda: b"", None))


def huge_headers(attack):
    while attack.goes_on():
        for head in (b"X: " + b"a" * 1_000_000, b"".join(b"X%d: y\r\n" % n for n in range(50000)), b"a" * 500_000):
            attack.burst(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")
        attack.burst(b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n")


def huge_bodies(attack):
    while attack.goes_on():
        for length in (b"Content-Length: 4000000", b"Content-Length: 99999999999999999999", b"Content-Length: -1",
                       b"Transfer-Encoding: chunked"):
            attack.burst(b"POST /api/v1/commands HTTP/1.1\r\nHost: x\r\n" + length + b"\r\n\r\n" + b"[" * 2_000_000)


def bad_encodings(attack):
    chunks = (b"ffffffffffffffff\r\nx", b"-1\r\nx", b"zz\r\nx", b"5;" + b"e" * 100000 + b"\r\nhello", b"0\r\n" + b"T: " +
              b"t" * 100000, b"5\r\nhello")
    while attack.goes_on():
        for chunk in chunks:
            attack.burst(b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk, half=True)
        for name in (b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 3",
                     b"Content-Length: 3\r\nContent-Length: 4", b"Host: y", b" folded", b"No-Colon", b": empty", b"\x00: x",
                     b"X: \xff\xfe\x00"):
            attack.burst(b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\n" + name + b"\r\n\r\n{}x")


def pipelined_junk(attack):
    while attack.goes_on():
        junk = attack.random.randbytes(attack.random.randrange(1, 20000))
        attack.burst(GET * 500 + junk)
        attack.burst(GET * 3 + b"GET /api/v1/zones/%2e%2e/readings HTTP/1.1\r\nHost: x\r\n\r\n" * 100, half=True)
        attack.burst(junk)


def half_closed(attack):
    while attack.goes_on():
        for data in (b"", GET[:10], GET, GET[:-2], GET * 200, b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
                     b"\r\n{}"):
            attack.burst(data, half=True)


def many_connections(attack):
    """New ones as fast as they can be had, each with a request, none closed by us."""
    socks = []
    while attack.goes_on():
        try:
            sock = attack.connect(f"127.0.0.{attack.random.randrange(120, 140)}")
            sock.sendall(GET)
            socks.append(sock)
        except OSError:
            pass
        if len(socks) > 500:
            for sock in socks[:250]:
                sock.close()
            socks = socks[250:]
    for sock in socks:
        sock.close()


def resets(attack):
    """Closed in the middle by a reset: what is being written has nobody to go to."""
    while attack.goes_on():
        try:
            sock = attack.connect()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            sock.sendall(b"GET /api/v1/openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
            select.select([sock], [], [], 0.05)
            sock.close()
        except OSError:
            pass


ATTACKS = [slow_headers, slow_headers_of_one_address, slow_bodies, silence, huge_headers, huge_bodies, bad_encodings,
           pipelined_junk, half_closed, many_connections, resets]


def start(house, certificates=None):
    broker = house.start(Broker(house.folder, house.program("coldchainctl")))
    collector = Collector(house.folder, house.program("coldchain-collector"), broker, sites=SITES)
    if certificates:
        collector.settings["api"].update(cert_file=os.path.join(certificates, "api.crt"),
                                         key_file=os.path.join(certificates, "api.key"))
        collector.tls = trusting(certificates)
    return house.start(collector)


def endure(house, collector, attacks):
    """Normal clients, while each of these goes on; one of them shares its address with an attack."""
    for seed, attack in enumerate(attacks, 1):
        clients = [Normal(collector, source, keeps) for source in ("127.0.0.1", "127.0.0.80", "127.0.0.66")
                   for keeps in (True, False)]
        for client in clients:
            client.start()
        one = threading.Thread(target=attack, args=(Attack(collector, seed),))
        one.start()
        one.join()
        for client in clients:
            client.is_over = True
        for client in clients:
            client.join(60)
            house.check(not client.is_alive(), f"{attack.__name__}: a client at {client.source} hangs")
            house.check(client.problem is None, f"{attack.__name__}: {client.source}: {client.problem!r}")
            house.check(client.count >= 5, f"{attack.__name__}: only {client.count} answers at {client.source}")
        slowest = max(client.slowest for client in clients)
        house.say(f"{attack.__name__}: {sum(client.count for client in clients)} answers, the slowest {slowest:.3f} s")
        house.check(slowest < BOUND, f"{attack.__name__}: an answer took {slowest:.3f} s, bound {BOUND} s")
    house.check(collector.is_running(), "it still runs")
    house.check(collector.is_ready(), "and is ready")


def open_files(collector):
    """{what: how many} of the files that it has open, stores without their numbers."""
    folder, found = f"/proc/{collector.pid}/fd", {}
    for name in os.listdir(folder):
        try:
            what = os.readlink(os.path.join(folder, name)).split(":")[0].rsplit("/", 1)[-1]
        except FileNotFoundError:
            continue
        found[what] = found.get(what, 0) + 1
    return found


def story_in_plain_http(house):
    collector = start(house)
    before = sum(open_files(collector).values())
    endure(house, collector, ATTACKS)
    house.check(collector.metric("api_connections_cut_total") > 0, "some made room for others")
    # A connection of each store stays open for each of eight requests to come, no more.
    house.wait_for(lambda: sum(open_files(collector).values()) <= before + 60, 40,
                   lambda: f"what was opened is closed again: {before} before, now {open_files(collector)}")


def story_by_tls(house):
    certificates = os.path.join(house.folder, "tls")
    make_certificates(certificates)
    collector = start(house, certificates)
    endure(house, collector, [slow_headers, silence, pipelined_junk, half_closed, many_connections])
