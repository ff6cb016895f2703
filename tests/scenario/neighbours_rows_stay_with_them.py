# SPDX-License-Identifier: Apache-2.0
"""Two organisations with rows of their own: neither sees one of the other's, by any route.

To the house of nobody_sees_another_organisation.py the neighbour adds places, a device, a
rule and an incident. Then every list is read and every name is asked for from both sides,
once alone and once by 50 clients together; whoever runs the house sees both, so that there
is something to see.
"""
import json
import random
import threading

import nobody_sees_another_organisation as walk
from house.process import Failure, wait_for

EPOCH = "00000000000000aa"
# Names that occur nowhere but in these rows. room-1 was granted to the neighbour, room-2 was not.
OURS, THEIRS = ["o-room", "o-logger", "o-warm", "o-site"], ["n-room", "n-logger", "n-warm", "n-site"]
SIDES = {"o": ("fengjie", "o"), "n": ("wushan", "n")}
# What a change needs to be understood, so that whose it is decides.
BODIES = {"comment": {"text": "x"}, "duty": {"on": True}, "load": {"goods": "strawberry"},
          "swap": {"serial": "s"}, "replace": {"by": "spare"}}
NAMED = ("zones", "devices", "entities", "channels", "incidents", "people", "tokens", "grants")


class World(walk.World):
    def __init__(self, house):
        super().__init__(house)
        self.do("org.put", id="wushan")
        self.do("org.put", id="fengjie")
        for org, mark in SIDES.values():
            self.do("site.put", id=f"{mark}-site", org=org)
            self.do("zone.put", id=f"{mark}-room", site=f"{mark}-site")
            self.do("placement.put", device=f"{mark}-logger", zone=f"{mark}-room", **{"from": 0})
            self.do("channel.calibrate", device=f"{mark}-logger", channel="air_temperature", offset=0.1)
            self.do("rule.put", id=f"{mark}-warm", zone=f"{mark}-room", kind="above", quantity="air_temperature",
                    levels=[{"level": 8}])
        self.incidents = {mark: self.incident(org, mark) for org, mark in SIDES.values()}
        self.marks = {mark: names + [self.incidents[mark]] + [one["id"] for who, one in self.who.items()
                                                             if who[0] == mark and one.get("id")]
                      for mark, names in (("o", OURS), ("n", THEIRS))}

    def do(self, verb, **body):
        status, answer = self.collector.do(verb, **body)
        if status != 200:
            raise Failure(f"{verb} {body}: {status} {answer}")

    def incident(self, org, mark):
        """The id of the one that a reading of ours opens."""
        records = [{"n": "air_temperature", "u": "Cel", "t": 1795600000 + i, "v": 12.5} for i in range(3)]
        status, _, text = self.ask("POST", f"/api/v1/devices/{org}/{mark}-logger/packs?epoch={EPOCH}&seq=1", self.root, records)
        if status != 200:
            raise Failure(f"the pack of {mark}-logger: {status} {text}")

        def find():
            _, _, found = self.ask("GET", "/api/v1/incidents?state=open", self.root)
            return [one["id"] for one in json.loads(found)["incidents"] if one["zone"] == f"{mark}-room"]
        return wait_for(find, 30, f"{mark}-room has an incident")[0]

    def named(self, kind, mark):
        """Names of that side's, which are there."""
        org = SIDES[mark][0]
        made = {"people": lambda: [self.made("people", org=org, role="viewer")["id"]],
                "tokens": lambda: [self.token(org, scopes=["read"])["id"]],
                "grants": lambda: [self.made("grants", holder="elsewhere", zone=f"{mark}-room")["id"]]}
        return made[kind]() if kind in made else {
            "zones": [f"{mark}-room"], "devices": [org, f"{mark}-logger"], "entities": ["zone", f"{mark}-room"],
            "channels": [f"{mark}-logger", "air_temperature"], "incidents": [self.incidents[mark]]}[kind]


