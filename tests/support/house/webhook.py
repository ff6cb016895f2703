# SPDX-License-Identifier: Apache-2.0
"""A receiver of webhooks that believes nothing: time, signature, idempotency key, JSON."""
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from house.process import free_port


class Receiver:
    """Counts what it accepted by idempotency key; `complaints` must stay empty.

    `behave(number)` may return a status other than 200 for the request of that number
    (from 1), (429, headers), or "hang": the message is then not taken.
    """

    def __init__(self, secret):
        self.secret = secret.encode()
        self.lock = threading.Lock()
        self.messages = {}  # idempotency key -> body as JSON
        self.deliveries = []  # (key, seconds) of every accepted request
        self.attempts = {}  # idempotency key -> the numbers it came with, refused ones too
        self.complaints, self.requests = [], 0
        self.behave = lambda number: 200
        self.after_taking = lambda body: None  # before the answer
        self.port, self.server = free_port(), None
        self.url = f"http://127.0.0.1:{self.port}/hook"

    def start(self):
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                owner.serve(self)

            def do_HEAD(self):
                """Whoever only asks whether somebody is here."""
                self.send_response(204)
                self.end_headers()

            do_GET = do_HEAD

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self, *_):
        if self.server is None:
            return
        self.server.shutdown()
        self.server.server_close()

    def doubled(self):
        """Keys that were accepted more than once."""
        with self.lock:
            keys = [key for key, _ in self.deliveries]
        return sorted({key for key in keys if keys.count(key) > 1})

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        with self.lock:
            self.requests += 1
            number = self.requests
            attempt = handler.headers.get("Coldchain-Attempt", "")
            self.attempts.setdefault(handler.headers.get("Idempotency-Key"), []).append(attempt)
        answer = self.behave(number)
        if answer == "hang":
            time.sleep(60)
            answer = 500
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if status < 300:
            self.take(handler.headers, body)
            self.after_taking(body)
        try:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, str(value))
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        except OSError:
            pass  # the client gave up waiting, which is its right

    def take(self, headers, body):
        key, problem, message = headers.get("Idempotency-Key"), self.problem(headers, body), None
        if not problem:
            try:
                message = json.loads(body)
            except ValueError as error:
                problem = f"body is no JSON: {error}"
        with self.lock:
            if problem:
                self.complaints.append(problem)
                return
            if key in self.messages and self.messages[key] != message:
                self.complaints.append(f"key {key} came back with another body")
            self.messages[key] = message
            self.deliveries.append((key, time.monotonic()))

    def problem(self, headers, body):
        """What is wrong with the headers: the signature is over timestamp, ".", body."""
        stamp = headers.get("X-Coldchain-Timestamp", "")
        if not headers.get("Idempotency-Key"):
            return "no Idempotency-Key"
        if not stamp.isdigit() or abs(int(stamp) - time.time()) > 300:
            return f"timestamp {stamp!r} is not now"
        want = hmac.new(self.secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        got = headers.get("X-Coldchain-Signature", "")
        return None if hmac.compare_digest(got, f"sha256={want}") else f"signature {got!r} is not sha256={want}"

    def unmarked(self):
        """Keys whose attempts did not come with numbers that rise, so that a repeat is known."""
        with self.lock:
            return {key: numbers for key, numbers in self.attempts.items()
                    if not all(number.isdigit() for number in numbers)
                    or sorted(set(map(int, numbers))) != list(map(int, numbers))}

    def events(self, event):
        """The messages accepted of one kind: "opened", "closed", ..."""
        with self.lock:
            return [message for message in self.messages.values() if message.get("event") == event]
