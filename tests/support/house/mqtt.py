# SPDX-License-Identifier: Apache-2.0
"""A small MQTT 5 client for tests: publishes what no decent device would, and listens.

QoS 0 and 1, no reconnect. Section numbers are those of MQTT Version 5.0 (OASIS).
"""
import socket
import struct
import threading

from house.process import Failure, wait_for

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 14
CONTENT_TYPE = 0x03  # 2.2.2.2
SESSION_EXPIRY = 0x11
NOT_AUTHORIZED = 0x87


def text(value):
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def varint(number):
    """1.5.5 Variable byte integer"""
    out = bytearray()
    while True:
        number, digit = number >> 7, number & 0x7F
        out.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(out)


def packet(kind, flags, body):
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


class Client:
    """Connected when made; messages are (topic, payload) in the order they came."""

    def __init__(self, port, username=None, password=None, client_id="test", will=None, session_s=0, tls=None):
        """will: (topic, payload, retain); session_s: how long the broker keeps the session; tls: an SSLContext."""
        self.messages, self.answers = [], {}
        self.next_id, self.lock = 1, threading.Lock()
        self.sending = threading.Lock()  # whoever publishes, and the listener, who acknowledges
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        flags = (0x80 if username else 0) | (0x40 if password else 0)  # 3.1.2.3
        flags |= 0 if session_s else 0x02
        flags |= 0x0C | will[2] << 5 if will else 0  # with QoS 1
        properties = bytes([SESSION_EXPIRY]) + struct.pack(">I", session_s) if session_s else b""
        body = text("MQTT") + bytes([5, flags]) + struct.pack(">H", 0) + varint(len(properties)) + properties
        body += text(client_id)
        if will:
            body += b"\0" + text(will[0]) + struct.pack(">H", len(will[1])) + will[1]
        body += (text(username) if username else b"") + (text(password) if password else b"")
        self.socket.sendall(packet(CONNECT, 0, body))
        self.stream = self.socket.makefile("rb")
        kind, _, answer = self._read()
        if kind != CONNACK or answer[1] != 0:
            self.socket.close()
            raise PermissionError(f"the broker refused {username}: reason {answer[1]:#x}")
        self.session_present = bool(answer[0] & 1)
        self.socket.settimeout(None)
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def publish(self, topic, payload, qos=1, retain=False, content_type=None, timeout=30):
        """The reason code of the broker's PUBACK (0 for QoS 0)."""
        if isinstance(payload, str):
            payload = payload.encode()
        properties = bytes([CONTENT_TYPE]) + text(content_type) if content_type else b""
        identifier = self._identifier() if qos else None
        body = text(topic) + (struct.pack(">H", identifier) if qos else b"")
        body += varint(len(properties)) + properties + payload
        self._send(packet(PUBLISH, qos << 1 | retain, body))
        return self._answer(identifier, timeout)[0] if qos else 0

    def subscribe(self, topic_filter, qos=1, timeout=30):
        """The reason code of the broker's SUBACK: the granted QoS, or 0x80 and above."""
        identifier = self._identifier()
        body = struct.pack(">H", identifier) + b"\0" + text(topic_filter) + bytes([qos])
        self._send(packet(SUBSCRIBE, 2, body))
        return self._answer(identifier, timeout)[-1]

    def leave_a_will(self):
        """Disconnects so that the broker publishes the will, and waits until it has taken note."""
        self._send(packet(DISCONNECT, 0, b"\x04"))  # 3.14.2.1
        self.thread.join(10)
        self.socket.close()

    def is_alive(self):
        return self.thread.is_alive()

    def received(self, topic):
        with self.lock:
            return [payload for name, payload in self.messages if name == topic]

    def stop(self, *_):
        try:
            self._send(packet(DISCONNECT, 0, b""))
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(5)
        self.socket.close()

    def _identifier(self):
        with self.lock:
            self.next_id = self.next_id % 65535 + 1
            return self.next_id

    def _answer(self, identifier, timeout):
        wait_for(lambda: identifier in self.answers or not self.thread.is_alive(), timeout,
                 "the broker answers", step=0.002)
        if identifier not in self.answers:
            raise Failure("the broker closed the connection")
        return self.answers.pop(identifier)

    def _send(self, data):
        with self.sending:
            self.socket.sendall(data)

    def _exactly(self, count):
        data = self.stream.read(count)
        if data is None or len(data) < count:
            raise EOFError
        return data

    def _read(self):
        first, length, shift = self._exactly(1)[0], 0, 0
        while True:
            digit = self._exactly(1)[0]
            length |= (digit & 0x7F) << shift
            shift += 7
            if not digit & 0x80:
                return first >> 4, first & 15, self._exactly(length)

    def _listen(self):
        try:
            while True:
                kind, flags, body = self._read()
                if kind == PUBLISH:
                    self._take(flags, body)
                elif kind in (PUBACK, SUBACK):
                    rest = body[2:] or b"\0"  # 3.4.2.1: no reason code means success
                    self.answers[struct.unpack(">H", body[:2])[0]] = rest if kind == PUBACK else body[3:]
        except (EOFError, OSError, ValueError):
            pass  # the connection is over

    def _take(self, flags, body):
        size = struct.unpack(">H", body[:2])[0]
        topic, at = body[2:2 + size].decode(), 2 + size
        if flags >> 1 & 3:
            self._send(packet(PUBACK, 0, body[at:at + 2]))
            at += 2
        properties = body[at]  # below 128 in all that concerns us
        with self.lock:
            self.messages.append((topic, body[at + 1 + properties:]))
