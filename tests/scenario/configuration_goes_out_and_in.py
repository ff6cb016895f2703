# SPDX-License-Identifier: Apache-2.0
"""Places, devices and rules as one file: out of a collector, into another, and changed; also when killed."""
import json
import os
import pty
import re
import subprocess
import time

from house.broker import Broker
from house.collector import Collector
from house.series import iso

SITES = [{"id": "store", "name": "奉节一号库", "zones": [{"id": "room-1", "name": "Room: 1", "band_low": 2, "band_high": 8.5},
                                                    {"id": "room-2"}]}]
RULES = [{"id": "warm", "zone": "room-1", "kind": "above", "quantity": "air_temperature",
          "levels": [{"level": 8.1, "delay": "10m"}, {"level": 12, "severity": "critical"}]},
         {"id": "quiet", "zone": "room-2", "kind": "silent", "silent_after": "15m"}]
DEVICES = [{"id": "agent-1", "zone": "room-1"}, {"id": "agent-2", "zone": "room-2"}]


class World:
    def __init__(self, house):
        self.house = house

    def collector(self, name="collector", **settings):
        """Each with a broker of its own."""
        broker = self.house.start(Broker(self.house.folder, self.house.program("coldchainctl"), name=f"{name}-broker"))
        return self.house.start(Collector(self.house.folder, self.house.program("coldchain-collector"), broker,
                                          name=name, **settings))

    def command(self, collector, *words):
        return [self.house.program("coldchainctl"), "config", *words, "--api", collector.url, "--token-file",
                os.path.join(collector.data, "api.token")]

    def ask(self, collector, *words, status=0, given=None):
        done = subprocess.run(self.command(collector, *words), capture_output=True, text=True, input=given)
        self.house.equal(done.returncode, status, f"config {words}: {done.stdout} {done.stderr}")
        return done

    def export(self, collector):
        return self.ask(collector, "export", "-").stdout

    def file(self, name, text):
        path = os.path.join(self.house.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


def enrich(house, collector):
    """Everything that can be said of a registry."""
    past = iso(int(time.time() * 1000) // 1000 * 1000 - 86400000)
    for verb, body in [
            ("org.put", {"id": "wushan", "name": "巫山\n\"second\" # line"}),
            ("site.put", {"id": "van-7", "org": "fengjie", "tier": "vehicle", "time_zone": "Asia/Shanghai",
                          "external_ids": {"erp": "0017", "old": "no"},
                          "plates": [{"from": "2025-01-01T00:00:00Z", "plate": "YuF 1", "lessor": "true"}],
                          "divisions": [{"from": "2020-01-01T00:00:00Z", "code": "500236000000"}]}),
            ("zone.put", {"id": "box", "site": "van-7", "band_low": -18.25}),
            ("zone.put", {"id": "gone", "site": "store"}),
            ("zone.put", {"id": "room-1", "tau": "2h", "goods": ["cabbage", "carrot"]}),
            ("zone.plan_step", {"id": "room-1", "from": past, "to": "2036-01-01T00:00:00Z", "band_low": 12,
                                "band_high": 15, "goods": ["cabbage"], "why": "curing"}),
            ("zone.load", {"id": "room-1", "goods": "cabbage", "entry_c": 21.5, "why": "李"}),
            ("zone.maintenance", {"id": "room-1", "to": "2036-01-01T00:00:00Z"}),
            ("rule.put", {"id": "warmer", "zone": "room-1", "kind": "above", "quantity": "air_temperature",
                          "levels": [{"level": "band_high + 11.5", "recovery_level": 15}], "unless": ["door", "defrost"], "safety": True}),
            ("zone.duty", {"id": "room-2", "on": False, "why": "curing"}),
            ("vehicle.plate", {"id": "van-7", "plate": "YuF 2", "from": past}),
            ("placement.put", {"device": "agent-9", "channel": "air_temperature-2", "zone": "gone",
                               "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}),
            ("rule.put", {"id": "lost", "zone": "gone", "kind": "silent_device", "silent": "1h"}),
            ("zone.archive", {"id": "gone"}),
            ("device.put", {"id": "agent-9", "name": "9", "model": "gateway 2", "serial": "0001"}),
            ("channel.calibrate", {"device": "agent-9", "channel": "air_temperature", "offset": -0.2, "gain": 1.01,
                                   "certificate": "T-1", "from": past, "due": "2036-01-01T00:00:00Z"}),
            ("channel.calibrate", {"device": "agent-9", "channel": "air_temperature", "offset": 0.125}),
            ("probe.swap", {"device": "agent-9", "channel": "air_temperature", "serial": "28-0004"}),
            ("device.replace", {"id": "agent-2", "by": "agent-3"}),
            ("device.archive", {"id": "agent-2"})]:
        status, answer = collector.do(verb, **body)
        house.equal(status, 200, f"{verb} is done: {answer}")


def on_terminal(command, answer):
    """What it says to a person at a terminal who gives that answer."""
    ours, its = pty.openpty()
    try:
        os.write(ours, answer)
        done = subprocess.run(command, stdin=its, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    finally:
        os.close(its)
        os.close(ours)
    return done.stdout


def audit_rows(collector):
    return len(collector.get("/audit", limit=1000)["audit"])


def story_out_and_into_an_empty_one(house):
    world = World(house)
    first = world.collector(sites=SITES, rules=RULES, devices=DEVICES)
    enrich(house, first)
    text = world.export(first)
    house.equal(world.export(first), text, "the same contents give the same bytes")
    house.check("password" not in text and "token" not in text, "it holds no secrets")
    path = world.file("all.yaml", text)
    second = world.collector("second")
    shown = world.ask(second, "import", path, "--dry-run").stdout
    house.check("added" in shown and "room-1" in shown and "奉节一号库" in shown, f"the difference is shown: {shown}")
    house.equal(audit_rows(second), 0, "and nothing was changed")
    world.ask(second, "import", path, "--yes", "--reason", "moving")
    house.equal(world.export(second), text, "out of the other come the same bytes")
    house.check("level: \"band_high+11.5\"" in text or "level: band_high+11.5" in text, "a level is named as it was")
    warmer = next(one for one in second.get("/entities/rule")["entities"] if one["id"] == "warmer")
    house.equal((warmer["levels"][0]["level"], warmer["now"]["levels"][0]["level"]), ("band_high+11.5", 20),
                "a level that names the band keeps the name, and follows the band")
    before = audit_rows(second)
    again = world.ask(second, "import", path, "--yes")
    house.equal(again.stdout, "no difference\n", "a second import finds nothing to do")
    house.equal(audit_rows(second), before, "and writes nothing")
    house.equal(world.ask(first, "import", path).stdout, "no difference\n", "nor does the first collector")
    house.equal({row["reason"] for row in second.get("/audit", limit=1000)["audit"]}, {"moving"}, "the audit says why")


def story_changed_by_hand(house):
    world = World(house)
    collector = world.collector(sites=SITES, rules=RULES, devices=DEVICES)
    text = world.export(collector)
    changed = text.replace("band_high: 8.5", "band_high: 9").replace("delay: 10m", "delay: 5m")
    changed = re.sub(r"  - id: quiet\n(    .*\n)+", "", changed)
    changed = re.sub(r"  - id: room-2\n(    .*\n)*", "", changed)
    changed = re.sub(r"  - id: p-\w+\n    device: agent-2\n(    .*\n)+", "", changed)
    changed = changed.replace("zones:\n", "zones:\n  - id: room-3\n    site: store\n", 1)
    path = world.file("changed.yaml", changed)
    found = json.loads(world.ask(collector, "import", path, "--dry-run", "--json").stdout)
    house.equal(found["applied"], 0, "a dry run applies nothing")
    house.equal(sorted((one["change"], one["kind"], one["id"][:6]) for one in found["changes"]),
                [("added", "zone", "room-3"), ("archived", "zone", "room-2"), ("changed", "rule", "warm"),
                 ("changed", "zone", "room-1"), ("deleted", "rule", "quiet"), ("ended", "placement", "p-" + next(
                     one["id"] for one in found["changes"] if one["kind"] == "placement")[2:6])], "what differs")
    room = next(one for one in found["changes"] if one["id"] == "room-1")
    house.equal(room["fields"], [{"field": "band_high", "old": 8.5, "new": 9.0}], "field by field, old and new")
    refused = world.ask(collector, "import", path, status=1, given="")
    house.check("nothing was changed; --yes applies it" in refused.stderr, "without a terminal it does not ask")
    house.equal(world.export(collector), text, "and nothing was changed")
    house.check("nothing was changed" in on_terminal(world.command(collector, "import", path), b"n\n"), "a no is a no")
    house.equal(world.export(collector), text, "and nothing was changed then, either")
    shown = on_terminal(world.command(collector, "import", path), b"y\n")
    house.check("apply these changes (6)? [y/N]" in shown and "changes applied: 6" in shown, f"a yes is a yes: {shown}")
    house.equal(world.ask(collector, "import", path, "--yes").stdout, "no difference\n", "it is as the file says")
    house.equal(collector.get("/entities/zone/room-1")["band_high"], 9, "the band is another")
    house.check(collector.get("/entities/zone/room-2")["archived"], "the zone is archived, not gone")

    # only some of it; and with what is there by then
    part = world.file("part.yaml", "coldchain_config: 1\nrules:\n  - {id: cold, zone: room-1, kind: below, "
                      "quantity: air_temperature, levels: [{level: 1, delay: 1h}]}\nend: true\n")
    world.ask(collector, "import", part, "--yes")
    house.equal([one["id"] for one in collector.get("/entities/rule")["entities"]], ["cold"],
                "a section that is there is the whole section")
    house.equal(len(collector.get("/entities/zone")["entities"]), 3, "one that is not is left alone")
    world.ask(collector, "import", world.file("back.yaml", text), "--yes")
    house.equal(world.ask(collector, "import", world.file("back.yaml", text)).stdout, "no difference\n",
                "and back it goes")


def story_somebody_else_changes_it_meanwhile(house):
    world = World(house)
    collector = world.collector(sites=SITES, rules=RULES, devices=DEVICES)
    text = world.export(collector)
    path = world.file("mine.yaml", text.replace("band_high: 8.5", "band_high: 9"))
    ours, its = pty.openpty()
    process = subprocess.Popen(world.command(collector, "import", path), stdin=its, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    said = b""
    while b"[y/N]" not in said:
        said += os.read(process.stdout.fileno(), 1000) or b"[y/N] never came"
    house.equal(collector.do("zone.put", id="room-1", band_high=6)[0], 200, "somebody else is quicker")
    os.write(ours, b"y\n")
    said += process.stdout.read()
    house.equal(process.wait(), 1, "it is not overwritten")
    house.check(b"was changed meanwhile" in said, f"and that is said: {said}")
    os.close(ours)
    os.close(its)
    house.equal(collector.get("/entities/zone/room-1")["band_high"], 6, "the other's stays")
    world.ask(collector, "import", path, "--yes")
    house.equal(collector.get("/entities/zone/room-1")["band_high"], 9, "until one has looked again")


def story_a_file_that_is_wrong(house):
    world = World(house)
    collector = world.collector(sites=SITES, rules=RULES, devices=DEVICES)
    text = world.export(collector)
    lines = text.splitlines(keepends=True)
    for count in list(range(0, len(lines) - 1, 7)) + [len(lines) - 1]:
        done = world.ask(collector, "import", world.file("cut.yaml", "".join(lines[:count])), "--yes", status=1)
        house.check(re.search(r"cut\.yaml:\d+: ", done.stderr), f"cut after {count} lines: {done.stderr}")
    for old, new, line, sentence in [
            ("band_high: 8.5", "band_high: warm", "band_high", "'band_high' takes a number from -100 to 100, not 'warm'"),
            ("band_high: 8.5", "band_hihg: 8.5", "band_hihg", "did you mean 'band_high'?"),
            ("kind: silent", "kind: mute", "kind: mute", "'kind' takes no 'mute'; there are: above, below"),
            ("delay: 10m", "delay: 10", "delay: 10\n", "'delay' takes a duration such as 90s"),
            ("zone: room-2", "zone: room-9", None, "names zone 'room-9', which there is not"),
            ("id: quiet", "id: warm", None, "rule 'warm' stands in line"),
            ("    site: store\n", "", None, "'site' is missing"),
            ("orgs:", "people: []\norgs:", "people", "'people' is not known here"),
            ("end: true", "end: true\nend: true", None, "stands in line"),
            ("zones:", "zones: &x", "zones:", "anchors"),
            ("coldchain_config: 1", "coldchain_config: 2", None, "this is no such file")]:
        wrong = text.replace(old, new, 1)
        done = world.ask(collector, "import", world.file("wrong.yaml", wrong), "--yes", status=1)
        house.check(sentence in done.stderr, f"{new!r}: {done.stderr}")
        place = re.search(r"wrong\.yaml:(\d+): ", done.stderr)
        house.check(place, f"with its line: {done.stderr}")
        if line:
            house.check(line.strip() in wrong.splitlines()[int(place[1]) - 1], f"the right one: {done.stderr}")
    # what only the collector can tell is told with the line, too, and what was before it is done
    wrong = text.replace("zones:\n", "zones:\n  - id: room-0\n    site: store\n", 1)
    wrong = wrong.replace("    site: store\n    name: \"Room: 1\"\n", "    site: store\n    archived: true\n")
    done = world.ask(collector, "import", world.file("wrong.yaml", wrong), "--yes", status=1)
    house.check(re.search(r"wrong\.yaml:\d+: zone\.archive of 'room-1': .*still measured", done.stderr), done.stderr)
    house.check("2 of 3 commands are applied" in done.stderr, f"how far it came: {done.stderr}")
    world.ask(collector, "import", world.file("back.yaml", text), "--yes")
    collector.do("zone.put", id="room-0", archived=None)
    house.equal(world.export(collector).replace("  - id: room-0\n    site: store\n", ""), text, "and back it goes")


def story_nothing_is_changed_by_a_wrong_file(house):
    world = World(house)
    collector = world.collector(sites=SITES, rules=RULES, devices=DEVICES)
    text = world.export(collector)
    world.ask(collector, "import", world.file("cut.yaml", text[:-5]), "--yes", status=1)
    house.equal(audit_rows(collector), 1, "nothing was changed but by the seed")
    house.equal(world.export(collector), text, "and all is as it was")


def story_killed_in_the_middle(house):
    world = World(house)
    collector = world.collector(sites=SITES, rules=RULES)
    text = world.export(collector)
    rooms = "".join(f"  - id: big-{number:03}\n    site: store\n" for number in range(300))
    rules = "".join(f"  - {{id: rule-{number:03}, zone: big-{number:03}, kind: above, quantity: air_temperature, "
                    "levels: [{level: 8}]}\n" for number in range(300))
    path = world.file("big.yaml", text.replace("zones:\n", "zones:\n" + rooms).replace("rules:\n", "rules:\n" + rules))

    def there():
        return tuple(len(collector.get(f"/entities/{kind}", limit=1000)["entities"]) for kind in ("zone", "rule"))
    for enough in (30, 150):
        process = subprocess.Popen(world.command(collector, "import", path, "--yes"), stdout=subprocess.DEVNULL)
        house.wait_for(lambda: there()[0] >= enough, 60, f"{enough} zones are there")
        process.kill()
        house.check(process.wait() != 0, "it was killed")
    seen = {}

    def settled():
        """What the killed one had asked last may still be on its way."""
        seen["at"] = there()
        seen["left"] = json.loads(world.ask(collector, "import", path, "--dry-run", "--json").stdout)
        return there() == seen["at"]
    house.wait_for(settled, 30, "nothing changes any more")
    (zones, rules), left = seen["at"], seen["left"]
    house.check(zones + rules < 604, f"in the middle: {zones} zones, {rules} rules")
    house.equal(len(left["changes"]), 604 - zones - rules, "the difference is what is left")
    world.ask(collector, "import", path, "--yes")
    house.equal(there(), (302, 302), "the next one does the rest")
    house.equal(world.ask(collector, "import", path).stdout, "no difference\n", "and then there is nothing to do")
    house.say(f"killed at 30 and {zones} of 302 zones")


def story_the_seed_is_not_heard(house):
    world = World(house)
    collector = world.collector(sites=SITES, rules=RULES, devices=DEVICES)
    collector.stop()
    collector.settings["sites"] = [{"id": "store", "zones": [{"id": "room-1", "band_low": 2, "band_high": 7},
                                                            {"id": "room-5"}]}]
    collector.settings["rules"] = [dict(RULES[0], levels=[{"level": 9}])]
    collector.settings["devices"] = []
    collector.start()
    log = collector.log()
    house.check("are not applied" in log, "it is said that they are not applied")
    house.check("zone 'room-1' has band_high 8.5, not 7" in log, f"with the difference: {log[-1500:]}")
    house.check("zone 'room-5' is not there" in log, "what is missing")
    house.check("rule 'warm' has " in log, "rules, too")
