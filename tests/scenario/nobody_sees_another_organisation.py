# SPDX-License-Identifier: Apache-2.0
"""Every route by every method for every role, inside and outside of the organisation.

WHO is the whole truth and shares nothing with the collector's own table: an address that
the collector has and WHO has not fails the story. The zones are of fengjie; wushan is the
neighbour. The walk is made once alone and once by 50 clients together.
"""
import http.client
import json
import os
import random
import re
import threading

from harness import ROOT
from house.broker import Broker
from house.clock import day
from house.collector import Collector
from house.process import Failure

SITES = [{"id": "store", "zones": [{"id": "room-1"}, {"id": "room-2"}]}]
RULES = [{"id": "warm", "zone": "room-1", "kind": "above", "quantity": "air_temperature", "levels": [{"level": 8}]}]
PASSWORD = "orange truck seven hill"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]

# who: "o" our organisation, "n" the neighbour, "h" the whole house
ANY = "nobody hadmin oadmin ooperator oviewer nadmin noperator nviewer oread nread oincidents share"
KNOWN = ANY.replace("nobody ", "")
READERS = "hadmin oadmin ooperator oviewer nadmin noperator nviewer oread nread"
INSIDERS = "hadmin oadmin ooperator nadmin noperator oread nread"
STAFF = "hadmin oadmin ooperator nadmin noperator"
PEOPLE = "oadmin ooperator oviewer nadmin noperator nviewer hadmin"
ADMINS = "hadmin oadmin nadmin"
OURS = "hadmin oadmin ooperator oread"
# (method, address): (who is let in, who of these sees the named thing; None: it names none)
WHO = {
    ("GET", "/healthz"): (ANY, None),
    ("GET", "/readyz"): (ANY, None),
    ("GET", "/api/v1/openapi.yaml"): (ANY, None),
    ("POST", "/api/v1/login"): (ANY, None),
    ("GET", "/v1/ack"): (ANY, ""),
    ("POST", "/v1/ack"): (ANY, ""),
    ("POST", "/v1/replies"): (ANY, None),  # an empty body is 400; what is not signed is nobody's
    ("GET", "/setup/*"): (ANY, ""),
    ("POST", "/setup/*"): (ANY, ""),
    ("POST", "/api/v1/logout"): (PEOPLE, None),
    ("GET", "/api/v1/me"): (KNOWN.replace("oincidents", ""), None),
    ("POST", "/api/v1/me/password"): (PEOPLE, None),
    ("POST", "/api/v1/me/sessions/end"): (PEOPLE, None),
    ("GET", "/api/v1/people"): (ADMINS, None),
    ("POST", "/api/v1/people"): (ADMINS, None),
    ("PATCH", "/api/v1/people/*"): (ADMINS, "hadmin oadmin"),
    ("DELETE", "/api/v1/people/*"): (ADMINS, "hadmin oadmin"),
    ("POST", "/api/v1/people/*/sessions/end"): (ADMINS, "hadmin oadmin"),
    ("GET", "/api/v1/tokens"): (ADMINS, None),
    ("POST", "/api/v1/tokens"): (ADMINS, None),
    ("DELETE", "/api/v1/tokens/*"): (ADMINS, "hadmin oadmin"),
    ("GET", "/api/v1/grants"): (ADMINS, None),
    ("POST", "/api/v1/grants"): (ADMINS, None),
    ("DELETE", "/api/v1/grants/*"): (ADMINS, "hadmin oadmin"),
    ("GET", "/metrics"): ("hadmin", None),
    ("GET", "/api/v1/sinks"): ("hadmin", None),
    ("GET", "/api/v1/alarm-channels"): ("hadmin", None),
    ("POST", "/api/v1/alarm-channels/*/test"): ("hadmin", ""),
    ("GET", "/api/v1/status"): (READERS, None),
    ("GET", "/api/v1/zones"): (READERS + " share", None),
    ("GET", "/api/v1/zones/*/readings"): (READERS + " share", OURS + " nviewer nadmin noperator nread share"),
    ("GET", "/api/v1/zones/*/series"): (READERS + " share", OURS + " nviewer nadmin noperator nread share"),
    ("GET", "/api/v1/zones/*/suppressions"): (READERS, OURS + " nviewer nadmin noperator nread"),
    ("GET", "/api/v1/zones/*/rules"): (INSIDERS, OURS + " nadmin noperator nread"),
    ("GET", "/api/v1/devices"): (INSIDERS, None),
    ("GET", "/api/v1/devices/*/*/readings"): (INSIDERS, OURS),
    ("GET", "/api/v1/devices/*/*/series"): (INSIDERS, OURS),
    ("GET", "/api/v1/placements"): (INSIDERS, None),
    ("GET", "/api/v1/stream"): (READERS, None),
    ("GET", "/api/v1/incidents"): (READERS, None),
    ("GET", "/api/v1/incidents/*"): (READERS, ""),
    ("POST", "/api/v1/incidents/*/acknowledge"): ("hadmin oadmin ooperator nadmin noperator oincidents", ""),
    ("POST", "/api/v1/incidents/*/assign"): ("hadmin oadmin ooperator nadmin noperator oincidents", ""),
    ("POST", "/api/v1/incidents/*/snooze"): ("hadmin oadmin ooperator nadmin noperator oincidents", ""),
    ("POST", "/api/v1/incidents/*/close"): ("hadmin oadmin ooperator nadmin noperator oincidents", ""),
    ("POST", "/api/v1/incidents/*/comment"): ("hadmin oadmin ooperator nadmin noperator oincidents", ""),
    ("GET", "/api/v1/verbs"): (READERS, None),
    ("POST", "/api/v1/commands"): (STAFF, None),
    ("GET", "/api/v1/audit"): ("hadmin", None),
    ("GET", "/api/v1/audit/verify"): ("hadmin", None),
    ("GET", "/api/v1/entities/*"): (INSIDERS, None),
    ("GET", "/api/v1/entities/*/*"): (INSIDERS, OURS),
    ("GET", "/api/v1/channels/*/*"): (INSIDERS, ""),
    ("GET", "/api/v1/quarantine"): (INSIDERS, None),
    ("GET", "/api/v1/outbox"): (INSIDERS, None),
    ("POST", "/api/v1/devices/*/*/packs"): (STAFF, "hadmin oadmin ooperator"),
    ("POST", "/api/v1/backups"): ("hadmin", None),
    ("GET", "/api/v1/backups/*/file"): ("hadmin", ""),
    ("POST", "/api/v1/backups/*/end"): ("hadmin", ""),
}
# Changes of places: who may ask. Our own ask for what is not there, so that the house stays as it is; others
# ask for what is there, and are told that it is not.
CHANGES = {
    **{(method, f"/api/v1/{kind}/*"): ADMINS for kind in ("orgs", "sites", "zones", "devices", "rules")
       for method in ("PUT", "PATCH")},
    ("DELETE", "/api/v1/rules/*"): ADMINS,
    ("POST", "/api/v1/sites/*/archive"): ADMINS,
    ("POST", "/api/v1/sites/*/plate"): STAFF,
    ("POST", "/api/v1/zones/*/archive"): ADMINS,
    ("POST", "/api/v1/zones/*/duty"): STAFF,
    ("POST", "/api/v1/zones/*/steps"): STAFF,
    ("POST", "/api/v1/zones/*/maintenance"): STAFF,
    ("POST", "/api/v1/zones/*/load"): STAFF,
    ("POST", "/api/v1/zones/*/unload"): STAFF,
    ("POST", "/api/v1/devices/*/archive"): ADMINS,
    ("POST", "/api/v1/devices/*/replace"): STAFF,
    ("POST", "/api/v1/channels/*/*/calibrate"): STAFF,
    ("POST", "/api/v1/channels/*/*/swap"): STAFF,
    ("POST", "/api/v1/placements"): STAFF,
    ("POST", "/api/v1/placements/move"): STAFF,
    ("POST", "/api/v1/placements/end"): STAFF,
    ("PATCH", "/api/v1/placements/*"): STAFF,
}
REAL = {"orgs": "fengjie", "sites": "store", "zones": "room-1", "devices": "one", "rules": "warm", "channels": "one"}
# The neighbour was granted room-1; the walk asks for room-2 too.
ZONE_2 = OURS


