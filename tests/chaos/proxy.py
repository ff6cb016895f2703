# SPDX-License-Identifier: Apache-2.0
"""A proxy between MQTT clients and their broker that misbehaves on order.

It knows packets (MQTT 5, section 2.1), so that it can double, swap and drop single ones.
Orders are taken from one thread; every effect is counted where it happens.
"""
import collections
import random
import socket
import threading
import time

PUBLISH = 3
BLOCK = 65536


class Stream:
    """One direction of a connection, as whole packets."""

    def __init__(self, source):
        self.source, self.held = source, b""

    def packets(self):
        """Whole packets; ends when the other side does."""
        while True:
            data = self.source.recv(BLOCK)
            if not data:
                return
            self.held += data
            while True:
                size = self._size()
                if size is None or len(self.held) < size:
                    break
                yield self.held[:size]
                self.held = self.held[size:]

    def _size(self):
        """Of the first packet, with its header; None until that is known (1.5.5)."""
        length = shift = 0
        for place, digit in enumerate(self.held[1:5], 2):
            length |= (digit & 0x7F) << shift
            if not digit & 0x80:
                return place + length
            shift += 7
        return None


def topic_of(packet):
    """Of a PUBLISH."""
    at = 1
    while packet[at] & 0x80:
        at += 1
    size = int.from_bytes(packet[at + 1:at + 3], "big")
    return packet[at + 3:at + 3 + size].decode("utf-8", "replace")


class Connection:
    def __init__(self, proxy, client, broker):
        self.proxy, self.sides = proxy, (client, broker)
        self.is_frozen = False
        for source, target in ((client, broker), (broker, client)):
            threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source, target):
        swapped = None
        try:
            for packet in Stream(source).packets():
                while self.is_frozen and self.proxy.is_open:
                    time.sleep(0.02)  # a line that is dead and does not say so
                for out in self.proxy.treat(packet):
                    if out is None:
                        swapped = packet
                    else:
                        self._send(target, out)
                        if swapped is not None:
                            self._send(target, swapped)
                            swapped = None
            if swapped is not None:
                self._send(target, swapped)
        except OSError:
            pass  # the connection is over
        self.close()

    def _send(self, target, packet):
        if not self.proxy.takes("dribble"):
            target.sendall(packet)
            return
        for at in range(len(packet)):
            target.sendall(packet[at:at + 1])
            if at < 100:
                time.sleep(0.001)

    def close(self):
        for side in self.sides:
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.proxy.connections.discard(self)


class Proxy:
    """Listens on a port of its own; connects to `broker_port` for each client."""

    FAULTS = ("dribble", "double", "swap", "drop_acks")

    def __init__(self, broker_port, seed):
        self.broker_port, self.random = broker_port, random.Random(seed)
        self.chances = dict.fromkeys(self.FAULTS, 0.0)
        self.counts, self.connections, self.is_open = collections.Counter(), set(), False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    @property
    def uri(self):
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self):
        self.is_open = True
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def stop(self, *_):
        self.is_open = False
        self.listener.close()
        self.cut()

    def _accept(self):
        while self.is_open:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                broker = socket.create_connection(("127.0.0.1", self.broker_port), timeout=5)
            except OSError:
                client.close()
                continue
            for side in (client, broker):
                side.settimeout(None)
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections.add(Connection(self, client, broker))

    # --- what it does ------------------------------------------------------------------

    def takes(self, fault):
        """Whether that fault strikes now; counted."""
        if self.random.random() >= self.chances[fault]:
            return False
        self.counts[fault] += 1
        return True

    def treat(self, packet):
        """What goes on instead of the packet; None: it waits for the next one."""
        if packet[0] >> 4 != PUBLISH:
            return [packet]
        if topic_of(packet).endswith("/ack") and self.takes("drop_acks"):
            return []
        if self.takes("swap"):
            return [None]
        if self.takes("double"):
            # A QoS 1 packet that comes again says so (3.3.1.1).
            again = bytes([packet[0] | (0x08 if packet[0] & 0x06 else 0)]) + packet[1:]
            return [packet, again]
        return [packet]

    def cut(self):
        for connection in list(self.connections):
            connection.close()
            self.counts["cut"] += 1

    def freeze(self, seconds):
        """Half open: both sides believe in a line on which nothing arrives."""
        frozen = list(self.connections)
        for connection in frozen:
            connection.is_frozen = True
            self.counts["half_open"] += 1
        threading.Timer(seconds, lambda: [setattr(one, "is_frozen", False) for one in frozen]).start()
