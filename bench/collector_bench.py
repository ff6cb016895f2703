# SPDX-License-Identifier: Apache-2.0
"""What a QoS 1 message costs the collector, beside a subscriber that only receives with
Paho and parses with jansson, in the same run, behind the same broker and generator.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "support"))

from figures import cpu_by_thread, program, row  # noqa: E402
from house.broker import Broker  # noqa: E402
from house.collector import Collector  # noqa: E402
from house.process import wait_for  # noqa: E402

ORG, DEVICES, RATE, READINGS = "bench", 1000, 10000, 3
ACL = """\
user collector
topic readwrite coldchain/#
user flood
topic write coldchain/#
"""


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


def flood(broker, packs, rate, readings=READINGS, devices=DEVICES):
    done = subprocess.run(
        [program("flood"), str(broker.port), "flood", broker.passwords["flood"], ORG, str(devices),
         str(packs), str(readings), str(rate)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def measure_floor(broker, packs):
    count = packs * DEVICES
    process = subprocess.Popen(
        [program("bare_subscriber"), str(broker.port), "collector", broker.passwords["collector"],
         "coldchain/v1/+/+/readings/+/+", str(count)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == "READY"
    sent = flood(broker, packs, RATE)
    got = json.loads(process.stdout.readline())
    process.wait(timeout=30)
    return sent, got["cpu_s"] / count


def start_collector(folder, broker, name, influx=None):
    zones = [{"id": f"zone-{i}", "name": f"zone {i}"} for i in range(DEVICES)]
    more = {"influx": influx} if influx else {}
    collector = Collector(
        folder, program("coldchain-collector"), broker, org=ORG, name=name,
        sites=[{"id": "site", "name": "site", "zones": zones}],
        devices=[{"id": f"dev-{i}", "zone": f"zone-{i}"} for i in range(DEVICES)],
        rules=[rule for i in range(DEVICES) for rule in rules_of(f"zone-{i}")], **more)
    collector.start(timeout=60)
    return collector


def measure_collector(collector, broker, packs, rate=RATE, readings=READINGS):
    """(what the generator says, CPU seconds per message by part)"""
    pid, count = collector.child.pid, packs * DEVICES
    before, taken = cpu_by_thread(pid), collector.metric("packs_total")
    sent = flood(broker, packs, rate, readings)
    wait_for(lambda: collector.metric("packs_total") >= taken + count, 120, "all packs are taken")
    wait_for(lambda: collector.metric("history_readings_total") >= count * readings, 120,
             "all readings are in the history")
    after = cpu_by_thread(pid)
    cost = {name: (after[name] - before.get(name, 0.0)) / count for name in after}
    history = cost.pop("history", 0.0)
    return sent, sum(cost.values()), history, cost


def run(quick):
    folder = tempfile.mkdtemp(prefix="coldchain-bench-")
    os.chmod(folder, 0o755)
    packs = 20 if quick else 200
    broker = Broker(folder, program("coldchainctl"))
    broker.add("flood")
    with open(os.path.join(broker.home, "acl"), "w", encoding="utf-8") as file:
        file.write(ACL)
    started = [broker]
    try:
        broker.start()
        alone = flood(broker, packs, 0)
        sent, floor = measure_floor(broker, packs)
        collector = start_collector(folder, broker, "collector")
        started.append(collector)
        loaded, cost, history, parts = measure_collector(collector, broker, packs)
        rows = [
            row("generator alone, full speed", alone["published"] / alone["wall_s"], "messages/s"),
            row("generator beside the floor, behind its rate by", sent["most_behind"], "messages"),
            row("generator beside the collector, behind its rate by", loaded["most_behind"], "messages"),
            row("floor: Paho and jansson, CPU per message", floor * 1e6, "us"),
            row("collector: CPU per message without followers", cost * 1e6, "us"),
            row("collector / floor", cost / floor, "ratio", 1.5),
            row("history follower / floor", history / floor, "ratio", 0.3),
        ]
        for name in sorted(parts, key=parts.get, reverse=True)[:5]:
            rows.append(row(f"collector thread '{name}', CPU per message", parts[name] * 1e6, "us"))
        return rows
    finally:
        for part in reversed(started):
            part.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    for figure in run("--quick" in sys.argv[1:]):
        print(json.dumps(figure), flush=True)