class Ask:
    """Requests over one connection of its own."""

    def __init__(self, port, source="127.0.0.1"):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(source, 0))

    def __call__(self, method, path, who=None, body=None):
        headers = {}
        if who and who.get("token"):
            headers["Authorization"] = f"Bearer {who['token']}"
        if who and who.get("cookie"):
            headers["Cookie"] = who["cookie"]
            headers["X-CSRF-Token"] = who["csrf"]
        data = json.dumps(body) if body is not None else None
        for again in (True, False):
            try:
                self.connection.request(method, path, data, headers)
                answer = self.connection.getresponse()
                if answer.getheader("Content-Type") == "text/event-stream":
                    self.connection.close()  # it has no end; see streams_tell_what_changes.py
                    return answer.status, dict(answer.getheaders()), b""
                text = answer.read()
                return answer.status, dict(answer.getheaders()), text
            except (OSError, http.client.HTTPException):
                self.connection.close()
                if not again:
                    raise
        return None


def routes():
    """[(method, pattern)] of the collector's table, as the document made from it lists them."""
    with open(os.path.join(ROOT, "docs", "authorization.md"), encoding="utf-8") as file:
        return re.findall(r"^\| ([A-Z]+) \| `([^`]+)` \|", file.read(), re.M)


class World:
    def __init__(self, house):
        broker = house.start(Broker(house.folder, house.program("coldchainctl")))
        self.collector = Collector(
            house.folder, house.program("coldchain-collector"), broker, sites=SITES, rules=RULES,
            devices=[{"id": "one", "zone": "room-1"}, {"id": "two", "zone": "room-2"}])
        self.collector.settings["api"]["streams"] = 1000  # who walks leaves them open for a moment
        house.start(self.collector)
        self.ask = Ask(self.collector.port)
        self.root = {"token": self.collector.token}
        self.who = {"nobody": {}, "hadmin": self.root}
        for org, mark in (("fengjie", "o"), ("wushan", "n")):
            for role in ("admin", "operator", "viewer"):
                self.who[mark + role] = self.person(org, role)
            self.who[mark + "read"] = self.token(org, scopes=["read"])
        self.who["oincidents"] = self.token("fengjie", scopes=["incidents"])
        self.made("grants", holder="wushan", zone="room-1", **{"from": day(-7)})
        self.who["share"] = self.token("fengjie", role="share", grants=[{"zone": "room-1"}])

    def made(self, what, **body):
        status, _, text = self.ask("POST", f"/api/v1/{what}", self.root, body)
        if status != 200:
            raise Failure(f"{what} {body}: {status} {text}")
        return json.loads(text)

    def token(self, org, **more):
        made = self.made("tokens", name="walk", org=org, expires=day(90), **more)
        return {"token": made["secret"], "id": made["id"]}

    def person(self, org, role):
        login = f"{org}-{role}"
        made = self.made("people", org=org, role=role, login=login, password=PASSWORD, name="王")
        return {"id": made["id"], **self.session(login)}

    def session(self, login):
        status, headers, text = self.ask("POST", "/api/v1/login", None, {"login": login, "password": PASSWORD})
        if status != 200:
            raise Failure(f"{login} cannot sign in: {status} {text}")
        return {"cookie": headers["Set-Cookie"].split(";")[0], "csrf": json.loads(text)["csrf"]}

    def names(self, method, pattern):
        """The pattern with names that are fengjie's; what is there to be ended is made anew, to be safe."""
        kind = pattern.split("/")[3] if pattern.count("/") > 3 else "setup"
        if kind == "people":
            return [self.made("people", org="fengjie", role="viewer")["id"]]
        if kind == "tokens":
            return [self.token("fengjie", scopes=["read"])["id"]]
        if kind == "grants":
            return [self.made("grants", holder="elsewhere", zone="room-2")["id"]]
        return {"zones": ["room-1"], "devices": ["fengjie", "one"], "incidents": ["00" * 16],
                "entities": ["zone", "room-1"], "channels": ["one", "air_temperature"]}.get(kind, ["x"])


