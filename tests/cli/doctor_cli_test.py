#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`coldchainctl doctor` beside a real mosquitto and a real collector: each trouble is made, and is told.

usage: doctor_cli_test.py COLDCHAINCTL COLLECTOR SOURCE_DIR
"""
import json
import logging
import os
import sqlite3
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAM, COLLECTOR, SOURCE = map(os.path.abspath, sys.argv[1:4])
sys.path.insert(0, os.path.join(SOURCE, "tests", "support"))

from house.broker import Broker  # noqa: E402
from house.collector import Collector  # noqa: E402
from house.mqtt import Client  # noqa: E402
from house.process import free_port, wait_for  # noqa: E402
from house.robots import MailServer  # noqa: E402
from house.tls import make_certificates  # noqa: E402
from house.webhook import Receiver  # noqa: E402
from house.yamlfile import format_yaml  # noqa: E402

SITES = [{"id": "store", "name": "奉节产地冷库", "zones": [{"id": "room-1", "name": "1号库 脐橙"}]}]
EPOCH = "00000000000000aa"


class Found:
    """What one run said."""

    def __init__(self, done):
        self.status, self.stderr = done.returncode, done.stderr
        self.answer = json.loads(done.stdout)
        self.lines = [(one["level"], one["area"], one["seen"], one["todo"]) for one in self.answer["findings"]]

    def problems(self):
        return [line[1:3] for line in self.lines if line[0] == "problem"]

    def has(self, level, area, words):
        return any(line[0] == level and line[1] == area and words in line[2] for line in self.lines)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="coldchain-doctor-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, part):
        self.addCleanup(part.stop)
        part.start()
        return part

    def house(self, collector=True, broker=None, tls=None, **settings):
        """A broker, a device that was just heard, and a collector that is ready or was stopped."""
        self.broker = self.start(broker or Broker(self.folder, PROGRAM))
        self.collector = Collector(self.folder, COLLECTOR, self.broker, sites=SITES, **{
            "devices": [{"id": "one", "zone": "room-1"}], **settings})
        self.collector.data = self.collector.settings["data_dir"]
        if tls:  # the name of the files, without .crt and .key
            self.collector.tls = ssl.create_default_context(cafile=os.path.join(self.folder, "ca.crt"))
            self.collector.settings["api"].update(cert_file=f"{tls}.crt", key_file=f"{tls}.key")
        self.start(self.collector)
        self.password = password = self.broker.add("fengjie/one")
        self.broker.child.send_signal(1)  # SIGHUP: read the passwords again
        wait_for(lambda: self.say_something(password), 30, "the device is let in")
        wait_for(lambda: self.collector.get("/devices")[0]["last_arrival"], 30, "the device was heard")
        if not collector:
            self.collector.stop()

    def say_something(self, password):
        try:
            client = Client(self.broker.port, "fengjie/one", password, "one")
        except Exception:
            return False
        client.publish(f"coldchain/v1/fengjie/one/readings/{EPOCH}/1",
                       json.dumps([{"n": "air_temperature", "u": "Cel", "t": int(time.time()), "v": 4}]))
        client.stop()
        return True

    def doctor(self, *words, config=True):
        path = ("--config", self.collector.path) if config else ()
        done = subprocess.run([PROGRAM, "doctor", "--json", *path, *words], capture_output=True, text=True, timeout=60, check=False)
        return Found(done)

    def says(self, found, level, area, words):
        self.assertTrue(found.has(level, area, words), f"not told: {level} {area} {words}: {found.lines}")
        if level != "ok":
            self.assertTrue(all(line[3] for line in found.lines if line[0] != "ok"), "each says what to do")
        self.assertEqual(found.status, 1 if found.problems() else 0)


class Healthy(Case):
    def test_a_house_in_order_has_no_problem(self):
        receiver = self.start(Receiver(self.folder))
        self.house(webhooks=[{"name": "ops", "url": receiver.url}])
        found = self.doctor()
        self.assertEqual(found.problems(), [])
        for area, words in (("collector", "is ready"), ("broker", "connected and logged in"), ("access", "no name is refused"),
                            ("access", "nobody has is refused"), ("disk", "free"), ("sinks", "ops: answers"), ("sinks", "no message waits"),
                            ("database", "state.db"), ("database", "history.db"), ("journal", "all sound"), ("devices", "all 1 were heard")):
            self.says(found, "ok", area, words)
        self.assertTrue(any(line[1] == "clock" and "this machine's" in line[2] for line in found.lines))
        self.assertEqual(found.answer["ok"] + found.answer["warnings"], len(found.lines))

    def test_without_the_configuration_the_api_is_asked(self):
        self.house()
        found = self.doctor("--api", self.collector.url, "--token-file", os.path.join(self.collector.data, "api.token"), config=False)
        self.assertEqual(found.problems(), [])
        self.says(found, "ok", "devices", "all 1 were heard")
        self.assertFalse(any(line[1] == "disk" for line in found.lines))

    def test_it_speaks_chinese_to_people_and_english_to_programs(self):
        self.house(collector=False)
        words = [PROGRAM, "doctor", "--lang", "zh", "--local", "--config", self.collector.path]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        for text in ("正常      消息代理     它允许采集器登录", "正常      权限         匿名登录被拒绝", "数据库       state.db，结构版本", "问题 0"):
            self.assertIn(text, done.stdout)
        found = Found(subprocess.run([*words, "--json"], capture_output=True, text=True, timeout=60, check=False))
        self.says(found, "ok", "broker", "it lets the collector in")

    def test_looking_ends_no_connection_and_leaves_the_session(self):
        self.house()
        for _ in range(3):
            self.doctor()
        self.assertEqual(self.broker.log().count("as collector ("), 1, "the collector connected once")
        self.collector.stop()
        self.assertTrue(self.say_something(self.broker.passwords["fengjie/one"]))
        before = len(self.collector.log())
        for _ in range(3):
            self.assertEqual(self.doctor("--local").problems(), [])
        self.collector.start()
        self.assertIn("session=resumed", self.collector.log()[before:])
        wait_for(lambda: self.collector.metric("messages_total") >= 1, 30, "what waited in the session came")

    def test_a_session_that_was_not_there_is_not_made(self):
        self.house()
        self.collector.settings["mqtt"]["username"] = "fengjie/two"
        self.collector.settings["mqtt"]["password"] = self.broker.add("fengjie/two")
        self.broker.child.send_signal(1)
        self.collector.stop()
        self.collector.write()
        wait_for(lambda: self.doctor("--local").has("ok", "broker", "lets the collector in"), 30, "the new user is let in")
        found = self.doctor("--local")
        self.says(found, "problem", "access", "the collector may not publish to coldchain/v1/fengjie/doctor-")
        client = Client(self.broker.port, "fengjie/two", self.broker.passwords["fengjie/two"], "two", session_s=60)
        self.addCleanup(client.stop)
        self.assertFalse(client.session_present)


class Broken(Case):
    def test_the_broker_is_stopped(self):
        self.house()
        self.broker.stop()
        wait_for(lambda: not self.collector.get("/status")["connected"], 20, "the collector knows")
        found = self.doctor()
        self.says(found, "problem", "broker", "the collector is not connected")
        self.says(found, "problem", "broker", "Connection refused")
        self.says(found, "problem", "collector", "not ready")

    def test_the_collector_is_down(self):
        self.house(collector=False)
        found = self.doctor()
        self.assertEqual([area for area, _ in found.problems()], ["collector"])
        self.says(found, "ok", "broker", "lets the collector in")
        self.says(found, "ok", "access", "may subscribe and publish what it needs")
        self.says(found, "ok", "devices", "not looked at")
        self.assertEqual(self.doctor("--local").problems(), [])

    def test_a_wrong_password(self):
        self.house(collector=False)
        self.collector.settings["mqtt"]["password"] = "wrong"
        self.collector.write()
        self.says(self.doctor("--local"), "problem", "broker", "does not let the collector in: ")

    def test_a_wrong_token(self):
        self.house()
        path = os.path.join(self.folder, "token")
        with open(path, "w", encoding="utf-8") as file:
            file.write("no-such-token\n")
        found = self.doctor("--token-file", path)
        self.says(found, "problem", "collector", "does not know this token")
        self.says(found, "ok", "broker", "was not tried: a collector is at work")

    def test_a_broker_that_lets_everybody_in(self):
        self.house(collector=False, broker=Broker(self.folder, PROGRAM, change={
            "allow_anonymous false": "allow_anonymous true", "acl_file ": "#", "use_username_as_clientid true": ""}))
        found = self.doctor("--local")
        self.says(found, "problem", "access", "lets in who gives no name")
        self.says(found, "warning", "access", "write anything")

    def test_a_sink_that_is_dead(self):
        self.house(influx={"url": f"http://127.0.0.1:{free_port()}", "database": "x"},
                   webhooks=[{"name": "ops", "url": f"http://127.0.0.1:{free_port()}/"}],
                   rules=[{"id": "warm", "zone": "room-1", "kind": "above", "quantity": "air_temperature", "levels": [{"level": 1}]}])
        wait_for(lambda: any(one["attempts"] for one in self.collector.get("/outbox")["messages"]), 20, "a message was tried")
        wait_for(lambda: self.collector.get("/sinks")[0]["last_error"], 20, "a batch was tried")
        found = self.doctor()
        self.says(found, "problem", "sinks", "influx: waiting")
        self.says(found, "problem", "sinks", "influx: does not answer")
        self.says(found, "problem", "sinks", "ops: does not answer")
        self.says(found, "warning", "sinks", "ops: 1 messages wait")
        self.collector.stop()
        self.says(self.doctor("--local"), "warning", "sinks", "ops: 1 messages wait")
        store = sqlite3.connect(os.path.join(self.collector.data, "state.db"))
        self.addCleanup(store.close)
        for change, level, words in (
                ("state = 'dead'", "problem", "1 were given up"),
                ("last_result = 'it began again'", "ok", "no message waits"),  # nobody gave it up
                ("state = 'pending', created_ms = created_ms + 86400000", "ok", "no message waits")):  # its hour comes
            with self.subTest(change=change), store:
                self.assertEqual(store.execute(f"UPDATE outbox SET {change}").rowcount, 1)
                store.commit()
                self.says(self.doctor("--local"), level, "sinks", words)

    def test_a_full_disk(self):
        disk = os.path.join(self.folder, "disk")
        os.mkdir(disk)
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "none", disk],
                                               capture_output=True, check=False).returncode != 0:
            self.skipTest("a small disk cannot be mounted here")
        self.addCleanup(lambda: subprocess.run(["umount", "-l", disk], check=True))
        self.house(collector=False, journal={"segment_size": "1M"}, data_dir=os.path.join(disk, "data"))
        self.assertEqual(self.doctor("--local").problems(), [])
        with open(os.path.join(disk, "filler"), "wb") as file, self.assertRaises(OSError):
            while True:
                file.write(b"x" * 65536)
                file.flush()
        self.says(self.doctor("--local"), "problem", "disk", "less than the journal's next segments")

    def test_damaged_files(self):
        self.house(collector=False)
        path = os.path.join(self.collector.data, "state.db")
        with open(path, "r+b") as file:
            file.seek(4096 * 3)
            file.write(b"\xa5" * 4096 * 8)
        journal = os.path.join(self.collector.data, "journal")
        segment = os.path.join(journal, min(name for name in os.listdir(journal) if name.startswith("segment-")))
        with open(segment, "r+b") as file:
            data = file.read()
            at = data.index(b"air_temperature")
            file.seek(at)
            file.write(b"air_temperatura")
        found = self.doctor("--local")
        self.says(found, "problem", "database", "is damaged")
        self.says(found, "problem", "journal", "1 damaged regions")

    def test_silent_devices(self):
        self.house(devices=[{"id": "one", "zone": "room-1"}, {"id": "two", "zone": "room-1"}])
        self.says(self.doctor(), "warning", "devices", "1 of 2 silent for more than 15 min: fengjie/two (never heard)")


class Alarms(Case):
    def test_agents_older_than_their_zones_settings(self):
        self.house()
        device = Client(self.broker.port, "fengjie/one", self.password, "status")
        self.addCleanup(device.stop)
        device.publish("coldchain/v1/fengjie/one/status", json.dumps({"state": "online", "config": {
            "form": 2, "unknown": ["zone.fog", "kind.telepathy"], "left_out": 1}}), retain=True)
        wait_for(lambda: self.collector.get("/devices")[0]["config_left_out"], 30, "the device has said so")
        found = self.doctor()
        self.says(found, "warning", "devices",
                  "agent fengjie/one is older than its zone's settings: it does not know zone.fog, kind.telepathy")
        self.says(found, "warning", "devices", "agent fengjie/one does not judge 1 of its zone's rules")

    def tried(self, name):
        channel = next(one for one in self.collector.get("/alarm-channels") if one["name"] == name)
        return channel["state"] != "unused"

    def test_a_channel_that_no_contact_has_an_address_on(self):
        receiver = self.start(Receiver("s"))
        self.house(webhooks=[{"name": "desk", "url": receiver.url}],
                   channels=[{"name": "call", "kind": "command", "command": ["/bin/true"]},
                             {"name": "group", "kind": "command", "command": ["/bin/true"]}],
                   escalation={"contacts": [{"id": "li", "addresses": [{"channel": "call"}]}],
                               "duties": [{"id": "all", "shifts": [{"contact": "li"}]}],
                               "policies": [{"id": "any", "steps": [{"duty": "all"}]}]})
        found = self.doctor()
        self.says(found, "warning", "alarms", "group: no contact has an address on it")
        for name in ("desk", "call"):
            self.assertFalse(found.has("warning", "alarms", f"{name}: no contact"), found.lines)

    def test_channels(self):
        good, bad = self.start(Receiver("s")), self.start(Receiver("s"))
        bad.behave = lambda number: 401
        script = os.path.join(self.folder, "ring")
        mail = self.start(MailServer(None, "", ""))
        self.house(channels=[
            {"name": "post", "kind": "email", "url": f"smtp://127.0.0.1:{mail.port}", "from": "c@example.com",
             "to": ["nobody@example.com", "d@example.com"]},
            {"name": "ops", "kind": "webhook", "url": good.url, "secret": "s", "rings": "yes", "rate": 1},
            {"name": "chat", "kind": "webhook", "url": bad.url},
            {"name": "bell", "kind": "command", "command": [script, "3"], "rings": "no"},
            {"name": "far", "kind": "alertmanager", "url": f"http://localhost.invalid:{free_port()}"}])
        found = self.doctor()
        self.says(found, "warning", "alarms", "ops: nothing was sent over it")
        self.says(found, "problem", "alarms", f"bell: {script}: No such file")
        self.says(found, "warning", "alarms", "far: who is on the way can read its messages")
        self.says(found, "problem", "alarms", "far: does not answer from this machine")
        self.says(found, "ok", "alarms", "ops: answers (status ")
        for name, status, said in (("ops", 0, "ops: delivered: status 20"), ("post", 0, "refused receiver 1: 550"), ("chat", 1, "status 401")):
            tested = subprocess.run([PROGRAM, "channel", "test", name, "--api", self.collector.url, "--token-file",
                                     os.path.join(self.collector.data, "api.token")],
                                    capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual((tested.returncode, said in tested.stdout + tested.stderr), (status, True), tested)
            wait_for(lambda name=name: self.tried(name), 30, f"{name} was tried")
        found = self.doctor()
        self.says(found, "warning", "alarms", "post: delivered, but not to everybody: refused receiver 1: 550 5.1.1 <...>: no such user here")
        ops, chat = (next(line[2] for line in found.lines if line[2].startswith(words))
                     for words in ("ops: last delivered", "chat: failed"))
        self.assertRegex(ops, r"^ops: last delivered \d min ago; it can ring now; 0 messages may go at once, 1 a minute$")
        self.assertRegex(chat, r"^chat: failed \d times in a row, last \d min ago: status 401; last delivered: never$")
        self.says(found, "ok", "alarms", ops)
        self.says(found, "warning", "alarms", chat)
        self.assertIn("put a new token", next(line[3] for line in found.lines if line[2].startswith("chat: failed")))

    def test_nobody_would_be_told(self):
        self.house()
        self.says(self.doctor(), "warning", "alarms", "nobody is told of incidents")


class Mail(Case):
    """Every mail server is a real one; what the doctor does there sends nothing."""

    def channels(self):
        certificates = os.path.join(self.folder, "certificates")
        make_certificates(certificates)
        self.server = self.start(MailServer(certificates, "cold", "sesame"))
        self.implicit = self.start(MailServer(certificates, "cold", "sesame", implicit=True))
        self.plain = self.start(MailServer(None, "", ""))
        self.bare = self.start(MailServer(None, "", "", host="127.0.0.2"))
        ours = {"username": "cold", "password": "sesame", "ca_file": os.path.join(certificates, "ca.crt")}
        rows = {
            "good": {"url": f"smtp://127.0.0.1:{self.server.port}", **ours},
            "early": {"url": f"smtps://127.0.0.1:{self.implicit.port}", **ours},
            "wrong": {"url": f"smtp://127.0.0.1:{self.server.port}", **ours, "password": "another"},
            "strange": {"url": f"smtp://127.0.0.1:{self.server.port}", "username": "cold", "password": "sesame"},
            "other": {"url": f"smtp://127.0.0.2:{self.bare.port}", **ours},
            "closed": {"url": f"smtp://127.0.0.1:{free_port()}", **ours},
            "nowhere": {"url": "smtp://mail.invalid:587", **ours},
            "crossed": {"url": f"smtp://127.0.0.1:{self.implicit.port}", **ours},
            "hasty": {"url": f"smtps://127.0.0.1:{self.server.port}", **ours},
            "web": {"url": f"smtp://127.0.0.1:{self.babbler()}", **ours},
            "open": {"url": f"smtp://127.0.0.1:{self.plain.port}"},
            "needless": {"url": f"smtp://127.0.0.1:{self.plain.port}", **ours},
        }
        return [{"name": name, "kind": "email", "from": "c@example.com", "to": ["d@example.com"], **row}
                for name, row in rows.items()]

    def babbler(self):
        """The port of a server that greets as no mail server does."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def greet():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        threading.Thread(target=greet, daemon=True).start()
        return listener.getsockname()[1]

    def test_a_login_is_tried_and_no_mail_sent(self):
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        self.house(collector=False, channels=self.channels())
        found = self.doctor("--local")
        for level, words, todo in (
                ("ok", "good: its mail server takes the login, over TLS; no mail was sent", None),
                ("ok", "early: its mail server takes the login, over TLS; no mail was sent", None),
                ("problem", "wrong: its mail server refuses the login: ", "put 'username' and 'password'"),
                ("problem", "strange: the certificate of its mail server is not to be trusted: ", "see 'ca_file'"),
                ("problem", "other: its mail server does not speak TLS on that port: ", "see that the address speaks TLS"),
                ("problem", "closed: its mail server does not answer: ", "a firewall lets this machine through"),
                ("problem", "nowhere: its mail server is not known by that name: ", "the name of the service is not found"),
                ("problem", "crossed: its mail server is reached and says nothing: ", "smtps:// with 465"),
                ("problem", "hasty: its mail server does not speak TLS on that port: ", "see that the address speaks TLS"),
                ("problem", "web: what answers there is no mail server as it should be: ", "see what it said"),
                ("ok", "open: its mail server answers, without TLS and a login; no mail was sent", None),
                ("warning", "needless: its mail server offers no login", "take 'username' out")):
            self.says(found, level, "alarms", words)
            if todo:
                self.assertIn(todo, next(line[3] for line in found.lines if line[2].startswith(words)))
        self.assertEqual((self.server.logins, self.implicit.logins), (2, 1))
        self.assertEqual([one.mails for one in (self.server, self.implicit, self.plain, self.bare)], [[]] * 4)
        self.assertNotIn("sesame", json.dumps(found.answer))


