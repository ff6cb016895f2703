# SPDX-License-Identifier: Apache-2.0
"""A whole cold chain on this machine: broker, collector, agents, and a receiver of alarms.

Doors are opened, rooms defrosted and vans loaded; some things go wrong on purpose, and only
these should ring. Everything listens on free loopback ports and lives in a folder of its own.
Ctrl-C ends what was started, and nothing else.
"""
import argparse
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "support")]

import scene  # noqa: E402
from house import series  # noqa: E402
from house.agent import Agent, replay_sensor  # noqa: E402
from house.broker import Broker  # noqa: E402
from house.clock import VirtualClock  # noqa: E402
from house.collector import Collector  # noqa: E402
from house.influx import Influx  # noqa: E402
from house.process import Failure, Process, wait_for  # noqa: E402
from house.webhook import Receiver  # noqa: E402

BIN = os.path.join(ROOT, "build", os.environ.get("COLDCHAIN_PRESET", "release"), "bin")
SPEED = 120
INTERVAL = "10s"  # of virtual time
DRAIN_SECONDS = 28
EXAMPLES = """\
examples:
  ./dev run                             two minutes of cold chain per second, until Ctrl-C
  ./dev run --speed 1                   in real time
  ./dev run --influx                    also into an InfluxDB of its own
  ./dev run --headless --for 30         ends by itself with a JSON summary and a status
  ./dev run --replay freezer.csv --columns time=ISOdateTime,air_temperature=Temperature \\
            --above -9.9                a recorded series instead of the simulation
"""


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev run", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", type=float, default=SPEED, metavar="N",
                        help=f"virtual seconds per second ({SPEED})")
    parser.add_argument("--influx", action="store_true", help="also start Debian's influxd and write there")
    parser.add_argument("--headless", action="store_true", help="no live lines; a JSON summary at the end")
    parser.add_argument("--for", dest="seconds", type=float, metavar="SECONDS",
                        help="sample for so long in real time, then drain and end")
    parser.add_argument("--replay", metavar="FILE.csv", help="feed a recorded series")
    parser.add_argument("--columns", metavar="MAP", help="time=COLUMN[@ZONE],CHANNEL=COLUMN,...")
    parser.add_argument("--above", type=float, metavar="LEVEL", help="replay: an incident at or above this air")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and data")
    options = parser.parse_args(arguments)
    if options.speed <= 0:
        parser.error("--speed is above 0")
    if bool(options.replay) != bool(options.columns):
        parser.error("--replay and --columns go together")
    if options.headless and options.seconds is None:
        parser.error("--headless needs --for SECONDS")
    return options