def filled(pattern, names):
    for name in names:
        pattern = pattern.replace("*", name, 1)
    return pattern


def wanted(who, key, named=None):
    """The status, or a set of what counts as being let in."""
    allowed, sees = WHO[key]
    if who not in allowed.split():
        return {401} if who == "nobody" else {403}
    if sees is not None and who not in (named or sees).split():
        return {404}
    return {200, 400, 401, 422} if key[1] == "/api/v1/login" else {200, 400, 422}


def check(ask, world, who, method, path, want):
    body = {"comment": {"text": "x"}, "snooze": {"for": "1h"},
            "close": {"cause": "door", "action": "door_closed", "disposition": "unaffected"}}.get(
                path.rpartition("/")[2], {})
    status, headers, text = ask(method, path, world.who[who], None if method == "GET" else body)
    if status not in want:
        raise Failure(f"{who}: {method} {path} is {status}, want {sorted(want)}: {text[:200]}")
    if status == 404 and b"fengjie" in text and "fengjie" not in path:
        raise Failure(f"{who}: {method} {path} says whose it is: {text}")
    if "Content-Security-Policy" not in headers:
        raise Failure(f"{method} {path} has no policy for browsers")


def check_change(world, who, method, pattern):
    is_ours = who[0] in "ho"
    if who not in CHANGES[method, pattern].split():
        want = {401} if who == "nobody" else {403}
    else:
        want = {200, 400, 403, 404, 422} if is_ours else {400, 404, 403}
    real = REAL.get(pattern.split("/")[3], "p-1")
    path = filled(pattern, ["no-such" if is_ours else real, "air_temperature"])
    check(world.ask, world, who, method, path, want)


