# SPDX-License-Identifier: Apache-2.0
"""coldchain-collector: its configuration, its process, and its API as a client sees it."""
import csv
import io
import json
import os
import urllib.error
import urllib.parse
import urllib.request

from house.process import Failure, Process, free_port, wait_for
from house.series import from_iso
from house.yamlfile import format_yaml


class Collector(Process):
    """`settings` is what the YAML file says; change it before start().

    `places` is a list of sites: {id, name, zones: [{id, name, band_low, band_high}]}.
    """

    def __init__(self, folder, program, broker, org="fengjie", name="collector", **settings):
        home = os.path.join(folder, name)
        os.makedirs(home)
        self.org, self.port, self.data = org, free_port(), os.path.join(home, "data")
        self.path = os.path.join(home, "collector.yaml")
        self.settings = {
            "org": org,
            "data_dir": self.data,
            "mqtt": {"uri": broker.uri, "username": broker.COLLECTOR,
                     "password": broker.passwords[broker.COLLECTOR]},
            "api": {"listen": "127.0.0.1", "port": self.port},
            **settings,
        }
        self.program, self.extra = program, []
        self.tls = None  # whom to trust, an ssl context, where the API speaks TLS
        super().__init__(name, [], home)

    def write(self):
        os.makedirs(self.data, exist_ok=True)
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(format_yaml(self.settings))
        os.chmod(self.path, 0o600)
        self.command = [self.program, "--config", self.path, *self.extra]
        return self

    def start(self, ready=True, timeout=30):
        self.write()
        super().start()
        if ready:
            wait_for(lambda: self.check_running() and self.is_ready(), timeout, "the collector is ready")
        return self

    # --- the API -----------------------------------------------------------------------

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def token(self):
        with open(os.path.join(self.data, "api.token"), encoding="utf-8") as file:
            return file.read().strip()

    def open(self, path, parameters=None, accept=None, token=True, timeout=30):
        """The answer as bytes; HTTPError for any status that is not 200."""
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        request = urllib.request.Request(self.url + path + query)
        if token:
            request.add_header("Authorization", f"Bearer {self.token}")
        if accept:
            request.add_header("Accept", accept)
        with urllib.request.urlopen(request, timeout=timeout, context=self.tls) as answer:
            return answer.read()

    def get(self, path, **parameters):
        return json.loads(self.open("/api/v1" + path, parameters))

    def do(self, verb, reason="", key=None, **body):
        """(status, answer) of a command."""
        request = urllib.request.Request(self.url + "/api/v1/commands", method="POST", data=json.dumps(
            {"verb": verb, "reason": reason, "body": body}).encode())
        request.add_header("Authorization", f"Bearer {self.token}")
        if key:
            request.add_header("Idempotency-Key", key)
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.tls) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def is_ready(self):
        try:
            return self.open("/readyz", token=False, timeout=2) is not None
        except (OSError, urllib.error.HTTPError):
            return False

    def metrics(self):
        """{name: value} of /metrics, names without the leading "coldchain_"."""
        found = {}
        for line in self.open("/metrics").decode().splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                found[name.removeprefix("coldchain_")] = float(value)
        return found

    def metric(self, name):
        try:
            return self.metrics().get(name, 0)
        except OSError:
            return 0  # it is down just now

    def readings(self, device, channel, from_ms=0, limit=100000):
        """[(time_ms, value, quality)] of a channel, page by page, from JSON."""
        path, found = f"/devices/{self.org}/{device}/readings", []
        at = {"from": from_ms, "skip": 0}
        while at:
            page = self.get(path, channel=channel, limit=limit, **at)
            found += [(from_iso(one["time"]), one["value"], one["quality"]) for one in page["readings"]]
            at = page["next"]
        return found

    def readings_csv(self, device, channel):
        """[(time_ms, value, quality)] of a channel, from CSV; values as text."""
        text = self.open(f"/api/v1/devices/{self.org}/{device}/readings",
                         {"channel": channel, "limit": 100000, "format": "csv"}).decode("utf-8-sig")
        return [(from_iso(one["time"]), one["value"], one["quality"])
                for one in csv.DictReader(io.StringIO(text))]

    def count(self, device, channel):
        """How many readings of a channel the history holds."""
        text = self.open(f"/api/v1/devices/{self.org}/{device}/readings",
                         {"channel": channel, "limit": 100000, "format": "csv"})
        return text.count(b"\n") - 1

    def incidents(self, **parameters):
        """All incidents, the oldest first."""
        found, cursor = [], {}
        while True:
            page = self.get("/incidents", limit=1000, **parameters, **cursor)
            found += page["incidents"]
            if not page["next"]:
                return found[::-1]
            cursor = {"cursor": page["next"]}

    def quarantine(self):
        """({reason: count}, the entries)"""
        page = self.get("/quarantine", limit=1000)
        return page["counts"], page["quarantine"]
    def fail_with_log(self, what):
        raise Failure(f"{what}\n{self.log_tail()}")
