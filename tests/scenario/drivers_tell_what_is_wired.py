# SPDX-License-Identifier: Apache-2.0
"""What the drivers of hardware read arrives, and what fails arrives as a failure."""
import json
import os
import struct
import subprocess
import time

from house.agent import Agent
from house.broker import Broker
from house.collector import Collector
from house.mqtt import Client

SITES = [{"id": "store", "zones": [{"id": "room-1"}]}]
COLD = ("31 00 4b 46 7f ff 0f 10 22 : crc=22 YES\n31 00 4b 46 7f ff 0f 10 22 t=3062\n")
PROBE = "28-0316a2795dff"


def write(root, name, text):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(f"{path}.new", path)


def make_program(folder):
    path = os.path.join(folder, "controller")
    with open(path, "w", encoding="utf-8") as file:
        file.write('#!/bin/sh\necho \'[{"n":"urn:controller:air","u":"Cel","v":5.25}]\'\n')
    os.chmod(path, 0o755)
    return path


def start_house(house, devices, sensors=None):
    broker = Broker(house.folder, house.program("coldchainctl"))
    # Whoever is to be let in stands in the broker's file before it starts.
    for device in devices if sensors is None else ():
        broker.add(f"fengjie/{device}")
    agent = sensors and Agent(house.folder, house.program("coldchain-agent"), broker, devices[0], sensors,
                              pack={"interval": "200ms"})
    house.start(broker)
    collector = house.start(Collector(house.folder, house.program("coldchain-collector"), broker, sites=SITES,
                                      rules=[], delivery={"ack_interval": "100ms"},
                                      devices=[{"id": device, "zone": "room-1"} for device in devices]))
    if agent:
        house.start(agent)
    return broker, collector, agent


def last(collector, channel):
    """{value, quality, ...} of the channel's last reading; {} when there is none yet."""
    for zone in collector.get("/zones"):
        for one in zone["channels"]:
            if one["channel"] == channel:
                return one
    return {}


def story_three_drivers_measure_one_room(house):
    root = os.path.join(house.folder, "root")
    write(root, f"sys/bus/w1/devices/{PROBE}/w1_slave", COLD)
    write(root, f"sys/bus/w1/devices/w1_bus_master1/{PROBE}/w1_slave", COLD)
    write(root, "sys/class/hwmon/hwmon3/name", "sht3x\n")
    write(root, "sys/class/hwmon/hwmon3/humidity1_input", "91500\n")
    _, collector, _ = start_house(house, ["agent-1"], [
        {"name": "bus", "driver": "w1", "interval": "1s", "root": root,
         "channels": [{"name": "air_temperature", "probe": PROBE}]},
        {"name": "wall", "driver": "sysfs", "interval": "500ms", "root": root,
         "channels": [{"name": "humidity", "probe": "hwmon/sht3x/humidity1"}]},
        {"name": "controller", "driver": "exec", "interval": "1s", "exec": {"command": [make_program(house.folder)]},
         "channels": [{"name": "air_temperature-2", "probe": "urn:controller:air"}]}])
    for channel, value in (("air_temperature", 3.062), ("humidity", 91.5), ("air_temperature-2", 5.25)):
        house.wait_for(lambda: last(collector, channel).get("value") == value, 30, f"{channel} is {value}")
    write(root, f"sys/bus/w1/devices/{PROBE}/w1_slave", COLD.replace("YES", "NO"))
    house.wait_for(lambda: last(collector, "air_temperature").get("quality") == "checksum", 30, "the CRC is told")
    os.remove(os.path.join(root, f"sys/bus/w1/devices/{PROBE}/w1_slave"))
    house.wait_for(lambda: last(collector, "air_temperature").get("quality") == "open", 30, "the probe is gone")
    write(root, f"sys/bus/w1/devices/{PROBE}/w1_slave", COLD)
    house.wait_for(lambda: last(collector, "air_temperature").get("quality") == "good", 30, "and back")
    house.equal(last(collector, "air_temperature-2").get("quality"), "good", "the others meanwhile")


def cbor_pack(name, time_s, value):
    """[{0: name, 1: "Cel", 6: time, 2: value}] (RFC 8428 section 6)"""
    def text(value):
        data = value.encode()
        return bytes([0x78, len(data)]) + data
    return (b"\x81\xa4\x00" + text(name) + b"\x01" + text("Cel") + b"\x06\xfb" + struct.pack(">d", time_s)
            + b"\x02\xfb" + struct.pack(">d", value))


def story_cbor_is_taken_by_its_type_and_by_its_first_byte(house):
    broker, collector, _ = start_house(house, ["one", "two", "three"])
    now = time.time()
    for device, content_type, value in (("one", "application/senml+cbor", 4.5), ("two", None, 5.5),
                                        ("three", "application/senml+json", 6.5)):
        client = house.keep(Client(broker.port, f"fengjie/{device}", broker.passwords[f"fengjie/{device}"], device))
        client.publish(f"coldchain/v1/fengjie/{device}/readings/00000000000000aa/1",
                       cbor_pack(f"air_temperature-{device}", now, value), content_type=content_type)
        house.wait_for(lambda: last(collector, f"air_temperature-{device}").get("value") == value, 20,
                       f"the pack of {device}, typed {content_type}")


def story_the_agent_lists_what_is_wired(house):
    root = os.path.join(house.folder, "root")
    write(root, f"sys/bus/w1/devices/{PROBE}/w1_slave", COLD)
    write(root, f"sys/bus/w1/devices/w1_bus_master1/{PROBE}/w1_slave", COLD)
    write(root, "sys/class/hwmon/hwmon0/name", "sht3x\n")
    write(root, "sys/class/hwmon/hwmon0/temp1_input", "broken\n")

    def run(*words):
        return subprocess.run([house.program("coldchain-agent"), "sensors", *words], capture_output=True, text=True)
    listed = json.loads(run("--json", "--root", root).stdout)
    house.equal([(one["driver"], one["probe"], one["value"], one["quality"]) for one in listed],
                [("sysfs", "hwmon/sht3x/temp1", None, "fault"), ("w1", PROBE, 3.062, "good")], "as JSON")
    text = run("--root", root).stdout
    house.check(PROBE in text and "3.062 Cel" in text and "broken" in text, f"as a table: {text}")
    house.check("docs/sensors" in run("--root", f"{house.folder}/none").stdout, "what to do when there is none")
    house.equal(run("--jso").returncode, 2, "wrong usage")
    house.check("examples:" in run("--help").stdout, "help")