RESTLESS = ("/api/v1/logout", "/api/v1/me/sessions/end", "/api/v1/login")


def story_every_route_for_every_role(house):
    world = World(house)
    table = routes()
    house.equal(sorted(set(table)), sorted([*WHO, *CHANGES]), "the routes that this test knows")
    count = 0
    for method, pattern in table:
        for who in ANY.split():
            if (method, pattern) in CHANGES:
                check_change(world, who, method, pattern)
                count += 1
                continue
            if pattern in RESTLESS and who not in ("nobody", "hadmin"):
                continue  # ends the walker's own session: see below
            if who in ("oread", "nread") and method == "POST" and pattern.endswith("acknowledge"):
                check(world.ask, world, who, method, filled(pattern, ["00" * 16]), {403})
                continue
            path = filled(pattern, world.names(method, pattern) if "*" in pattern else [])
            check(world.ask, world, who, method, path, wanted(who, (method, pattern)))
            count += 1
    for who in ANY.split():
        key = ("GET", "/api/v1/zones/*/readings")
        check(world.ask, world, who, "GET", "/api/v1/zones/room-2/readings", wanted(who, key, ZONE_2))
        check(world.ask, world, who, "GET", "/api/v1/zones/no-such/readings", wanted(who, key, "none of them"))
    house.say(f"{count} walks of {len(table)} routes by {len(world.who)} callers")


def story_methods_and_spellings_that_nobody_declared(house):
    world = World(house)
    declared = set(routes())
    patterns = sorted({pattern for _, pattern in declared})
    for pattern in patterns:
        path = filled(pattern, ["room-1", "one"])
        for method in METHODS:
            asked = "GET" if method == "HEAD" else method
            if any(asked == one and re.fullmatch(other.replace("*", "[^/]+"), path) for one, other in declared):
                continue
            for who in ("nobody", "hadmin", "nadmin"):
                check(world.ask, world, who, method, path, {405})
    for pattern in patterns:
        tricks = [pattern.upper() if pattern.upper() != pattern else pattern + "/", pattern + "/",
                  pattern.replace("/", "//", 1), pattern + "%00"]
        if "*" in pattern:
            tricks += [pattern, pattern.replace("*", ":id"), pattern.replace("*", "a%2Fb"), pattern.replace("*", "%2e%2e")]
        for trick in tricks:
            status, _, text = world.ask("GET", trick, world.root)
            house.check(status in (400, 404, 405), f"GET {trick} is {status}: {text[:100]}")


