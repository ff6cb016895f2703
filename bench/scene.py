# SPDX-License-Identifier: Apache-2.0
"""The stage of the benches: the real mosquitto, a collector, generators, alarms that are timed."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "support"))

from figures import median, percentile, program  # noqa: E402
from house import mqtt  # noqa: E402
from house.broker import Broker  # noqa: E402
from house.collector import Collector  # noqa: E402
from house.process import wait_for  # noqa: E402
from house.webhook import Receiver  # noqa: E402

ORG = "bench"
DEVICES, RATE, READINGS = 1000, 10000, 3
PROBES = 200  # devices whose only reading raises an alarm
SECRET = "a secret of the benches"
GENERATORS = ("flood", "probe")
ACL = "".join(f"user {user}\ntopic write coldchain/#\n" for user in GENERATORS)


def rules_of(zone):
    """Five: two thresholds with two levels, humidity, product, silence."""
    def level(severity, value, delay):
        return {"severity": severity, "level": value, "delay": delay}
    return [
        {"id": f"{zone}-warm", "zone": zone, "kind": "above",
         "levels": [level("warning", 8, "20m"), level("critical", 12, "5m")]},
        {"id": f"{zone}-cold", "zone": zone, "kind": "below",
         "levels": [level("warning", 2, "20m"), level("critical", 0, "5m")]},
        {"id": f"{zone}-dry", "zone": zone, "kind": "below", "quantity": "humidity",
         "levels": [level("warning", 1, "1h")]},
        {"id": f"{zone}-core", "zone": zone, "kind": "above", "quantity": "product_temperature",
         "levels": [level("critical", 9, "30m")]},
        {"id": f"{zone}-silent", "zone": zone, "kind": "silent", "quantity": "", "silent_after": "15m"},
    ]


class Stage:
    """with Stage() as stage: ...; stops what was started, last first, and removes the folder."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="coldchain-bench-")
        os.chmod(self.folder, 0o755)
        self.started = []
        self.broker = Broker(self.folder, program("coldchainctl"), acl=lambda text: text + "\n" + ACL)
        for user in GENERATORS:
            self.broker.add(user)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for part in reversed(self.started):
            part.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, part, **options):
        part.start(**options)
        self.started.append(part)
        return part

    def stop(self, part):
        self.started.remove(part)
        part.stop()

    def collector(self, devices=DEVICES, probes=0, name="collector", **settings):
        """Not started. A zone and five rules per device; probes alarm at once above 8."""
        zones = [{"id": f"zone-{i}", "name": f"zone {i}"} for i in range(devices)]
        zones += [{"id": f"probe-{i}", "name": f"probe {i}"} for i in range(probes)]
        rules = [rule for i in range(devices) for rule in rules_of(f"zone-{i}")]
        rules += [{"id": f"probe-{i}", "zone": f"probe-{i}", "kind": "above",
                   "levels": [{"severity": "critical", "level": 8, "delay": "0s"}]} for i in range(probes)]
        known = [{"id": f"dev-{i}", "zone": f"zone-{i}"} for i in range(devices)]
        known += [{"id": f"probe-{i}", "zone": f"probe-{i}"} for i in range(probes)]
        return Collector(self.folder, program("coldchain-collector"), self.broker, org=ORG, name=name,
                         sites=[{"id": "site", "name": "site", "zones": zones}], devices=known, rules=rules,
                         **settings)

    def flood_command(self, packs, rate, readings=READINGS, devices=DEVICES):
        return [program("flood"), str(self.broker.port), "flood", self.broker.passwords["flood"], ORG,
                str(devices), str(packs), str(readings), str(rate)]

    def flood(self, packs, rate, **more):
        done = subprocess.run(self.flood_command(packs, rate, **more), check=True, capture_output=True, text=True)
        return json.loads(done.stdout)


class Alarms:
    """Publishes a reading that alarms, and takes the time until its webhook arrives."""

    def __init__(self, stage, probes=PROBES):
        self.probes = probes
        self.receiver = stage.start(Receiver(SECRET))
        self.settings = {"webhooks": [{"name": "duty", "url": self.receiver.url, "secret": SECRET}]}
        self.stage, self.client, self.next, self.sent = stage, None, 0, {}

    def connect(self):
        broker = self.stage.broker
        self.client = mqtt.Client(broker.port, "probe", broker.passwords["probe"], client_id="probe")
        self.stage.started.append(self.client)

    def publish(self):
        device, self.next = f"probe-{self.next}", self.next + 1
        assert self.next <= self.probes, "each probe alarms once"
        pack = [{"bn": "", "n": "air_temperature", "t": time.time(), "v": 20}]
        topic = f"coldchain/v1/{ORG}/{device}/readings/1/1".replace("/1/1", "/0000000000000001/1")
        self.sent[device] = time.monotonic()
        self.client.publish(topic, json.dumps(pack), qos=1)  # as agents do: in the broker's queue

    def run(self, count, gap_s, until=None):
        """Milliseconds of each; ends early when until() is true."""
        first = self.next
        for _ in range(count):
            if until is not None and until():
                break
            self.publish()
            time.sleep(gap_s)  # the rate of the alarms, no synchronisation
        devices = [f"probe-{i}" for i in range(first, self.next)]
        wait_for(lambda: len(self.taken(devices)) == len(devices), 60, "all alarms are delivered")
        return self.taken(devices)

    def taken(self, devices):
        with self.receiver.lock:
            arrived = {self.receiver.messages[key]["device"]: at for key, at in reversed(self.receiver.deliveries)}
        return [(arrived[device] - self.sent[device]) * 1e3 for device in devices if device in arrived]


class Background(threading.Thread):
    """What a function gives, computed beside; result() waits for it."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self.function, self.arguments, self.value = function, arguments, None
        self.start()

    def run(self):
        self.value = self.function(*self.arguments)

    def result(self):
        self.join()
        return self.value


def p50_p99(values):
    return median(values), percentile(values, 0.99)