def kind_of(pattern):
    return pattern.split("/")[3] if pattern.count("/") > 2 else ""


def is_list(method, pattern):
    """Streams do not end, and say the same rows."""
    return method == "GET" and "*" not in pattern and "stream" not in pattern and not pattern.startswith("/setup")


def read_list(ask, world, who, pattern):
    """Whether the other side's rows are looked for in it, and none found."""
    status, _, text = ask("GET", pattern, world.who[who])
    if status != 200:
        return False
    other = "n" if who[0] in "os" else "o"
    for name in world.marks[other]:
        if name in text.decode():
            raise Failure(f"{who}: GET {pattern} shows {name}: {text[:300]}")
    return True


def ask_for_theirs(ask, world, who, method, pattern, names):
    """What is there for its own side, is not for this one."""
    path = walk.filled(pattern, names)
    body = None if method == "GET" else BODIES.get(path.rsplit("/", 1)[1], {})
    status, _, text = ask(method, path, world.who[who], body)
    if status not in (403, 404):
        raise Failure(f"{who}: {method} {path} is {status}: {text[:200]}")
    if status == 404 and any(name in text.decode() and name not in path for name in world.marks["n" if who[0] in "os" else "o"]):
        raise Failure(f"{who}: {method} {path} says more than it was asked: {text[:300]}")


def steps_of(world):
    """(what is done, its arguments) of a whole walk, from both sides."""
    steps = []
    for who in walk.KNOWN.split():
        if who == "hadmin":
            continue
        other = "n" if who[0] in "os" else "o"
        for method, pattern in walk.routes():
            if is_list(method, pattern):
                steps.append((read_list, (who, pattern)))
            elif kind_of(pattern) in NAMED and pattern.count("*") == len(world.named(kind_of(pattern), other)):
                steps.append((ask_for_theirs, (who, method, pattern, world.named(kind_of(pattern), other))))
    return steps


def story_no_list_and_no_name_shows_the_neighbours_rows(house):
    world = World(house)
    seen = {}
    for method, pattern in walk.routes():
        if is_list(method, pattern):
            text = world.ask("GET", pattern, world.root)[2].decode()
            for mark in world.marks:
                if any(name in text for name in world.marks[mark]):
                    seen.setdefault(pattern, set()).add(mark)
    both = sorted(pattern for pattern, marks in seen.items() if marks == {"o", "n"})
    for pattern in ("zones", "devices", "placements", "incidents", "people", "tokens", "audit"):
        house.check(f"/api/v1/{pattern}" in both, f"whoever runs the house sees both sides in {pattern}: {both}")
    steps = steps_of(world)
    read = sum(bool(what(world.ask, world, *arguments)) for what, arguments in steps)
    # The same names are there for whose they are.
    for mark in ("o", "n"):
        for pattern in ("/api/v1/zones/*/readings", "/api/v1/devices/*/*/readings", "/api/v1/incidents/*",
                        "/api/v1/channels/*/*"):
            path = walk.filled(pattern, world.named(kind_of(pattern), mark))
            house.equal(world.ask("GET", path, world.who[f"{mark}admin"])[0], 200, f"{path} for its own")
    house.say(f"{len(steps)} steps from both sides, {read} lists read, {len(both)} of them with rows of both")


def story_nor_when_fifty_ask_at_once(house):
    world = World(house)
    steps, problems = steps_of(world), []

    def client(seed):
        ask, mine = walk.Ask(world.collector.port, f"127.0.0.{seed + 2}"), steps[:]
        random.Random(seed).shuffle(mine)
        try:
            for what, arguments in mine[:100]:
                what(ask, world, *arguments)
        except Exception as problem:
            problems.append(f"client {seed}: {problem}")
        finally:
            ask.connection.close()

    clients = [threading.Thread(target=client, args=(seed,)) for seed in range(50)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    house.check(not problems, "\n".join(problems[:5]))
