# SPDX-License-Identifier: Apache-2.0
"""A freezer's series on its way: agent `replay` -> mosquitto -> collector -> history, influx."""
import os

from house import compare, series
from house.agent import Agent, replay_sensor
from house.broker import Broker
from house.clock import VirtualClock
from house.collector import Collector
from house.influx import Influx
from house.process import wait_for
from house.webhook import Receiver

HEADINGS = {"air_temperature": "Temperature", "humidity": "Humidity"}
COLUMNS = "time=ISOdateTime,air_temperature=Temperature,humidity=Humidity"
LEVEL = -9.9  # of values with one decimal: "above -10" in the data's own notes
RULE = {"id": "freezer-warm", "zone": "freezer", "kind": "above", "quantity": "air_temperature",
        "levels": [{"severity": "critical", "level": LEVEL, "delay": "0s", "recovery": str(LEVEL),
                    "recovery_delay": "0s"}]}
SITES = [{"id": "store", "name": "冷库", "zones": [{"id": "freezer", "name": "1"}]}]
SECRET = "a secret of the tests"


class Freezer:
    """All parts, not yet started; `house` is the story's."""

    def __init__(self, house, path, rate="fast", influx=True):
        self.house = house
        self.rows = series.read_csv(path, HEADINGS, "ISOdateTime", series.from_iso)
        self.intervals = series.intervals_above(self.rows, "air_temperature", LEVEL)
        self.broker = Broker(house.folder, house.program("coldchainctl"))
        self.receiver = Receiver(SECRET)
        self.influx = Influx(house.folder) if influx else None
        self.collector = Collector(
            house.folder, house.program("coldchain-collector"), self.broker,
            webhooks=[{"name": "duty", "url": self.receiver.url, "secret": SECRET, "timeout": "10s"}],
            influx={"url": self.influx.url, "flush": "200ms"} if influx else None,
            delivery={"ack_interval": "200ms", "credits": 16}, history={"keep": "0"}, pipeline={"checkpoint": "1s"},
            sites=SITES, devices=[{"id": "freezer-1", "zone": "freezer"}], rules=[RULE])
        self.agent = Agent(house.folder, house.program("coldchain-agent"), self.broker, "freezer-1",
                           [replay_sensor(path, COLUMNS, HEADINGS, rate)])

    def simulate(self, rate):
        """Both daemons live at the time of the series, `rate` times as fast as we do."""
        clock = VirtualClock(self.rows[0][0] - 60000, rate)
        for part in (self.collector, self.agent):
            part.extra = clock.flags()

    def start(self):
        for part in (self.receiver, self.influx, self.broker, self.collector, self.agent):
            if part is not None:
                self.house.start(part)
        return self

    def stored(self):
        """Rows of the air temperature in the history, which counts them; None while nobody answers."""
        try:
            answer = self.collector.get(f"/devices/{self.collector.org}/freezer-1/series", channel="air_temperature",
                                        buckets=1, **{"from": 0, "to": self.rows[-1][0] + 1})
        except OSError:
            return None
        return sum(one["good"] + sum(one["bad"].values()) for channel in answer["series"] for one in channel["buckets"])

    def wait_until_stored(self, timeout):
        want = len(self.rows)
        wait_for(lambda: self.agent.check_running() and (self.stored() or 0) >= want, timeout,
                 lambda: f"{self.stored()} of {want} rows are in the history", step=0.5)

    def wait_until_all_is_said(self, timeout):
        """The followers are through, and so is the outbox."""
        wait_for(lambda: len(self.receiver.events("closed")) >= len(self.intervals), timeout,
                 lambda: f"{len(self.receiver.events('closed'))} of {len(self.intervals)} ends were told")
        if self.influx:
            points = 2 * len(self.rows)
            wait_for(lambda: self.in_influx() >= points, timeout,
                     lambda: f"{self.in_influx()} of {points} values are in InfluxDB", step=0.5)

    def in_influx(self):
        return sum(len(rows) for channel in HEADINGS for rows in self.influx.points(channel).values())

    def check_all(self, has_gaps=False, repeats=0):
        """Every row once, in both stores; the intervals as incidents; each told once.

        `has_gaps`: a connection was cut, so that something may have been judged ahead.
        """
        compare.check_history(self.collector, "freezer-1", self.rows)
        if self.influx:
            compare.check_influx(self.influx, "freezer-1", self.rows)
        compare.check_incidents(self.collector, RULE["id"], self.intervals)
        incidents = [one for one in self.collector.incidents() if one["rule"] == RULE["id"]]
        compare.check_messages(self.receiver, self.intervals, incidents if has_gaps else None, repeats)


def recorded(house):
    """The recorded freezer, with the intervals that were noted beside it."""
    path = house.shared("datasets/freezer_celsi/CELSI-raw-data-reports.csv")
    noted = []
    with open(house.shared("datasets/freezer_celsi/events_derived.csv"), encoding="utf-8") as file:
        for line in file.read().splitlines()[1:]:
            start, end = line.split(",")[:2]
            noted.append((series.from_iso(start), series.from_iso(end)))
    rows = series.read_csv(path, HEADINGS, "ISOdateTime", series.from_iso)
    house.equal(series.intervals_above(rows, "air_temperature", LEVEL), noted, "the noted intervals")
    return path


def generated(house, seed=1, rows=20186):
    path = os.path.join(house.folder, "generated.csv")
    series.write_csv(path, series.generate_freezer(seed, rows))
    return path
