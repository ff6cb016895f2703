# SPDX-License-Identifier: Apache-2.0
"""An alarm whose first channel is dead goes over the next, and its link acknowledges with one tap:
looking at it does not, the button does, and who comes second reads who was first. The next one is
taken by an answer that a gateway brings, and another one by a button in Telegram. A program that no
contact names is told of all three, and of the end, which goes nowhere else but where its beginning came."""
import hashlib
import hmac
import html
import json
import os
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request

from house.broker import Broker
from house.collector import Collector
from house.mqtt import Client
from house.robots import Robots
from house.webhook import Receiver

EPOCH = "00000000000000aa"
SECRET = "a secret of the tests"
NUMBER = "+8613800000000"
GATEWAY = "a secret of the gateway"


def fetch(url, method="GET"):
    """(status, text) of a page, as a browser without any credential gets it."""
    request = urllib.request.Request(url, method=method, data=b"" if method == "POST" else None,
                                     headers={"Content-Type": "application/x-www-form-urlencoded"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def bring(collector, sender, text, secret=GATEWAY):
    """(status, JSON) of an answer as a gateway brings it."""
    body = json.dumps({"channel": "duty", "from": sender, "text": text}).encode()
    stamp = str(int(time.time()))
    mark = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(collector.url + "/v1/replies", data=body, headers={
        "X-Coldchain-Timestamp": stamp, "X-Coldchain-Signature": "sha256=" + mark})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def make_trouble(device, name):
    for value in (1, 2):
        device.publish(f"coldchain/v1/fengjie/{name}/readings/{EPOCH}/1", json.dumps(
            [{"n": "air_temperature", "u": "Cel", "t": int(time.time()), "v": value}]).encode())


def press_the_last(house, collector, robots, device):
    """A third trouble, which is acknowledged where the bot told of it; the second is told who was first."""
    answered = 0
    make_trouble(device, "three")

    def told():
        return [number for number, one in enumerate(robots.bot_messages, 1) if "three" in one["text"]]

    house.wait_for(told, 30, lambda: f"the bot tells of it: {robots.bot_messages}")
    number = told()[0]  # alone, or in a list, of which it is the last
    data = robots.bot_messages[number - 1]["reply_markup"]["inline_keyboard"][-1][0]["callback_data"]
    for user, answer in ((99, "不认识你（99）"), (22, "已确认"), (11, "wang 已先确认")):
        robots.press(number, user, data)
        answered += 1
        house.wait_for(lambda: len(robots.bot_answers) == answered, 30, lambda: f"answered: {robots.bot_answers}")
        house.check(answer in robots.bot_answers[-1], f"user {user}: {robots.bot_answers[-1]}")
    message = robots.bot_messages[number - 1]
    house.wait_for(lambda: "✔ wang 已确认" in message["text"], 30, lambda: f"the message says who has it: {message}")
    house.check(data not in json.dumps(message["reply_markup"]), "its button is gone")
    audit = [row for row in collector.get("/audit", limit=1000)["audit"] if "reply over bot" in row["reason"]]
    house.equal([(row["actor"], row["outcome"], row["result"]["via"]) for row in audit],
                [("unknown-sender", "NOT_FOUND", "bot/"), ("wang", "OK", "bot/wang"), ("li", "EXISTS", "bot/li")],
                "the audit tells of each")


def answer_the_next(house, collector, receiver, device):
    """A second trouble, which is acknowledged by a text message with the code of its own."""
    make_trouble(device, "two")
    house.wait_for(lambda: len(receiver.events("opened")) > 1, 30, "the next one is told")
    message = receiver.events("opened")[1]
    code = message["code"]
    house.equal(bring(collector, NUMBER, f"1 {code}", "another secret")[0], 401, "what is not signed")
    wrong = "2222" if code != "2222" else "3333"
    for sender, text, outcome in (("+8613900000000", code, "unknown_sender"), (NUMBER, wrong, "wrong_code"),
                                  (NUMBER, "what?", "not_understood"), (NUMBER[3:], f"收到{code}", "acknowledged"),
                                  (NUMBER, f"1 {code}", "yours_already")):
        status, answer = bring(collector, sender, text)
        house.equal((status, answer["outcome"]), (200, outcome), f"{sender}: {text}: {answer}")
    house.equal(answer["incident"], message["incident"], "which one it is")
    audit = [row for row in collector.get("/audit", limit=1000)["audit"] if "reply over duty" in row["reason"]]
    told = [(row["actor"], row["outcome"], row["result"]["via"]) for row in audit]
    house.equal(told, [("unknown-sender", "NOT_FOUND", "duty/"), ("li", "NOT_FOUND", "duty/li"),
                       ("li", "OK", "duty/li"), ("li", "EXISTS", "duty/li")], "the audit tells of each")
    house.check(NUMBER[3:] not in json.dumps(audit), "and of no number")


def close_the_first(house, collector, receiver, desk, incident):
    """The program hears of every beginning once; the end goes to it and to li, over what reached him."""
    house.wait_for(lambda: len(desk.events("opened")) == 3, 30, lambda: f"the program is told: {desk.events('opened')}")
    house.check(all("contact" not in one and "acknowledge_url" not in one for one in desk.events("opened")),
                "and asked for nothing")
    status, answer = collector.do("incident.close", id=incident, cause="other", action="other", disposition="unaffected",
                                  note="the card was cloned")
    house.equal(status, 200, f"it is closed: {answer}")
    for name, who in (("li", receiver), ("the program", desk)):
        house.wait_for(lambda who=who: [one["incident"] for one in who.events("closed")] == [incident], 30,
                       lambda who=who, name=name: f"{name} is told the end once: {who.events('closed')}")


def test_the_channel(house, collector, receiver):
    """A test goes there and back."""
    request = urllib.request.Request(f"{collector.url}/api/v1/alarm-channels/duty/test", method="POST", data=b"",
                                     headers={"Authorization": f"Bearer {collector.token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        house.equal(answer.status, 200, "a test is sent")
    house.wait_for(lambda: receiver.events("test"), 30, "the test comes")
    status, answer = bring(collector, NUMBER, f"1 {receiver.events('test')[0]['code']}")
    house.equal((status, answer["outcome"], answer["incident"]), (200, "tested", None), f"it is answered: {answer}")
    house.equal(collector.metric("replies_tested_total"), 1, "and counted")


def story_over_the_next_channel_and_by_one_tap(house):
    broker = Broker(house.folder, house.program("coldchainctl"))
    passwords = {name: broker.add(f"fengjie/{name}") for name in ("one", "two", "three")}
    receiver, robots = house.start(Receiver(SECRET)), house.start(Robots(SECRET))
    desk = house.start(Receiver(SECRET))
    house.start(broker)
    shifts = [{"contact": "li"}, {"contact": "wang"}]
    collector = house.start(Collector(
        house.folder, house.program("coldchain-collector"), broker,
        sites=[{"id": "store", "name": "冷库", "zones": [{"id": "room-1", "name": "1"}]}],
        devices=[{"id": name, "zone": "room-1"} for name in passwords],
        webhooks=[{"name": "dead", "url": "http://127.0.0.1:9/", "timeout": "1s"},
                  {"name": "desk", "url": desk.url, "secret": SECRET}],
        channels=[{"name": "duty", "kind": "webhook", "url": receiver.url, "secret": SECRET, "timeout": "10s",
                   "reply_secret": GATEWAY},
                  {"name": "bot", "kind": "telegram", "url": robots.url + "/telegram", "token": "bot-token",
                   "to": ["-100"], "replies": True, "rate": 0, "language": "zh"}],
        escalation={
            "link": "https://cold.example.org",
            "contacts": [{"id": "li", "addresses": [{"channel": "dead", "to": NUMBER}, {"channel": "duty", "to": NUMBER},
                                                    {"channel": "bot", "sender": "11"}]},
                         {"id": "wang", "addresses": [{"channel": "bot", "sender": "22"}]}],
            "duties": [{"id": "on-call", "shifts": shifts}],
            "policies": [{"id": "rooms", "steps": [{"duty": "on-call", "repeat": "10m", "most": 3}]}]}))
    devices = {name: house.keep(Client(broker.port, f"fengjie/{name}", password, name))
               for name, password in passwords.items()}
    make_trouble(devices["one"], "one")
    house.wait_for(lambda: receiver.events("opened"), 30, "it is told over the next channel")
    message = receiver.events("opened")[0]
    house.equal((message["kind"], message["contact"], message["step"]), ("fork", "li", 1), "what is told to whom")
    link = message["acknowledge_url"].replace("https://cold.example.org", collector.url)
    status, page = fetch(link)
    house.check(status == 200 and "<form method=\"post\">" in page, f"a page with a button: {status} {page}")

    def acknowledged():
        request = urllib.request.Request(f"{collector.url}/api/v1/incidents/{message['incident']}",
                                         headers={"Authorization": f"Bearer {collector.token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["acknowledged_by"]

    shown = html.unescape(page)  # without the link, which only the message needs
    house.check(message["text_zh"][:60] in shown and message["text_en"][:60] in shown,
                f"the page says what the message says: {shown}")
    house.equal(acknowledged(), "", "looking acknowledges nothing")
    house.equal(fetch(link[:-1] + ("0" if link[-1] != "0" else "1"), "POST")[0], 404, "a link that was changed")
    house.equal(fetch(link, "POST")[0], 200, "the button")
    house.equal(acknowledged(), "li", "who acknowledged")
    status, page = fetch(link, "POST")
    house.check(status == 200 and "li acknowledged it first" in page, f"the second is told: {status} {page}")
    answer_the_next(house, collector, receiver, devices["two"])
    press_the_last(house, collector, robots, devices["three"])
    close_the_first(house, collector, receiver, desk, message["incident"])
    test_the_channel(house, collector, receiver)
    house.check(collector.metric("replies_accepted_total") == 2 and collector.metric("replies_late_total") == 2 and
                collector.metric("replies_refused_total") == 5, f"answers are counted: {collector.metrics()}")
    house.equal(receiver.complaints + robots.complaints + desk.complaints, [], "what the receivers complain of")
    collector.stop()
    store = sqlite3.connect(os.path.join(collector.data, "state.db"))
    house.check(NUMBER not in "\n".join(store.iterdump()), "no address is in state.db")
    house.equal(store.execute("SELECT count(*) FROM outbox WHERE channel = 'dead' AND incident = ? AND"
                              " json_extract(body, '$.event') = 'closed'", (message["incident"],)).fetchone(), (0,),
                "no end goes where the beginning never came")
    state, last = store.execute("SELECT state, last_result FROM outbox WHERE channel = 'dead' AND incident = ?",
                                (message["incident"],)).fetchone()
    house.check(state == "dead" and last.startswith("acknowledged by li; before: "),
                f"what still waited was withdrawn when somebody had it: {state} {last}")
    store.close()


def story_at_the_second_number(house):
    """The first is refused for good: the same channel is tried with the other."""
    other = "+8613811111111"
    broker = Broker(house.folder, house.program("coldchainctl"))
    password = broker.add("fengjie/one")
    receiver = house.start(Receiver(SECRET))
    receiver.behave = lambda number: 400 if number == 1 else 200
    house.start(broker)
    collector = house.start(Collector(
        house.folder, house.program("coldchain-collector"), broker,
        sites=[{"id": "store", "name": "冷库", "zones": [{"id": "room-1", "name": "1"}]}],
        devices=[{"id": "one", "zone": "room-1"}],
        webhooks=[],
        channels=[{"name": "duty", "kind": "webhook", "url": receiver.url, "secret": SECRET, "timeout": "10s"}],
        escalation={
            "contacts": [{"id": "li", "addresses": [{"channel": "duty", "to": NUMBER}, {"channel": "duty", "to": other}]}],
            "duties": [{"id": "on-call", "shifts": [{"contact": "li"}]}],
            "policies": [{"id": "rooms", "steps": [{"duty": "on-call", "repeat": "10m", "most": 3}]}]}))
    make_trouble(house.keep(Client(broker.port, "fengjie/one", password, "one")), "one")
    house.wait_for(lambda: receiver.events("opened"), 30, "it is told at the second number")
    house.equal([message["to"] for message in receiver.events("opened")], [[other]], "whom it went to")
    house.equal(len(receiver.attempts), 2, f"a service that compares keys takes both: {receiver.attempts}")
    incident = receiver.events("opened")[0]["incident"]
    house.equal(collector.do("incident.close", id=incident, cause="other", action="other", disposition="unaffected",
                             note="the card was cloned")[0], 200, "it is closed")
    house.wait_for(lambda: receiver.events("closed"), 30, "the end is told")
    house.equal([message["to"] for message in receiver.events("closed")], [[other]], "where the beginning came")
    for language, words in (("en", ("dead     li, step 1 over duty", "li (address 2), step 1 over duty, attempts 1: ",
                                    "li (address 2) over duty")),
                            ("zh", ("li，第 1 步（duty）", "li（第 2 个地址），第 1 步（duty），已尝试 1 次"))):
        done = subprocess.run([house.program("coldchainctl"), "incidents", "show", incident, "--lang", language, "--api",
                               collector.url, "--token-file", os.path.join(collector.data, "api.token")],
                              capture_output=True, text=True, timeout=60, check=True)
        for word in words:
            house.check(word in done.stdout, f"it shows who was told: {word} in {done.stdout}")
    house.equal(receiver.complaints, [], "what the receiver complains of")