class Demo:
    """The parts in the order in which they start; they end in the reverse order."""

    def __init__(self, options):
        self.options, self.parts = options, []
        self.folder = tempfile.mkdtemp(prefix="coldchain-demo-")
        self.clock = VirtualClock(self.origin_ms(), options.speed)
        self.broker = Broker(self.folder, os.path.join(BIN, "coldchainctl"))
        self.receiver = Receiver(secrets.token_hex(16))
        self.influx = Influx(self.folder) if options.influx else None
        self.collector = self.make_collector()
        self.agents = self.make_agents()
        self.told, self.new_lines = 0, False
        self.to_come = [] if options.replay else scene.events()

    # --- what there is -----------------------------------------------------------------

    def origin_ms(self):
        """Virtual time begins now, or a minute before a recorded series does."""
        if not self.options.replay:
            return int(time.time() * 1000)
        column = dict(pair.split("=", 1) for pair in self.options.columns.split(",")).get("time", "")
        return series.first_time(self.options.replay, column.split("@")[0]) - 60000

    def make_collector(self):
        if self.options.replay:
            places = {"sites": [{"id": "replay", "zones": [{"id": "replay", "name": "replay"}]}],
                      "devices": [{"id": "replay", "zone": "replay"}], "rules": self.replay_rules()}
        else:
            places = {"sites": scene.collector_sites(), "devices": scene.collector_devices(),
                      "rules": scene.rules()}
        collector = Collector(
            self.folder, os.path.join(BIN, "coldchain-collector"), self.broker, org=scene.ORG,
            channels=[{"name": "duty", "kind": "webhook", "url": self.receiver.url, "secret": self.receiver.secret.decode(),
                       "rings": "yes"}],
            influx={"url": self.influx.url} if self.influx else None,
            delivery={"ack_interval": "500ms", "credits": 64}, **places)
        collector.settings["escalation"] = scene.escalation(collector.url)
        collector.extra = self.clock.flags()
        return collector

    def replay_rules(self):
        if self.options.above is None:
            return []
        return [{"id": "replay-warm", "zone": "replay", "kind": "above",
                 "levels": [{"severity": "critical", "level": self.options.above}]}]

    def make_agents(self):
        if self.options.replay:
            channels = [pair.split("=")[0] for pair in self.options.columns.split(",")]
            chosen = {"replay": ([replay_sensor(os.path.abspath(self.options.replay), self.options.columns,
                                                [c for c in channels if c != "time"], "recorded")], [])}
        else:
            chosen = {device: (scene.sensors(device, INTERVAL), scene.bands(device)) for device in scene.DEVICES}
        agents = []
        for device, (sensors, bands) in chosen.items():
            agent = Agent(self.folder, os.path.join(BIN, "coldchain-agent"), self.broker, device, sensors,
                          org=scene.ORG, bands=bands, pack={"interval": "1s", "readings": 256},
                          drain_timeout=f"{DRAIN_SECONDS}s")
            agent.extra = self.clock.flags()
            agents.append(agent)
        return agents

    # --- start, live, end ----------------------------------------------------------------

    def start(self):
        print(f"coldchain: everything is in {self.folder}", flush=True)
        for part, what in [(self.receiver, "receives alarms"), (self.influx, "InfluxDB"),
                           (self.broker, "MQTT broker"), (self.collector, "collector")] \
                + [(agent, "agent") for agent in self.agents]:
            if part is None:
                continue
            self.parts.append(part)
            part.start()
            if isinstance(part, Process):
                port = getattr(part, "port", None)
                print(f"  pid {part.pid:7}  {part.name:15} {what}" + (f" on 127.0.0.1:{port}" if port else ""))
        token = os.path.join(self.collector.data, "api.token")
        print(f"API: {self.collector.url}/api/v1/zones\n"
              f"  curl -H \"Authorization: Bearer $(cat {token})\" {self.collector.url}/api/v1/zones")
        self.print_commands(token)
        if self.influx:
            self.print_grafana()
        sys.stdout.flush()

    def print_commands(self, token):
        """What an operator asks; in another terminal, since the live lines have this one."""
        ctl = os.path.relpath(os.path.join(BIN, "coldchainctl"))
        zone = "replay" if self.options.replay else "room-plum"
        asked = ["top", "incidents", f"rules {zone}", "suppressions", "doctor",
                 f"who-rings --config {self.collector.path} --zone {zone}"]
        print(f"Look around from another terminal (--lang zh: 中文):\n"
              f"  export COLDCHAIN_API={self.collector.url} COLDCHAIN_TOKEN_FILE={token}\n"
              + "\n".join(f"  {ctl} {one}" for one in asked))
        if not self.options.replay:
            print("What goes wrong on purpose is announced as 'wrong', what people do as 'people'; "
                  "nothing else should ring.")

    def print_grafana(self):
        """How a Grafana is put beside it; there is none in Debian to start."""
        folder = os.path.join(ROOT, "dashboards", "grafana")
        print(f"InfluxDB: {self.influx.url}, database {self.influx.DATABASE}\n"
              "Grafana (docs/grafana.md): start one with the dashboards and this InfluxDB, then open\n"
              "  http://127.0.0.1:3000/d/coldchain-overview-en or .../coldchain-overview-zh\n"
              f"  COLDCHAIN_INFLUX_URL={self.influx.url} COLDCHAIN_DASHBOARDS={folder}/dashboards \\\n"
              f"    GF_PATHS_PROVISIONING={folder}/provisioning grafana server --homepath /usr/share/grafana\n"
              "  or add InfluxDB at that address, database coldchain, query language InfluxQL, as a data source")

    def check_running(self):
        for part in self.parts:
            if isinstance(part, Process):
                part.check_running()

    def live(self):
        """Until Ctrl-C, or for --for seconds, or until a replay is through."""
        options = self.options
        end = time.monotonic() + options.seconds if options.seconds else None
        drawn, next_draw = 0, 0.0
        while end is None or time.monotonic() < end:
            self.check_running()
            self.new_lines = False
            self.play()
            self.tell_alarms()
            if not options.headless and time.monotonic() >= next_draw:
                drawn = self.draw(0 if self.new_lines else drawn)
                next_draw = time.monotonic() + (1 if sys.stdout.isatty() else 5)
            if options.replay and all(agent.status().get("has_ended") for agent in self.agents):
                return
            time.sleep(0.1)

    def say(self, label, *lines):
        print(f"{label:6} " + "\n       ".join(lines), flush=True)
        self.new_lines = True

    def play(self):
        """What goes wrong is only said: the sensors do it. What people do is done."""
        minute = (self.clock.now_ms() - self.clock.origin_ms) / 60000
        while self.to_come and self.to_come[0].minute <= minute:
            event = self.to_come.pop(0)
            self.say(event.label, f"{event.en} ({event.zh})")
            if event.verb:
                status, answer = self.collector.do(event.verb, reason=event.en, **event.body)
                if status != 200:
                    raise Failure(f"{event.verb} {event.body}: {status} {answer}")
            if event.every:
                scene.put(self.to_come, event.again())

    def tell_alarms(self):
        messages = list(self.receiver.messages.values())
        for message in messages[self.told:]:
            link = message.get("acknowledge_url")
            self.say("alarm", f"{message['event']}: {message['text_en']}", message["text_zh"],
                     *([f"acknowledge 确认: {link}"] if link and message["event"] != "closed" else []))
        self.told = len(messages)

    def draw(self, drawn):
        """A line per zone, over the last ones when this is a terminal."""
        lines = [f"-- {series.iso(self.clock.now_ms())} (x{self.options.speed:g})"]
        for zone in self.collector.get("/zones"):
            values = {channel["channel"].rsplit("-", 1)[0] if channel["channel"][-1].isdigit()
                      else channel["channel"]: channel for channel in zone["channels"]}
            lines.append(zone_line(zone, values))
        if drawn and sys.stdout.isatty():
            print(f"\x1b[{drawn}A", end="")
        print("\n".join(line + ("\x1b[K" if sys.stdout.isatty() else "") for line in lines), flush=True)
        return len(lines)

    def drain(self):
        """Agents stop sampling and wait until everything is acknowledged. That they say nothing then is no alarm."""
        for zone in self.collector.get("/zones"):
            self.collector.do("zone.duty", reason="the demonstration ends", id=zone["id"], on=False, why="other")
        for agent in self.agents:
            if agent.is_running():
                agent.child.send_signal(signal.SIGTERM)
        for agent in self.agents:
            agent.wait(DRAIN_SECONDS + 2)

    def stop(self):
        """All agents at once; where nobody is left to acknowledge, they need not wait: their journals keep it."""
        is_whole = self.broker.is_running() and self.collector.is_running()
        for agent in self.agents:
            if agent.is_running():
                agent.child.send_signal(signal.SIGTERM if is_whole else signal.SIGKILL)
        for part in reversed(self.parts):
            try:
                part.stop(DRAIN_SECONDS + 2)
            except Failure as failure:
                print(f"coldchain: {failure}", file=sys.stderr)

    # --- the summary ---------------------------------------------------------------------

    def stored(self):
        """Readings in the history, counted through the API."""
        channels = [(agent.device, channel["name"]) for agent in self.agents
                    for sensor in agent.settings["sensors"] for channel in sensor["channels"]]
        return sum(len(self.collector.readings(device, channel)) for device, channel in channels)

    def settle(self, acked):
        """Waits until history, outbox and InfluxDB hold what is to come."""
        def settled():
            waiting = [one for one in self.collector.get("/outbox", limit=1000)["messages"]
                       if one["state"] == "pending"]
            return not waiting and self.stored() >= acked and (
                not self.influx or self.influx.values() >= acked)
        try:
            wait_for(settled, 20, "everything settles", step=0.3)
        except Failure:
            pass  # the summary will show it

    def summary(self):
        states = [agent.status() for agent in self.agents]

        def total(name):
            return sum(state.get(name, 0) for state in states)
        self.settle(total("readings_acked"))
        incidents = self.collector.incidents()
        return {
            "readings_expected": total("readings_expected"),
            "readings_sent": total("readings_stored"),
            "readings_acked": total("readings_acked"),
            "readings_stored": self.stored(),
            "incidents_opened": len(incidents),
            "incidents_closed": sum(one["state"] == "closed" for one in incidents),
            "false_alarms": len(self.false_alarms(incidents)),
            "notifications_delivered": len(self.receiver.messages),
            "influx_points": self.influx.values() if self.influx else 0,
            "seconds": self.options.seconds,
            "speed": self.options.speed,
        }

    def false_alarms(self, incidents):
        """What was told and nothing called for. A silence is true: this machine was too slow, or somebody ended an agent."""
        told = {message["incident"] for message in list(self.receiver.messages.values())}
        return [] if self.options.replay else [
            one for one in incidents if one["id"] in told and not one["kind"].startswith("silent")
            and not scene.is_explained(one, self.clock.origin_ms)]

    def told_whole(self):
        """Incidents of which both opening and closing were delivered."""
        return {m["incident"] for m in self.receiver.events("opened")} \
            & {m["incident"] for m in self.receiver.events("closed")}