def story_lists_hold_what_is_ones_own(house):
    world = World(house)

    def ids(who, path, name=None):
        status, _, text = world.ask("GET", path, world.who[who])
        house.equal(status, 200, f"{who}: {path}")
        return sorted(one["id"] for one in (json.loads(text)[name] if name else json.loads(text)))

    for who, want in (("hadmin", ["room-1", "room-2"]), ("oadmin", ["room-1", "room-2"]), ("oread", ["room-1", "room-2"]),
                      ("nadmin", ["room-1"]), ("nviewer", ["room-1"]), ("nread", ["room-1"]), ("share", ["room-1"]),
                      ("oviewer", [])):
        house.equal(ids(who, "/api/v1/zones"), want, f"zones of {who}")
    house.equal(ids("oadmin", "/api/v1/devices"), ["one", "two"], "devices of our own")
    house.equal(ids("nadmin", "/api/v1/devices"), [], "devices of a neighbour")
    ours = {world.who[who]["id"] for who in ("oadmin", "ooperator", "oviewer")}
    house.equal(set(ids("oadmin", "/api/v1/people", "people")), ours, "people of our own")
    house.check(not ours & set(ids("nadmin", "/api/v1/people", "people")), "people of a neighbour are not listed")
    # Nobody reaches out of his organisation by naming another in the body.
    for path, body in (("people", {"org": "fengjie", "role": "admin"}), ("people", {"org": "", "role": "admin"}),
                       ("tokens", {"name": "x", "org": "", "scopes": ["read"], "expires": day(90)}),
                       ("grants", {"holder": "wushan", "zone": "room-2"})):
        status, _, text = world.ask("POST", f"/api/v1/{path}", world.who["nadmin"], body)
        house.equal(status, 404, f"{path} {body}: {text}")


def story_what_ends_counts_no_more(house):
    world = World(house)
    token, person = world.token("fengjie", scopes=["read"]), world.who["ooperator"]
    house.equal(world.ask("GET", "/api/v1/me", token)[0], 200, "a token counts")
    house.equal(world.ask("DELETE", f"/api/v1/tokens/{token['id']}", world.root)[0], 200, "it is revoked")
    house.equal(world.ask("GET", "/api/v1/me", token)[0], 401, "and counts no more")
    house.equal(world.ask("GET", "/api/v1/me", person)[0], 200, "a session counts")
    house.equal(world.ask("DELETE", f"/api/v1/people/{person['id']}", world.root)[0], 200, "the person is erased")
    house.equal(world.ask("GET", "/api/v1/me", person)[0], 401, "and the session is gone")
    _, _, text = world.ask("GET", "/api/v1/people", world.root)
    entry = next(one for one in json.loads(text)["people"] if one["id"] == person["id"])
    house.equal((entry["erased"], entry["login"], entry["name"]), (True, "", ""), "only the id is left")
    link = re.search(r"/setup/([0-9a-f]{64})", world.collector.log())
    house.check(link, "the log names the set-up link")
    body = {"login": "first", "password": PASSWORD}
    house.equal(world.ask("POST", f"/setup/{link[1]}", None, body)[0], 200, "the link makes the first admin")
    house.equal(world.ask("POST", f"/setup/{link[1]}", None, {**body, "login": "second"})[0], 404, "once")
    world.session("first")


def story_fifty_clients_walk_at_once(house):
    world = World(house)
    steps = [(method, pattern, who) for method, pattern in routes() for who in ANY.split()
             if method == "GET"]
    names = {pattern: world.names(method, pattern) if "*" in pattern else [] for method, pattern, _ in steps}
    problems = []

    def walk(seed):
        ask, mine = Ask(world.collector.port, f"127.0.0.{seed + 2}"), steps[:]
        random.Random(seed).shuffle(mine)
        try:
            for method, pattern, who in mine[:120]:
                path = filled(pattern, names[pattern])
                check(ask, world, who, method, path, wanted(who, (method, pattern)))
        except Exception as problem:
            problems.append(f"client {seed}: {problem}")
        finally:
            ask.connection.close()

    clients = [threading.Thread(target=walk, args=(seed,)) for seed in range(50)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    house.check(not problems, "\n".join(problems[:5]))
