# SPDX-License-Identifier: Apache-2.0
"""Every POST of the route table, sent twice under one Idempotency-Key: one answer, one act.

The rows say what is sent, what else under the same key is refused, and what of the house
counts how often it acted. A POST that the collector has and ROWS has not fails the story.
"""
import http.client
import json
import os
import re
import threading

from harness import ROOT
from house.broker import Broker
from house.clock import day
from house.collector import Collector
from house.process import Failure

PASSWORD = "orange truck seven hill"
SITES = [{"id": "store", "zones": [{"id": "room-1"}, {"id": "room-2"}]}]
RULES = [{"id": "warm", "zone": "room-1", "kind": "above", "quantity": "air_temperature", "levels": [{"level": 8}]}]
EPOCH = "00000000000000aa"
HOT = [{"n": "air_temperature", "u": "Cel", "t": 1790000000, "v": 9.5}]


class World:
    def __init__(self, house):
        broker = house.start(Broker(house.folder, house.program("coldchainctl")))
        self.house = house
        self.collector = house.start(Collector(
            house.folder, house.program("coldchain-collector"), broker, sites=SITES, rules=RULES,
            webhooks=[{"name": "hook", "url": "http://127.0.0.1:9/"}],
            devices=[{"id": name, "zone": "room-1"} for name in ("one", "two", "old")]))
        self.cookie = self.csrf = None
        self.setup = re.search(r"/setup/[0-9a-f]{64}", self.collector.log()).group(0)

    def ask(self, method, path, body=None, key=None, who="token", retry=False):
        """(status, headers, answer)"""
        headers = {"Idempotency-Key": key} if key else {}
        if who == "token":
            headers["Authorization"] = f"Bearer {self.collector.token}"
        elif who == "session":
            headers.update({"Cookie": self.cookie, "X-CSRF-Token": self.csrf})
        connection = http.client.HTTPConnection("127.0.0.1", self.collector.port, timeout=60)
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, answer.headers, json.loads(text)

    def must(self, method, path, body=None, **more):
        status, headers, answer = self.ask(method, path, body, **more)
        if status != 200:
            raise Failure(f"{method} {path} {body}: {status} {answer}")
        return headers, answer

    def get(self, path):
        return self.must("GET", "/api/v1" + path)[1]

    def sign_in(self, login="wang"):
        headers, answer = self.must("POST", "/api/v1/login", {"login": login, "password": PASSWORD}, who=None)
        self.cookie, self.csrf = headers["Set-Cookie"].split(";")[0], answer["csrf"]

    def incident(self):
        return self.get("/incidents")["incidents"][0]["id"]

    def count(self, what):
        """How often the house was changed in that way."""
        if what == "audit":
            return len(self.get("/audit?limit=1000")["audit"])
        if what in ("people", "tokens", "grants"):
            return len(self.get(f"/{what}?limit=1000")[what])
        return len(self.get("/devices/fengjie/one/readings?limit=1000")["readings"])


def row(path, body, other, counts="audit", who="token", before=None):
    """`counts` None: a second act would answer otherwise, or do nothing."""
    return {"path": path, "body": body, "other": other, "counts": counts, "who": who,
            "before": before or (lambda world: None)}


