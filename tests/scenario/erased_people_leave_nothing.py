# SPDX-License-Identifier: Apache-2.0
"""People come, change and go by commands, through kills of the collector; who was erased is in no file."""
import json
import os
import random
import sqlite3
import threading
import urllib.error
import urllib.request

from house.broker import Broker
from house.collector import Collector
from house.process import Failure, wait_for

PASSWORD = "orange truck seven hill"
LOGIN, NAME, PHONES, CONTACT = "xu-qiaoyun", "徐巧云", ("13901234567", "15807654321"), "qiaoyun@example.invalid"
ABOUT = (LOGIN, NAME, *PHONES, CONTACT)


def ask(collector, method, path, body=None, key=None, timeout=10):
    """(status, answer); status 0: nobody answered."""
    request = urllib.request.Request(f"{collector.url}/api/v1/{path}", method=method,
                                     data=json.dumps(body).encode() if body is not None else None)
    request.add_header("Authorization", f"Bearer {collector.token}")
    if key:
        request.add_header("Idempotency-Key", key)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)
    except (OSError, ValueError):
        return 0, None


def files_with(folder, text):
    """Names of the files below `folder` that hold the text in any place."""
    found = []
    for home, _, names in os.walk(folder):
        for name in names:
            try:
                with open(os.path.join(home, name), "rb") as file:
                    if text.encode() in file.read():
                        found.append(os.path.relpath(os.path.join(home, name), folder))
            except FileNotFoundError:
                pass
    return found


def start(house):
    broker = house.start(Broker(house.folder, house.program("coldchainctl")))
    return house.start(Collector(house.folder, house.program("coldchain-collector"), broker,
                                 sites=[{"id": "store", "zones": [{"id": "room-1"}]}]))


def again(collector):
    collector.kill()
    collector.start()


def done(house, answer, what):
    house.equal(answer[0], 200, f"{what}: {answer[1]}")
    return answer[1]


def story_an_erased_person_is_in_no_file(house):
    collector = start(house)
    home = os.path.dirname(collector.data)
    others = [done(house, ask(collector, "POST", "people", {"role": "admin", "login": f"other-{i}", "name": "李" * (i % 30)}),
                   "somebody else") for i in range(40)]
    person = done(house, ask(collector, "POST", "people", {
        "role": "admin", "login": LOGIN, "name": NAME, "phone": PHONES[0], "contact": CONTACT, "password": PASSWORD,
        "reason": "keeps the store"}), "the person is added")["id"]
    done(house, ask(collector, "POST", "login", {"login": LOGIN, "password": PASSWORD}), "and signs in")
    again(collector)
    done(house, ask(collector, "PATCH", f"people/{person}", {"phone": PHONES[1]}), "the phone changes")
    for other in others[::3]:
        done(house, ask(collector, "PATCH", f"people/{other['id']}", {"contact": "x" * 150}), "others change")
    for text in ABOUT:
        house.check(not [name for name in files_with(home, text) if not name.startswith("data/state.db")],
                    f"{text} is in state.db alone: {files_with(home, text)}")
    house.check(files_with(home, NAME), "and is there")
    done(house, ask(collector, "DELETE", f"people/{person}", {"reason": "moved away"}), "the person is erased")
    for text in ABOUT:
        wait_for(lambda text=text: not files_with(home, text), 20, lambda text=text: f"{text} is in no file: {files_with(home, text)}")
    house.check(files_with(home, "other-7"), "others stay")
    again(collector)
    for text in ABOUT:
        house.equal(files_with(home, text), [], f"{text}, after a restart")
    rows = [row for row in collector.get("/audit", limit=1000)["audit"] if row["result"].get("id") == person]
    house.equal([(row["verb"], row["reason"]) for row in rows],
                [("person.add", "keeps the store"), ("person.change", ""), ("person.erase", "moved away")], "the audit")
    house.equal(rows[1]["body"], {"id": person, "private": ["phone"]}, "what it says of the phone")
    house.check(collector.get("/audit/verify")["holds"], "the audit holds")


def story_people_come_once_through_kills(house):
    collector, wanted, ids, problems = start(house), 60, {}, []
    dice = random.Random(7)

    def add(first):
        """Every third, each with a key of its own, until it is answered."""
        for i in range(first, wanted, 3):
            body = {"role": "admin", "login": f"login-{i}", "name": f"王-{i}", "password": PASSWORD}
            for _ in range(200):
                status, answer = ask(collector, "POST", "people", body, key=f"key-{i}")
                if status == 200:
                    ids[i] = answer["id"]
                    break
                if status not in (0, 503):
                    problems.append(f"{i}: {status} {answer}")
                    return
                back.wait(1)

    back = threading.Event()
    clients = [threading.Thread(target=add, args=(first,)) for first in range(3)]
    for client in clients:
        client.start()
    kills = 0
    while any(client.is_alive() for client in clients) and kills < 12:
        clients[0].join(dice.uniform(0.05, 0.4))
        again(collector)
        kills += 1
    for client in clients:
        client.join(120)
    house.check(not problems, "\n".join(problems))
    house.equal(len(ids), wanted, "all were answered")
    listed = {one["login"]: one["id"] for one in collector.get("/people", limit=1000)["people"]}
    house.equal(listed, {f"login-{i}": ids[i] for i in range(wanted)}, "each is there once, under the id that was answered")
    for i in range(0, wanted, 17):
        house.equal(ask(collector, "POST", "login", {"login": f"login-{i}", "password": PASSWORD})[0], 200, f"{i} signs in")
    house.check(collector.get("/audit/verify")["holds"], "the audit holds")
    collector.stop()
    with sqlite3.connect(os.path.join(collector.data, "state.db")) as state:
        house.equal(state.execute("SELECT count(*) FROM command_private").fetchone()[0], 0, "nothing waits for a command")
        added = state.execute("SELECT count(*) FROM audit WHERE verb = 'person.add' AND outcome = 'OK'").fetchone()[0]
        house.equal(added, wanted, "rows of the audit")
    if kills < 3:
        raise Failure(f"the collector was killed {kills} times only")
    house.say(f"{wanted} people came through {kills} kills")