def zone_line(zone, values):
    air, product = values.get("air_temperature"), values.get("product_temperature")
    if air is None or air["value"] is None:
        return f"   {zone['id']:12} no reading yet"
    is_out = (zone["band_low"] is not None and air["value"] < zone["band_low"]) or \
        (zone["band_high"] is not None and air["value"] > zone["band_high"])
    text = f" {'!' if is_out else ' '} {zone['id']:12} air {air['value']:6.1f} °C"
    if product and product["value"] is not None:
        text += f"  product {product['value']:6.1f} °C"
    humidity = values.get("humidity")
    if humidity and humidity["value"] is not None:
        text += f"  {humidity['value']:5.1f} %RH"
    states = [name for name in ("door", "defrost", "compressor") if values.get(name, {}).get("value")]
    return text + f"  {air['age_ms'] / 1000:5.0f} s old  {' '.join(states)}"


def verdict(summary, demo):
    """What of the promise does not hold."""
    wrong = []
    if summary["readings_expected"] == 0 or summary["readings_sent"] < 0.95 * summary["readings_expected"]:
        wrong.append("fewer than 95 % of the expected readings were sent")
    if not summary["readings_sent"] == summary["readings_acked"] == summary["readings_stored"]:
        wrong.append("sent, acked and stored differ")
    if demo.options.influx and summary["influx_points"] != summary["readings_stored"]:
        wrong.append("InfluxDB holds another number of values than the history")
    if not demo.told_whole() and not (demo.options.replay and demo.options.above is None):
        wrong.append("no incident was opened, delivered and closed")
    if summary["false_alarms"]:
        wrong.append(f"{summary['false_alarms']} alarms that nothing called for")
    return wrong + demo.receiver.complaints[:3]


def run(demo):
    demo.start()
    try:
        demo.live()
    except KeyboardInterrupt:
        print("\ncoldchain: ending what was started", flush=True)
        if not demo.options.headless:
            return 0
    if not demo.options.headless and demo.options.seconds is None and not demo.options.replay:
        return 0
    demo.drain()
    summary = demo.summary()
    demo.tell_alarms()
    wrong = verdict(summary, demo)
    print(json.dumps({**summary, "ok": not wrong}), flush=True)
    for what in wrong:
        print(f"coldchain: {what}", file=sys.stderr)
    return 1 if wrong else 0


def main(arguments):
    options = parse(arguments)

    def interrupt(*_):
        raise KeyboardInterrupt
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    demo, status = Demo(options), 1
    try:
        status = run(demo)
    except KeyboardInterrupt:
        status = 130
    except (Failure, OSError) as failure:
        print(f"coldchain: {failure}", file=sys.stderr)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        demo.stop()
        if options.keep or status not in (0, 130):
            print(f"coldchain: logs and data are in {demo.folder}", file=sys.stderr)
        else:
            shutil.rmtree(demo.folder, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