SOON, LATER, TOKEN_ENDS = day(30) + "T00:00:00Z", day(60) + "T00:00:00Z", day(90)
STEP = {"to": LATER, "band_low": 12, "why": "curing"}
MAINTENANCE = {"from": SOON, "to": LATER}
CLOSING = {"cause": "door", "action": "door_closed", "disposition": "unaffected"}
COMMENT = {"text": "door was open"}
# pattern: what is sent (path, body), another body under the same key, and what counts it
ROWS = {
    "/setup/*": row(lambda world: world.setup, {"login": "wang", "password": PASSWORD},
                    {"login": "li", "password": PASSWORD}, "people", None),
    "/api/v1/login": row("/api/v1/login", {"login": "wang", "password": PASSWORD},
                         {"login": "wang", "password": "another"}, None, None),
    "/api/v1/me/password": row("/api/v1/me/password", {"old": PASSWORD, "new": PASSWORD + " two"},
                               {"old": PASSWORD, "new": "x"}, None, "session", before=World.sign_in),
    "/api/v1/me/sessions/end": row("/api/v1/me/sessions/end", {}, {"other": 1}, None, "session"),
    "/api/v1/people": row("/api/v1/people", {"org": "fengjie", "role": "operator", "name": "x"},
                          {"org": "fengjie", "role": "operator", "name": "y"}, "people"),
    "/api/v1/people/*/sessions/end": row(lambda world: f"/api/v1/people/{world.person}/sessions/end", {}, {"x": 1}, None),
    "/api/v1/tokens": row("/api/v1/tokens", {"name": "a", "org": "fengjie", "scopes": ["read"], "expires": TOKEN_ENDS},
                          {"name": "b", "org": "fengjie", "scopes": ["read"], "expires": TOKEN_ENDS}, "tokens"),
    "/api/v1/grants": row("/api/v1/grants", {"holder": "wushan", "zone": "room-1"},
                          {"holder": "wushan", "zone": "room-2"}, "grants"),
    "/api/v1/incidents/*/acknowledge": row(lambda world: f"/api/v1/incidents/{world.incident()}/acknowledge", {}, None),
    "/api/v1/incidents/*/comment": row(lambda world: f"/api/v1/incidents/{world.incident()}/comment", COMMENT,
                                       {"text": "shut"}),
    "/api/v1/incidents/*/assign": row(lambda world: f"/api/v1/incidents/{world.incident()}/assign", {"to": "p-1"},
                                      {"to": "p-2", "from": "p-1"}),
    "/api/v1/incidents/*/snooze": row(lambda world: f"/api/v1/incidents/{world.incident()}/snooze", {"for": "1h"},
                                      {"for": "4h"}),
    "/api/v1/incidents/*/close": row(lambda world: f"/api/v1/incidents/{world.incident()}/close", CLOSING,
                                     CLOSING | {"note": "shut"}),
    "/api/v1/commands": row("/api/v1/commands", {"verb": "zone.put", "body": {"id": "room-9", "site": "store"}},
                            {"verb": "zone.put", "body": {"id": "room-8", "site": "store"}}),
    "/api/v1/sites/*/archive": row("/api/v1/sites/spare/archive", {}, {"archived": False}),
    "/api/v1/sites/*/plate": row("/api/v1/sites/van/plate", {"plate": "A 1"}, {"plate": "A 2"}),
    "/api/v1/zones/*/archive": row("/api/v1/zones/room-3/archive", {}, {"archived": False}),
    "/api/v1/zones/*/duty": row("/api/v1/zones/room-2/duty", {"on": False, "why": "empty"}, {"on": True}),
    "/api/v1/zones/*/steps": row("/api/v1/zones/room-2/steps", STEP, STEP | {"band_low": 13}),
    "/api/v1/zones/*/maintenance": row("/api/v1/zones/room-1/maintenance", MAINTENANCE,
                                       MAINTENANCE | {"why": "fans"}),
    "/api/v1/zones/*/load": row("/api/v1/zones/room-2/load", {"goods": "strawberry", "entry_c": 18},
                                {"goods": "strawberry", "entry_c": 8}),
    "/api/v1/zones/*/unload": row("/api/v1/zones/room-2/unload", {"goods": "strawberry"}, {}),
    "/api/v1/alarm-channels/*/test": row("/api/v1/alarm-channels/hook/test", {}, {"x": 1}),
    "/api/v1/devices/*/archive": row("/api/v1/devices/spare/archive", {}, {"archived": False}),
    "/api/v1/devices/*/replace": row("/api/v1/devices/old/replace", {"by": "new"}, {"by": "newer"}),
    "/api/v1/channels/*/*/calibrate": row("/api/v1/channels/one/air_temperature/calibrate", {"offset": 0.1},
                                          {"offset": 0.2}),
    "/api/v1/channels/*/*/swap": row("/api/v1/channels/one/air_temperature/swap", {"serial": "1"}, {"serial": "2"}),
    "/api/v1/placements": row("/api/v1/placements", {"device": "six", "zone": "room-1"},
                              {"device": "six", "zone": "room-2"}),
    "/api/v1/placements/move": row("/api/v1/placements/move", {"device": "six", "zone": "room-2"},
                                   {"device": "six", "zone": "room-1"}),
    "/api/v1/placements/end": row("/api/v1/placements/end", {"device": "six"}, {"device": "two"}),
    "/api/v1/devices/*/*/packs": row(f"/api/v1/devices/fengjie/one/packs?epoch={EPOCH}&seq=2", HOT, [{**HOT[0], "v": 8.5}],
                                     "readings"),
    "/api/v1/backups": row("/api/v1/backups", {}, {"x": 1}, None),
    "/api/v1/backups/*/end": row(lambda world: f"/api/v1/backups/{world.backup}/end", {}, {"x": 1}, None),
    "/api/v1/logout": row("/api/v1/logout", {}, None, None, "session"),
}
# The session that the key was of is gone: nobody is known who could ask again.
GONE = {"/api/v1/logout"}


