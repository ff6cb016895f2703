# SPDX-License-Identifier: Apache-2.0
"""One house tells over every kind of channel at once: strict robots, a real mail server, a real
Alertmanager, a topic and a program; many alarms at once are gathered, and no secret is printed."""
import json
import os
import shutil
import stat
import time
import urllib.request

from house.broker import Broker
from house.collector import Collector
from house.freezer import Freezer, generated
from house.mqtt import Client
from house.process import Process, free_port
from house.robots import MailServer, Robots
from house.tls import make_certificates

EPOCH = "00000000000000aa"
SECRET = "SEC-of-the-robots"
PASSWORD = "the mail's password"
TOPIC = "coldchain/v1/fengjie/alarms/duty"
TOKENS = ("wecom-key", "dingtalk-token", "feishu-token", "bot-token", SECRET, PASSWORD)


class Alertmanager(Process):
    def __init__(self, folder, program):
        home = os.path.join(folder, "alertmanager")
        os.makedirs(home)
        path, self.port = os.path.join(home, "alertmanager.yml"), free_port()
        with open(path, "w", encoding="utf-8") as file:
            file.write("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
        super().__init__("alertmanager", [
            program, f"--config.file={path}", f"--storage.path={home}", "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{self.port}"], home)

    def alerts(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/alerts", timeout=5) as answer:
                return json.load(answer)
        except OSError:
            return None


def program_of(folder):
    """A program that writes down the arguments that it is run with, and where."""
    path, log = os.path.join(folder, "ring"), os.path.join(folder, "rung")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\nprintf '%s|' \"$@\" >> {log}\n")
    os.chmod(path, stat.S_IRWXU)
    return path, log


def channels_of(robots, mail, alertmanager, certificates, ring):
    to = ["+8613800000000"]
    return [
        {"name": "wecom", "kind": "wecom", "url": robots.url + "/wecom", "token": "wecom-key", "language": "zh"},
        {"name": "dingtalk", "kind": "dingtalk", "url": robots.url + "/dingtalk", "token": "dingtalk-token",
         "secret": SECRET, "to": to},
        {"name": "feishu", "kind": "feishu", "url": robots.url + "/feishu/", "token": "feishu-token",
         "secret": SECRET},
        {"name": "telegram", "kind": "telegram", "url": robots.url + "/telegram", "token": "bot-token",
         "to": ["-100"], "link": "https://c.example/"},
        {"name": "sms", "kind": "sms", "url": robots.url + "/sms?to=${to}", "secret": SECRET, "to": to,
         "headers": {"Authorization": "Bearer ${secret}"}, "body": '{"text":"${text}"}', "expect": '"Code": "OK"'},
        {"name": "mail", "kind": "email", "url": f"smtp://127.0.0.1:{mail.port}", "username": "cold",
         "password": PASSWORD, "from": "cold@example.com", "to": ["nobody@example.com", "duty@example.com"], "language": "en",
         "ca_file": os.path.join(certificates, "ca.crt")},
        {"name": "am", "kind": "alertmanager", "url": f"http://127.0.0.1:{alertmanager.port}"},
        {"name": "topic", "kind": "mqtt", "topic": TOPIC},
        {"name": "ring", "kind": "command", "command": [ring, "${severity}", "${text}"], "language": "en"},
    ]


def story_all_kinds_at_once(house):
    program = shutil.which("prometheus-alertmanager") or house.skip("prometheus-alertmanager is not installed")
    certificates = os.path.join(house.folder, "certificates")
    make_certificates(certificates)
    robots = house.start(Robots(SECRET))
    mail = house.start(MailServer(certificates, "cold", PASSWORD))
    alertmanager = house.start(Alertmanager(house.folder, program))
    ring, rung = program_of(house.folder)
    freezer = Freezer(house, generated(house, seed=4, rows=4000), influx=False)
    collector = freezer.collector
    channels = channels_of(robots, mail, alertmanager, certificates, ring)
    collector.settings["channels"] = channels
    house.wait_for(lambda: alertmanager.alerts() is not None, 20, "Alertmanager answers")
    freezer.start()

    def rows():
        return collector.get("/outbox", limit=1000)["messages"]

    tests = {}
    for channel in channels:
        status, answer = collector.do("notify.test", id=channel["name"])
        house.equal(status, 200, f"a test of {channel['name']}: {answer}")
        tests[channel["name"]] = answer
    status, answer = collector.do("notify.test", id="nobody")
    house.equal(status, 404, f"a test of a channel that is not there: {answer}")

    def tested():
        return {row["channel"] for row in rows() if row["key"].startswith("test-") and row["state"] == "done"}

    wanted = {channel["name"] for channel in channels}
    house.wait_for(lambda: tested() == wanted, 30, lambda: f"all are tested: {[r for r in rows() if r['channel'] not in tested()][:6]}")
    house.wait_for(lambda: set(robots.taken) == {"wecom", "dingtalk", "feishu", "telegram", "sms"}, 30, "robots took")
    house.wait_for(lambda: len(mail.mails) > 0 and os.path.exists(rung), 30, "mail and program took")
    house.equal(robots.complaints, [], "what the services complain of")
    house.check(robots.refused == 1, "200 with an error code was no success")
    house.check(any(alert["labels"]["alertname"] == "coldchain" for alert in alertmanager.alerts()),
                "Alertmanager knows the test")
    to, first = mail.mails[0]
    house.equal(to, ["duty@example.com"], "the receiver of the mail")
    house.equal({row["last_result"] for row in rows() if row["channel"] == "mail" and row["key"].startswith("test-")},
                {"reply 250: refused receiver 1: 550 5.1.1 <...>: no such user here"}, "who did not get it is said")
    house.check(first["Message-ID"].endswith("@example.com>") and first.get_content_type() == "text/plain", "the mail")
    house.wait_for(lambda: any("in digest-" in row["last_result"] for row in rows()), 30, "many were gathered")
    listed = {channel["name"]: channel for channel in collector.get("/alarm-channels")}
    house.check(wanted <= set(listed) and listed["ring"]["can_ring_now"] and not listed["am"]["rings"],
                f"the list of channels: {listed}")
    log = collector.log()
    house.equal([token for token in TOKENS if token in log or token in json.dumps(rows())], [], "secrets shown")


def story_alertmanager_through_restarts(house):
    """What is open is told again before Alertmanager would call it over, and at once after a start of either."""
    program = shutil.which("prometheus-alertmanager") or house.skip("prometheus-alertmanager is not installed")
    alertmanager = house.start(Alertmanager(house.folder, program))
    broker = Broker(house.folder, house.program("coldchainctl"))
    collector = Collector(
        house.folder, house.program("coldchain-collector"), broker, delivery={"ack_interval": "200ms"},
        sites=[{"id": "store", "name": "store", "zones": [{"id": "room"}]}], devices=[{"id": "one", "zone": "room"}],
        rules=[{"id": "warm", "zone": "room", "kind": "above", "quantity": "air_temperature", "levels": [{"level": 8}]},
               {"id": "hot", "zone": "room", "kind": "above", "quantity": "air_temperature",
                "levels": [{"level": 12, "recovery": 3}]}],
        channels=[{"name": "am", "kind": "alertmanager", "url": f"http://127.0.0.1:{alertmanager.port}", "refresh": "1s"}])
    password = broker.add("fengjie/one")
    house.start(broker)
    house.wait_for(lambda: alertmanager.alerts() is not None, 20, "Alertmanager answers")
    house.start(collector)
    device = house.keep(Client(broker.port, "fengjie/one", password, "one"))

    begun_s = int(time.time()) - 10

    def measure(seq, value):
        device.publish(f"coldchain/v1/fengjie/one/readings/{EPOCH}/{seq}",
                       json.dumps([{"n": "air_temperature", "u": "Cel", "t": begun_s + seq, "v": value}]).encode())

    def until(after=""):
        """Until when Alertmanager holds the one that is open; None: not later than that."""
        ends = [alert["endsAt"] for alert in alertmanager.alerts() or [] if alert["labels"]["alertname"] == "warm"]
        return max(ends) if ends and max(ends) > after else None

    measure(1, 9)
    first = house.wait_for(until, 20, "it is told")
    later = house.wait_for(lambda: until(first), 20, "it is told again, and held for longer")
    collector.kill()
    collector.settings["channels"][0]["refresh"] = "1h"  # so it is the start that tells it
    collector.start()
    house.wait_for(lambda: until(later), 20, "it is told again when the collector is started")
    # What led is over, what followed it is not: it is the same alert, and ends as that.
    measure(2, 13)
    measure(3, 5)
    house.wait_for(lambda: [one["rule"] for one in collector.get("/incidents?state=open")["incidents"]] == ["hot"],
                   20, "the one that led is over")
    collector.kill()
    alertmanager.kill()
    alertmanager.start()
    house.wait_for(lambda: alertmanager.alerts() == [], 20, "Alertmanager forgot")
    collector.start()
    house.wait_for(until, 20, "it is told to an Alertmanager that forgot")
    measure(4, 2)
    house.wait_for(lambda: not until(), 20, "it is over")
    collector.kill()
    collector.start()
    house.wait_for(lambda: collector.get("/status")["caught_up"], 20, "it is through")
    house.wait_for(lambda: collector.do("notify.test", id="am")[0] == 200, 20, "a test")
    house.wait_for(lambda: alertmanager.alerts(), 20, "the test arrives")
    house.equal(until(), None, "what is over is not told again")