class Siren(Case):
    def script(self, name, text="#!/bin/sh\nexit 0\n", mode=0o755):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def look(self, *words, **alarm):
        path = os.path.join(self.folder, "agent.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(format_yaml({"org": "o", "device": "d", "alarm": alarm, "status": {"file": os.path.join(self.folder, "status.json")}}))
        done = subprocess.run([PROGRAM, "doctor", "--json", "--agent", path, "--local", *words], capture_output=True, text=True,
                              timeout=60, check=False)
        return Found(done)

    def test_what_rings_here(self):
        fine = self.script("fine")
        rows = (("ok", fine, "is there and can be run"),
                ("problem", os.path.join(self.folder, "nowhere"), "No such file"),
                ("problem", self.folder, "is no file"),
                ("problem", self.script("closed", mode=0o644), "nobody may run"),
                ("problem", self.script("open", mode=0o777), "everybody on this machine can replace"),
                ("warning", self.script("few", mode=0o750), "only its owner and its group"),
                ("problem", self.script("dos", "#!/bin/sh\r\nexit 0\r\n"), "ends as on Windows"),
                ("problem", self.script("gone", "#! /opt/none/lua -x\n"), "is to be run by /opt/none/lua: No such file"))
        for level, path, words in rows:
            with self.subTest(path=path):
                found = self.look(on_incident=[path, "--room", "3"])
                self.says(found, level, "siren", words)
        found = self.look(on_incident=[fine], command=[rows[1][1]])
        self.says(found, "ok", "siren", "alarm.on_incident")
        self.says(found, "problem", "siren", "alarm.command: ")
        self.says(self.look(), "warning", "siren", "nothing rings here")
        self.says(self.look(command=[fine]), "warning", "siren", "by the collector only")

    def test_muted_and_failing(self):
        fine, mute = self.script("fine"), self.script("mute", "")
        os.utime(mute, (time.time() - 4 * 3600,) * 2)
        with open(os.path.join(self.folder, "status.json"), "w", encoding="utf-8") as file:
            json.dump({"is_ringing": True, "alarm_runs_failed": 0, "incident_runs_failed": 3, "incidents_open": 2}, file)
        found = self.look(on_incident=[fine], mute_file=mute)
        self.says(found, "warning", "siren", "muted for 4 h")
        self.says(found, "problem", "siren", "alarm.on_incident failed 3 times")
        self.says(found, "problem", "siren", "it rings")
        self.says(found, "warning", "siren", "open here: 2")
        self.assertFalse(any("alarm.command" in line[2] for line in found.lines))

    def test_a_file_that_is_none(self):
        found = Found(subprocess.run([PROGRAM, "doctor", "--json", "--agent", "/nonexistent.yaml", "--local"], capture_output=True,
                                     text=True, timeout=60, check=False))
        self.says(found, "problem", "siren", "cannot read /nonexistent.yaml")


class Certificates(Case):
    def openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def make(self, name, *dates):
        """A key and a certificate of it, signed by the house's own authority; `dates` as openssl ca takes them."""
        if not os.path.exists(os.path.join(self.folder, "ca.crt")):
            self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ca", "-days", "400")
            with open(os.path.join(self.folder, "ca.cnf"), "w", encoding="utf-8") as file:
                file.write("[ca]\ndefault_ca=d\n[d]\ndatabase=index\nnew_certs_dir=.\nserial=serial\ndefault_md=sha256\npolicy=p\n"
                           "unique_subject=no\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=IP:127.0.0.1\n")
            with open(os.path.join(self.folder, "index"), "w", encoding="utf-8"):
                pass
            with open(os.path.join(self.folder, "serial"), "w", encoding="utf-8") as file:
                file.write("01\n")
        self.openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        self.openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.crt", "-keyfile", "ca.key", "-in", f"{name}.csr", "-out", f"{name}.crt", *dates)
        os.chmod(self.path(f"{name}.key"), 0o600)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, uri, **mqtt):
        """A configuration alone: no collector ever ran."""
        path = self.path("collector.yaml")
        os.makedirs(self.path("data"), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(format_yaml({"data_dir": self.path("data"), "mqtt": {"uri": uri, "ca_file": self.path("ca.crt"), **mqtt}}))
        os.chmod(path, 0o600)
        return subprocess.run([PROGRAM, "doctor", "--json", "--local", "--config", path], capture_output=True, text=True, timeout=60, check=False)

    def broker_with(self, name):
        return self.start(Broker(self.folder, PROGRAM, name=f"mosquitto-{name}",
                                 words=("--cert-file", self.path(f"{name}.crt"), "--key-file", self.path(f"{name}.key"))))

    def test_the_broker_shows_a_certificate(self):
        self.make("good", "-days", "365")
        self.make("soon", "-days", "5")
        self.make("over", "-startdate", "20200101000000Z", "-enddate", "20210101000000Z")
        for name, level, words in (("good", "ok", "'good' is good for 36"), ("soon", "warning", "'soon' is good for "),
                                   ("over", "problem", "'over' ended ")):
            with self.subTest(name=name):
                broker = self.broker_with(name)
                secret = {"username": "collector", "password": broker.passwords["collector"]}
                found = Found(self.write(f"mqtts://127.0.0.1:{broker.port}", **secret))
                self.says(found, level, "broker", words)
                self.assertEqual(found.has("ok", "broker", "lets the collector in"), name != "over", found.lines)
                self.assertEqual(found.has("problem", "broker", "certificate has expired"), name == "over", found.lines)
                other = Found(self.write(f"mqtts://localhost:{broker.port}", **secret))
                self.assertTrue(other.has("problem", "broker", "is not trusted"), "another name than the certificate's")
                self.assertEqual(broker.log().count("as collector ("), 0 if name == "over" else 1, "no password for who is not trusted")

    def test_an_api_that_speaks_tls_is_asked_by_its_own_certificate(self):
        self.make("api", "-days", "5")
        self.house(tls=self.path("api"))
        found = self.doctor()
        self.assertEqual(found.problems(), [])
        self.says(found, "ok", "collector", "at https://127.0.0.1:")
        self.says(found, "warning", "certificates", "api.cert_file: 'api' is good for ")
        self.says(found, "ok", "certificates", "api.key_file is the key of api.cert_file")
        self.says(self.doctor("--ca-file", self.path("api.csr")), "problem", "collector", "")

    def test_files_of_the_configuration(self):
        self.make("mine", "-days", "365")
        self.make("soon", "-days", "5")
        self.make("over", "-startdate", "20200101000000Z", "-enddate", "20210101000000Z")
        uri = f"mqtts://127.0.0.1:{free_port()}"

        def look(cert, key):
            return Found(self.write(uri, cert_file=self.path(cert), key_file=self.path(key)))
        found = look("mine.crt", "mine.key")
        self.says(found, "ok", "certificates", "is the key of")
        self.says(found, "ok", "certificates", "mqtt.ca_file: 'ca' is good for 39")
        self.says(look("soon.crt", "soon.key"), "warning", "certificates", "mqtt.cert_file: 'soon' is good for ")
        self.says(look("over.crt", "over.key"), "problem", "certificates", "mqtt.cert_file: 'over' in ")
        self.says(look("mine.crt", "over.key"), "problem", "certificates", "over.key is not the key of")
        self.says(look("mine.csr", "mine.key"), "problem", "certificates", "holds no certificate")
        self.says(look("absent.crt", "mine.key"), "problem", "certificates", "No such file")
        os.chmod(self.path("mine.key"), 0o644)
        self.says(look("mine.crt", "mine.key"), "problem", "certificates", "everybody on this machine can read")
        self.openssl("rsa", "-aes128", "-passout", "pass:secret", "-in", "mine.key", "-out", "locked.key")
        self.says(look("mine.crt", "locked.key"), "problem", "certificates", "without a passphrase")


class Usage(unittest.TestCase):
    def run_doctor(self, *words, env=None):
        return subprocess.run([PROGRAM, "doctor", *words], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, **(env or {})})

    def test_what_is_asked_wrongly(self):
        for words, status, said in ((("extra",), 2, "nothing is expected"), (("--silent-after", "0"), 2, "silent-after"),
                                    (("--config", "/nonexistent.yaml"), 1, "/nonexistent.yaml"),
                                    (("--local", "--config", "/dev/null/x"), 1, "/dev/null/x")):
            with self.subTest(words=words):
                done = self.run_doctor(*words)
                self.assertEqual(done.returncode, status)
                self.assertIn(said, done.stderr)

    def test_nothing_answers(self):
        done = self.run_doctor("--api", f"http://127.0.0.1:{free_port()}", env={"COLDCHAIN_TOKEN_FILE": ""})
        self.assertEqual(done.returncode, 1)
        self.assertIn("PROBLEM   collector", done.stdout)
        self.assertIn("-> start it", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=1)