def prepare(world):
    """What the rows need to be there."""
    for verb, body in (("site.put", {"id": "spare", "org": "fengjie"}), ("site.put", {"id": "van", "org": "fengjie", "tier": "vehicle"}),
                       ("zone.put", {"id": "room-3", "site": "store"}), ("device.put", {"id": "spare", "org": "fengjie"})):
        world.must("POST", "/api/v1/commands", {"verb": verb, "body": body})
    world.person = world.must("POST", "/api/v1/people", {"org": "fengjie", "role": "operator"})[1]["id"]
    world.must("POST", f"/api/v1/devices/fengjie/one/packs?epoch={EPOCH}&seq=1", [{**HOT[0], "t": 1790000000 - 10}])
    world.house.wait_for(lambda: world.get("/incidents")["incidents"], 30, "an incident is there")


def posts():
    """All but what answers a message, which has no key: an_alarm_finds_somebody."""
    with open(os.path.join(ROOT, "docs", "authorization.md"), encoding="utf-8") as file:
        found = re.findall(r"^\| POST \| `([^`]+)` \|", file.read(), re.M)
    return [pattern for pattern in found if pattern not in ("/v1/ack", "/v1/replies")]


def try_row(house, world, pattern, one):
    one["before"](world)
    path = one["path"](world) if callable(one["path"]) else one["path"]
    key, before = f"key of {pattern}", world.count(one["counts"]) if one["counts"] else 0
    status, headers, first = world.ask("POST", path, one["body"], key, one["who"])
    house.equal(status, 200, f"{path} {one['body']}: {first}")
    if pattern == "/api/v1/backups":
        world.backup = first["id"]
    for _ in range(2):
        status, more, again = world.ask("POST", path, one["body"], key, one["who"])
        if pattern in GONE:
            house.equal(status, 401, f"{path} again")
            return
        house.equal((status, again), (200, first), f"{path} again")
        house.equal(more["Set-Cookie"], headers["Set-Cookie"], f"{path} again: its cookie")
    if one["counts"] == "readings":
        house.wait_for(lambda: world.count("readings") > before, 30, f"{path} acted")
    elif one["counts"]:
        house.equal(world.count(one["counts"]) - before, 1, f"how often {path} acted")
    if one["other"] is not None:
        status, _, refused = world.ask("POST", path, one["other"], key, one["who"])
        house.equal((status, refused.get("type")), (422, "/errors/idempotency-key-reused"), f"{path} with {one['other']}")
    for bad in (" ", "x" * 256):
        status, _, refused = world.ask("POST", path, one["body"], bad, one["who"])
        house.equal((status, refused.get("type")), (400, "/errors/idempotency-key-not-understood"), f"{path}: {bad[:3]}...")


def story_every_post_acts_once_under_one_key(house):
    world = World(house)
    house.equal(sorted(ROWS), sorted(posts()), "the POSTs that this test knows")
    world.must("GET", "/api/v1/me")
    prepare(world)
    for pattern, one in ROWS.items():
        try_row(house, world, pattern, one)
    house.equal(world.count("readings"), 2, "readings of two packs, each sent several times")
    # Commands are known for ever: also by a collector that was started again.
    kept = {pattern: one for pattern, one in ROWS.items() if one["counts"] == "audit" and not callable(one["path"])}
    answers = {pattern: world.ask("POST", one["path"], one["body"], f"key of {pattern}")[2] for pattern, one in kept.items()}
    rows = world.count("audit")
    world.collector.stop()
    house.start(world.collector)
    for pattern, one in kept.items():
        house.equal(world.ask("POST", one["path"], one["body"], f"key of {pattern}")[::2], (200, answers[pattern]),
                    f"{pattern} after a restart")
    house.equal(world.count("audit"), rows, "rows of the audit after a restart")
    house.say(f"{len(ROWS)} POSTs acted once each, {len(kept)} also across a restart")


def story_a_key_is_ones_own_and_counts_while_under_way(house):
    world = World(house)
    world.must("POST", world.setup, {"login": "wang", "password": PASSWORD}, who=None)
    world.sign_in()
    body = {"org": "fengjie", "role": "operator", "name": "x"}
    by_token = world.must("POST", "/api/v1/people", body, key="one key")[1]
    by_person = world.must("POST", "/api/v1/people", body, key="one key", who="session")[1]
    house.check(by_token["id"] != by_person["id"], "the same key of two callers is two changes")
    before, answers = world.count("people"), []

    def ask():
        answers.append(world.ask("POST", "/api/v1/people", {**body, "password": PASSWORD}, "race")[::2])
    clients = [threading.Thread(target=ask) for _ in range(8)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    house.equal(world.count("people") - before, 1, "people added by eight at once under one key")
    house.check({status for status, _ in answers} <= {200, 409}, f"one answer, or wait: {answers}")
    house.equal(len({answer["id"] for status, answer in answers if status == 200}), 1, "who was added")
