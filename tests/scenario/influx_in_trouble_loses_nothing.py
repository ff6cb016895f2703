# SPDX-License-Identifier: Apache-2.0
"""InfluxDB away, rejecting, slow: readings keep arriving, nothing is lost, it is visible."""
import threading

from house.freezer import Freezer, generated
from house.influx import FalseInflux

ROWS = 3000
SLOW_S = 8  # for each answer; the collector waits for 10


def with_false_influx(house, seed, behave):
    """A house that writes to a stand-in; all is stored and told meanwhile."""
    freezer = Freezer(house, generated(house, seed=seed, rows=ROWS), influx=False)
    stand_in = FalseInflux()
    stand_in.behave = behave
    freezer.collector.settings["influx"] = {"url": stand_in.url, "flush": "100ms", "batch_lines": 500}
    house.start(stand_in)
    freezer.start()
    freezer.wait_until_stored(60)
    freezer.wait_until_all_is_said(30)
    return freezer, stand_in


def values_of(lines, field):
    """How many values of the field the lines carry; a double counts twice."""
    return sum(f"{field}=" in line for line in lines)


def both_fields(stand_in):
    return min(values_of(stand_in.lines, "air_temperature"), values_of(stand_in.lines, "humidity"))


def sink(freezer):
    return next(one for one in freezer.collector.get("/sinks") if one["name"] == "influx")


def story_influx_away_then_back(house):
    freezer = Freezer(house, generated(house, seed=6, rows=ROWS))
    for part in (freezer.receiver, freezer.broker, freezer.collector, freezer.agent):
        house.start(part)
    freezer.wait_until_stored(60)
    house.wait_for(lambda: freezer.collector.metric("influx_errors_total") > 0, 30, "errors are counted")
    house.check(sink(freezer)["state"] != "ok", "the sink's state says that it is in trouble")
    house.start(freezer.influx)
    freezer.wait_until_all_is_said(90)
    freezer.check_all()
    house.wait_for(lambda: sink(freezer)["state"] == "ok", 30, "the sink's state says that it is well again")


def story_rejected_lines_are_set_aside(house):
    def is_bad(line):
        return "air_temperature=-19.5" in line
    freezer, stand_in = with_false_influx(house, 7, FalseInflux.reject_lines(is_bad))
    bad = sum(values["air_temperature"] == -19.5 for _, values in freezer.rows)
    house.check(bad > 0, "the series has values to reject")
    house.wait_for(lambda: values_of(stand_in.lines, "humidity") + bad >= ROWS, 90,
                   lambda: f"{values_of(stand_in.lines, 'humidity')} of {ROWS} lines were taken, {bad} are bad")
    house.wait_for(lambda: freezer.collector.metric("influx_rejected_total") == bad, 30,
                   lambda: f"{freezer.collector.metric('influx_rejected_total')} rejected, want {bad}")
    def in_quarantine():
        return [one for one in freezer.collector.quarantine()[1] if one["source"] == "influx"]
    house.wait_for(lambda: len(in_quarantine()) >= bad, 30,  # each is counted, and then written
                   lambda: f"{len(in_quarantine())} rejected lines in the quarantine, want {bad}")
    entries = in_quarantine()
    house.equal(len(entries), bad, "rejected lines in the quarantine")
    house.check(all("bad on purpose" in one["detail"] for one in entries), "with the server's reason")


def story_busy_server_is_given_time(house):
    refusals = []

    def behave(lines):
        if len(refusals) < 3:
            refusals.append(1)
            return FalseInflux.refuse([429, 503, 500][len(refusals) - 1], Retry_After=1)(lines)
        return FalseInflux.accept(lines)
    _, stand_in = with_false_influx(house, 8, behave)
    house.wait_for(lambda: both_fields(stand_in) >= ROWS, 90, "everything was written")
    house.equal(both_fields(stand_in), ROWS, "nothing was written twice")
    times = [moment for moment, _, _ in stand_in.requests]
    house.check(times[1] - times[0] >= 0.9 and times[2] - times[1] >= 0.9, "Retry-After is honoured")


def story_too_large_is_halved(house):
    def behave(lines):
        return FalseInflux.refuse(413)(lines) if len(lines) > 100 else FalseInflux.accept(lines)
    _, stand_in = with_false_influx(house, 9, behave)
    house.wait_for(lambda: both_fields(stand_in) >= ROWS, 90, "everything was written")
    house.equal(both_fields(stand_in), ROWS, "nothing was written twice")


def story_slow_server_holds_nobody_up(house):
    is_through = threading.Event()

    def behave(lines):
        is_through.wait(SLOW_S)
        return FalseInflux.accept(lines)
    freezer, stand_in = with_false_influx(house, 10, behave)
    house.check(both_fields(stand_in) < ROWS, "the store was through before InfluxDB was")
    is_through.set()
    house.wait_for(lambda: both_fields(stand_in) >= ROWS, 120, "everything was written")
    house.check(freezer.collector.is_ready(), "the collector is ready all along")
