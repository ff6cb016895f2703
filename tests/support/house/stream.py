# SPDX-License-Identifier: Apache-2.0
"""A client of /api/v1/stream: every event as it comes, in a thread of its own."""
import http.client
import json
import socket
import threading


class Stream:
    """`events` are (name, data, id); id is the one in force after the event."""

    def __init__(self, port, token, last_id=None, source="127.0.0.1", context=None):
        """`context`: whom to trust, where it is by TLS."""
        self.events, self.beats, self.last_id, self.ended = [], 0, last_id, False
        where = {"timeout": 30, "source_address": (source, 0)}
        self._connection = (http.client.HTTPSConnection("127.0.0.1", port, context=context, **where) if context
                            else http.client.HTTPConnection("127.0.0.1", port, **where))
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        if last_id:
            headers["Last-Event-ID"] = last_id
        self._connection.request("GET", "/api/v1/stream", headers=headers)
        self._socket = self._connection.sock
        self._answer = self._connection.getresponse()
        self.status = self._answer.status
        self._thread = threading.Thread(target=self._listen, daemon=True)
        if self.status == 200:
            self._thread.start()

    def _listen(self):
        name, data = "message", []
        try:
            while line := self._answer.readline():
                line = line.decode().rstrip("\n")
                field, _, value = line.partition(": ")
                if line.startswith(":"):
                    self.beats += 1
                elif field == "event":
                    name = value
                elif field == "data":
                    data.append(value)
                elif field == "id":
                    self.last_id = value
                elif not line and data:
                    self.events.append((name, json.loads("\n".join(data)), self.last_id))
                    name, data = "message", []
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            pass  # it was closed, by us or by the other side
        self.ended = True

    def named(self, name):
        return [data for event, data, _ in self.events if event == name]

    def is_ready(self):
        return bool(self.named("ready"))

    def stop(self, *_):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)  # who reads wakes, and lets go
        except OSError:
            pass  # the other side was first
        if self._thread.is_alive():
            self._thread.join(10)
        self._answer.close()
        self._connection.close()
