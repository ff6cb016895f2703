# SPDX-License-Identifier: Apache-2.0
"""The oracle: what was put in, compared with what the stores hold. Shares no code with
the programs; every difference is named with its first place."""
from house.process import Failure
from house.series import from_iso, iso


def first_difference(got, want):
    """A sentence about the first place where two lists of (time_ms, value) differ."""
    for place, (left, right) in enumerate(zip(got, want)):
        if left != right:
            return f"at {place}: got {iso(left[0])} {left[1]!r}, want {iso(right[0])} {right[1]!r}"
    if len(got) > len(want):
        return f"{len(got) - len(want)} too many, from {iso(got[len(want)][0])} {got[len(want)][1]!r}"
    return f"{len(want) - len(got)} missing, from {iso(want[len(got)][0])} {want[len(got)][1]!r}"


def check_series(got, want, what):
    """Every row present once, value and time equal, in the order of time."""
    if got != want:
        raise Failure(f"{what}: {len(got)} rows, want {len(want)}; {first_difference(got, want)}")


def columns_of(series):
    """{channel: [(time_ms, value)]} of [(time_ms, {channel: value})]."""
    return {channel: [(time_ms, values[channel]) for time_ms, values in series]
            for channel in series[0][1]}


def check_history(collector, device, series):
    for channel, want in columns_of(series).items():
        rows = collector.readings(device, channel)
        check_series([(time, value) for time, value, _ in rows], want, f"history of {channel}")
        bad = [row for row in rows if row[2] != "good"]
        if bad:
            raise Failure(f"history of {channel}: quality {bad[0][2]} at {iso(bad[0][0])}")
        rows = collector.readings_csv(device, channel)
        check_series([(time, float(value)) for time, value, _ in rows], want, f"CSV of {channel}")


def check_influx(influx, device, series):
    for channel, want in columns_of(series).items():
        found = {tags: rows for tags, rows in influx.points(channel).items() if tags[2] == device}
        if len(found) != 1:
            raise Failure(f"InfluxDB has {len(found)} series of {channel}: {sorted(found)}")
        check_series([(time, float(value)) for time, value in next(iter(found.values()))], want,
                     f"InfluxDB, {channel}")


def check_incidents(collector, rule, intervals):
    """Exactly these intervals [(start_ms, end_ms)] are incidents of the rule, all closed."""
    found = sorted((from_iso(one["opened"]), from_iso(one["closed"]) if one["closed"] else None)
                   for one in collector.incidents() if one["rule"] == rule)
    if found != sorted(intervals):
        def show(pairs):
            return [f"{iso(a)}/{iso(b) if b else 'open'}" for a, b in pairs]
        raise Failure(f"incidents: got {show(found)}, want {show(intervals)}")


def check_told_once(receiver, incidents):
    """Each of these incidents was told open once, unless it was over by then, and closed once, and no other was.

    What is told ahead of a gap carries the times known by then (decision 0004), so
    messages are matched by their incident.
    """
    wanted = sorted(one["id"] for one in incidents)
    told = sorted(message["incident"] for message in receiver.events("closed"))
    if told != wanted:
        raise Failure(f"closed was told of {told}, want {wanted}")
    check_openings(receiver, "incident", wanted)


def check_openings(receiver, name, wanted):
    """Each was told once, but for what was over when it was learned: that was told by its end alone."""
    over = [message[name] for message in receiver.events("closed") if message.get("is_over")]
    told = [message[name] for message in receiver.events("opened")]
    if sorted(told + over) != sorted(wanted):
        raise Failure(f"opened was told of {sorted(told)}, over when learned were {sorted(over)}, want {sorted(wanted)}")


def check_messages(receiver, intervals, incidents=None, repeats=0):
    """Each opening and each closing came exactly once, rightly signed; with its times,
    unless `incidents` are given to match by.

    Between a receipt and its record lies a moment in which a kill makes the sender ask
    again, under the same key and with the same body: at most `repeats` times.
    """
    if receiver.complaints:
        raise Failure(f"the receiver complains: {receiver.complaints[:3]}")
    if receiver.unmarked():
        raise Failure(f"repeats that do not say so: {receiver.unmarked()}")
    again = len(receiver.deliveries) - len(receiver.messages)
    if again > repeats:
        raise Failure(f"delivered again {again} times, at most {repeats} are due to kills")
    if incidents is not None:
        check_told_once(receiver, incidents)
        return
    closed = sorted(from_iso(message["closed"]) for message in receiver.events("closed"))
    check_openings(receiver, "opened", [iso(start) for start, _ in intervals])
    if closed != sorted(end for _, end in intervals):
        raise Failure(f"closings told: {[iso(t) for t in closed]}, want {len(intervals)}")
