# SPDX-License-Identifier: Apache-2.0
"""What a running collector answers, and refuses, is as docs/openapi.yaml says, member by member."""
import json
import time
import urllib.error
import urllib.parse
import urllib.request

from house import openapi
from house.broker import Broker
from house.clock import day
from house.collector import Collector
from house.webhook import Receiver

EPOCH = "00000000000000aa"
SITES = [{"id": "store", "name": "库", "zones": [{"id": "room-1", "band_low": 2, "band_high": 8}, {"id": "room-2"}]}]
RULES = [{"id": "warm", "zone": "room-1", "kind": "above", "quantity": "air_temperature", "levels": [{"level": 8}]}]


class Client:
    """Asks by operation, and holds each answer against the document."""

    def __init__(self, house, collector):
        self.house, self.collector = house, collector
        self.document = openapi.load()
        self.schemas = openapi.Schemas(self.document)
        self.operations = {operation["operationId"]: (method, path, operation)
                           for path, item in self.document["paths"].items()
                           for method, operation in item.items() if method != "parameters"}
        self.seen, self.tag = {}, None

    def expected(self, operation, status):
        answers = operation["responses"]
        return self.schemas.resolve(answers.get(str(status), answers["default"]))

    def check_body(self, name, body):
        content = self.schemas.resolve(self.operations[name][2]["requestBody"])["content"]
        self.schemas.check(body, content["application/json"]["schema"], f"{name} asks")

    def __call__(self, name, /, *parts, body=None, token=True, headers=(), status=200, **query):
        """The answer of an operation; `parts` fill the address."""
        method, path, operation = self.operations[name]
        for part in parts:
            start, end = path.index("{"), path.index("}") + 1
            path = path[:start] + urllib.parse.quote(part, safe="") + path[end:]
        if query:
            path += "?" + urllib.parse.urlencode(query)
        if body is not None and status == 200:
            self.check_body(name, body)
        request = urllib.request.Request(self.collector.url + path, method=method.upper(), headers=dict(headers),
                                         data=json.dumps(body).encode() if body is not None else None)
        if token:
            request.add_header("Authorization", f"Bearer {token if token is not True else self.collector.token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return self.take(name, operation, answer.status, answer.headers, answer.read(), status)
        except urllib.error.HTTPError as answer:
            return self.take(name, operation, answer.code, answer.headers, answer.read(), status)

    def take(self, name, operation, status, headers, text, want):
        self.house.equal(status, want, f"{name}: {text[:300]}")
        kind = (headers["Content-Type"] or "").split(";")[0]
        expected = self.expected(operation, status)
        self.tag = headers["ETag"]
        self.house.check(self.tag or "304" not in operation["responses"] or status >= 400, f"{name} has no ETag")
        if "content" not in expected:
            self.house.equal(text, b"", f"{name}: {status} has no body")
            return None
        self.house.check(kind in expected["content"], f"{name}: {status} is {kind}, not {list(expected['content'])}")
        self.seen.setdefault(name, set()).add(status)
        if "json" not in kind:
            return text
        value = json.loads(text)
        self.schemas.check(value, expected["content"][kind]["schema"], name)
        return value


def start(house):
    receiver = house.start(Receiver("secret"))
    broker = house.start(Broker(house.folder, house.program("coldchainctl")))
    collector = house.start(Collector(
        house.folder, house.program("coldchain-collector"), broker, sites=SITES, rules=RULES,
        devices=[{"id": "one", "zone": "room-1"}, {"id": "two", "zone": "room-2"}],
        webhooks=[{"name": "hook", "url": receiver.url, "secret": "secret"}]))
    return Client(house, collector)


def fill(house, ask):
    """A reading, one that is too warm, one that nobody can read."""
    now = int(time.time()) - 60
    for seq, payload in enumerate(([{"n": "air_temperature", "u": "Cel", "t": now, "v": 4.5}],
                                   [{"n": "air_temperature", "u": "Cel", "t": now + 10, "v": 9.5}],
                                   [{"n": "air_temperature", "u": "Cel", "t": "never"}]), 1):
        ask("takePack", "fengjie", "one", body=payload, epoch=EPOCH, seq=seq)
    house.wait_for(lambda: ask("getIncidents")["incidents"], 30, "the incident is there")
    house.wait_for(lambda: ask("getOutbox")["messages"], 30, "its message is there")
    house.wait_for(lambda: ask("getQuarantine")["quarantine"], 30, "what nobody can read is there")
    house.wait_for(lambda: len(ask("getZoneReadings", "room-1")["readings"]) == 2, 30, "the history has the readings")


def ask_everything(house, ask):
    for name in ("getHealth", "getReady", "getOpenapi"):
        ask(name, token=False)
    for name in ("getMe", "getStatus", "getZones", "getDevices", "getPlacements", "getMetrics", "getSinks", "getChannels", "getVerbs",
                 "getAudit", "verifyAudit", "getPeople", "getTokens", "getGrants"):
        ask(name)
    ask("getReadings", "fengjie", "one")
    ask("getReadings", "fengjie", "one", limit=1)
    ask("getSeries", "fengjie", "one", buckets=10)
    ask("getZoneSeries", "room-1")
    ask("getReadings", "fengjie", "one", format="csv")
    ask("getSeries", "fengjie", "one")
    ask("getZoneSeries", "room-1", buckets=20)
    ask("getSuppressions", "room-1", limit=10)
    ask("getZoneRules", "room-1")
    ask("getZoneRules", "attic", status=404)
    ask("getIncident", ask("getIncidents", limit=1)["incidents"][0]["id"])
    for kind in ("org", "site", "zone", "device", "placement", "rule"):
        for one in ask("getEntities", kind, limit=1)["entities"]:
            ask("getEntity", kind, one["id"])


def stand(house, ask):
    """What rules can judge: one in each state, and goods with a load on its way."""
    now = int(time.time())
    ask("changeZone", "room-1", body={"tau": "5h", "loads": [{"from": (now - 3600) * 1000, "entry_c": 25}]})
    for rule in ({"id": "cold", "kind": "cooling_failed", "quantity": "air_temperature", "levels": [{"level": 10}]},
                 {"id": "harm", "kind": "above", "quantity": "product_temperature", "levels": [{"level": 15}]},
                 {"id": "dry", "kind": "above", "quantity": "vpd", "levels": [{"level": 20}]}):
        ask("runCommand", body={"verb": "rule.put", "body": {"zone": "room-1", **rule}})
    ask("takePack", "fengjie", "one", epoch=EPOCH, seq=5, body=[{"n": "air_temperature", "u": "Cel", "t": now + 1, "v": 9.5}])
    want = {"warm": ("firing", None), "held": ("held_back", "maintenance"), "cold": ("unavailable", "learning"),
            "harm": ("firing", None), "dry": ("unavailable", "no_humidity")}

    def states():
        return {rule["id"]: (rule["state"], rule["channels"][0]["why"] or rule["channels"][0]["reason"])
                for rule in ask("getZoneRules", "room-1")["rules"]}
    house.wait_for(lambda: ask("getZoneRules", "room-1")["goods"], 30, "the goods are estimated")
    house.wait_for(lambda: states() == want, 30, lambda: f"what the rules can judge: {states()}")
    goods, = ask("getZoneRules", "room-1")["goods"]
    house.equal((goods["tau_from"], goods["tau_h"]["mid"], goods["probed"]), ("zone", 5, False), "the goods' tau")
    house.equal(goods["loads"][0]["entry_c"], 25, "the load that is on its way")
    house.equal(goods["warmest_c"], goods["loads"][0]["now_c"], "the warmest goods are that load")


def change_much(house, ask):
    ask("putSite", "store", body={"name": "store", "org": "fengjie"})
    ask("changeZone", "room-2", body={"name": "二号库", "band_low": 1.5, "reason": "renamed"})
    ask("putZoneOnDuty", "room-2", body={"on": False, "why": "empty"})
    ask("planStep", "room-2", body={"to": "2036-01-01T00:00:00Z", "band_low": 12, "why": "curing"})
    ask("planMaintenance", "room-1", body={"from": "2026-01-01T00:00:00Z", "to": "2036-01-01T00:00:00Z"})
    loaded = ask("loadZone", "room-1", body={"goods": "strawberry", "entry_c": 18, "why": "300 kg"})
    house.equal(loaded["band"], {"low": 2, "high": 8}, "the band: strawberries and 2 to 8 have nothing in common")
    house.equal([one["code"] for one in loaded["warnings"]], ["band_empty"], "and that is warned of")
    house.equal(ask("unloadZone", "room-1", body={})["band"], {"low": 2, "high": 8}, "the band without them")
    ask("runCommand", body={"verb": "rule.put", "body": {
        "id": "held", "zone": "room-1", "kind": "above", "quantity": "air_temperature", "unless": ["maintenance"],
        "levels": [{"level": 7}]}})
    now = int(time.time())
    ask("takePack", "fengjie", "one", epoch=EPOCH, seq=4,
        body=[{"n": "air_temperature", "u": "Cel", "t": now, "v": 9.5}])
    house.wait_for(lambda: ask("getSuppressions", "room-1")["suppressions"], 30, "what is kept back is there")
    stand(house, ask)
    ask("calibrateChannel", "one", "air_temperature", body={"offset": -0.2, "by": "lab"})
    ask("getChannel", "one", "air_temperature")
    ask("placeDevice", body={"device": "three", "zone": "room-2"})
    ask("runCommand", body={"verb": "placement.end", "body": {"device": "three"}, "reason": "gone"})
    incident = ask("getIncidents")["incidents"][0]["id"]
    ask("acknowledgeIncident", incident, body={"reason": "on my way"})
    ask("commentIncident", incident, body={"text": "door was open"})
    person = ask("addPerson", body={"org": "fengjie", "role": "operator", "login": "li", "name": "李",
                                    "password": "orange truck seven hill"})["id"]
    session = ask("signIn", token=False, body={"login": "li", "password": "orange truck seven hill"})
    house.equal(session["id"], person, "who signed in")
    token = ask("addToken", body={"name": "t", "role": "integrator", "scopes": ["read"], "org": "fengjie",
                                  "expires": day(90)})
    ask("getMe", token=token["secret"])
    ask("revokeToken", token["id"])
    grant = ask("addGrant", body={"holder": "wushan", "zone": "room-1", "from": day(-7)})
    ask("getGrants")
    ask("endGrant", grant["id"])
    ask("erasePerson", person)
    staged = ask("beginBackup")
    ask("readBackup", staged["id"], name=staged["files"][0]["name"], limit=100)
    ask("endBackup", staged["id"])


def ask_again(ask):
    """Who has an answer is told that it is still the one."""
    for name, *parts in (["getZones"], ["getDevices"], ["getPlacements"], ["getIncidents"], ["getPeople"], ["getAudit"],
                         ["getEntities", "zone"], ["getEntity", "zone", "room-1"], ["getZoneReadings", "room-1"]):
        ask(name, *parts)
        ask(name, *parts, headers={"If-None-Match": ask.tag}, status=304)
    ask("getEntity", "zone", "room-1")
    tag = ask.tag
    ask("changeZone", "room-1", body={"name": "一号库"}, headers={"If-Match": tag})
    ask("changeZone", "room-1", body={"name": "x"}, headers={"If-Match": tag}, status=409)
    ask("getEntity", "zone", "room-1", headers={"If-None-Match": tag})


def refuse_much(ask):
    for name, parts, more, status in (
            ("getMe", (), {"token": False}, 401), ("getZoneReadings", ("no-such",), {}, 404),
            ("getIncidents", (), {"limit": 0}, 400), ("getIncidents", (), {"state": "odd"}, 400),
            ("getEntity", ("zone", "no-such"), {}, 404), ("getReadings", ("fengjie", "one"), {"from": "soon"}, 400),
            ("putZone", ("room-1",), {"body": {"band_low": "cold"}}, 400),
            ("changeZone", ("room-1",), {"body": {"name": "x"}, "headers": {"If-Match": '"77"'}}, 409),
            ("runCommand", (), {"body": {"verb": "no.such", "body": {}}}, 404),
            ("addPerson", (), {"body": {"role": "king"}}, 400), ("addToken", (), {"body": {"name": ""}}, 400),
            ("takeReply", (), {"body": {"channel": "sms", "from": "1", "text": "1 4F7K"}, "token": False}, 401),
            ("signIn", (), {"body": {"login": "li", "password": "wrong"}, "token": False}, 401)):
        ask(name, *parts, status=status, **more)


def story_every_answer_is_in_the_document(house):
    ask = start(house)
    house.equal(ask("getOpenapi", token=False), open(openapi.PATH, "rb").read(), "the document that is served")
    fill(house, ask)
    ask_everything(house, ask)
    change_much(house, ask)
    ask_everything(house, ask)
    ask_again(ask)
    refuse_much(ask)
    gets = [name for name, (method, _, _) in ask.operations.items() if method == "get"]
    missed = sorted(name for name in gets if 200 not in ask.seen.get(name, ()))
    house.equal(missed, ["getAck", "getSetup", "getStream"], "GETs whose answer was not seen")
    house.say(f"{sum(map(len, ask.seen.values()))} kinds of answers of {len(ask.seen)} of {len(ask.operations)} "
              "operations are as documented")
