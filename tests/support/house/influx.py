# SPDX-License-Identifier: Apache-2.0
"""Debian's influxd in a folder of its own, and a stand-in that misbehaves on demand."""
import gzip
import json
import os
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from house.process import Process, free_port, wait_for

CONFIG = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[coordinator]
[retention]
  enabled = false
[shard-precreation]
  enabled = false
[monitor]
  store-enabled = false
[http]
  enabled = true
  bind-address = "127.0.0.1:{http}"
  log-enabled = false
  max-row-limit = 0
[subscriber]
  enabled = false
[continuous_queries]
  enabled = false
"""


class Influx(Process):
    DATABASE = "coldchain"

    def __init__(self, folder, name="influxd"):
        home = os.path.join(folder, name)
        os.makedirs(home)
        self.port = free_port()
        config = os.path.join(home, "influxd.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(rpc=free_port(), http=self.port, folder=home))
        super().__init__(name, ["/usr/bin/influxd", "-config", config], home)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        super().start()
        wait_for(lambda: self.check_running() and self._answers(), 30, "influxd answers")
        self.query(f"CREATE DATABASE {self.DATABASE}", method="POST", db=None)
        return self

    def query(self, text, method="GET", db=DATABASE):
        """The series of one InfluxQL statement, epochs in milliseconds."""
        parameters = {"q": text, "epoch": "ms", **({"db": db} if db else {})}
        url = f"{self.url}/query?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=60) as answer:
            result = json.load(answer)["results"][0]
        if "error" in result:
            raise RuntimeError(f"influxd: {result['error']}")
        return result.get("series", [])

    def points(self, field, where="time >= 0"):
        """{(site, zone, device, probe): [(time_ms, value)]} of one field of `climate`."""
        series = self.query(f'SELECT "{field}" FROM "climate" WHERE {where} GROUP BY *')
        return {tuple(one["tags"].get(tag, "") for tag in ("site", "zone", "device", "probe")):
                [(row[0], row[1]) for row in one["values"]] for one in series}

    def values(self):
        """How many field values `climate` holds; seq and late are not measured."""
        series = self.query('SELECT COUNT(*) FROM "climate"')
        return sum(count for one in series for row in one["values"]
                   for name, count in zip(one["columns"], row)
                   if name.startswith("count_") and name not in ("count_seq", "count_late", "count_state"))

    def _answers(self):
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=2) as answer:
                return answer.status == 204
        except OSError:
            return False


class FalseInflux:
    """Speaks /write just enough to be nasty; keeps the lines of accepted writes.

    `behave(lines)` returns (status, body, headers); it may sleep.
    """

    def __init__(self):
        self.lines, self.requests, self.lock = [], [], threading.Lock()
        self.behave = self.accept
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                owner.serve(self)

            def do_GET(self):
                self.send_response(204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @staticmethod
    def accept(_lines):
        return 204, b"", {}

    @staticmethod
    def reject_lines(is_bad, status=400):
        """Answers `status` as long as a write holds a line that is_bad."""
        def behave(lines):
            bad = [line for line in lines if is_bad(line)]
            if not bad:
                return 204, b"", {}
            body = json.dumps({"error": f"unable to parse '{bad[0]}': bad on purpose"}).encode()
            return status, body, {"Content-Type": "application/json"}
        return behave

    @staticmethod
    def slow(seconds):
        def behave(_lines):
            time.sleep(seconds)
            return 204, b"", {}
        return behave

    @staticmethod
    def refuse(status, **headers):
        return lambda _lines: (status, b'{"error":"not now"}', headers)

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        if handler.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        lines = [line for line in body.decode().split("\n") if line]
        status, answer, headers = self.behave(lines)
        with self.lock:
            self.requests.append((time.monotonic(), status, len(lines)))
            if status == 204:
                self.lines += lines
        try:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), str(value))
            handler.send_header("Content-Length", str(len(answer)))
            handler.end_headers()
            handler.wfile.write(answer)
        except OSError:
            pass  # the client gave up waiting, which is its right
