# SPDX-License-Identifier: Apache-2.0
"""Recorded and generated series, read without any code of the programs under test."""
import csv
import datetime
import random


def iso(time_ms):
    """2022-07-07T12:00:00.000Z"""
    moment = datetime.datetime.fromtimestamp(time_ms // 1000, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{time_ms % 1000:03d}Z"


def from_iso(text):
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round(moment.timestamp() * 1000)


def read_csv(path, columns, time_column, time_from):
    """[(time_ms, {channel: value})] of a CSV file; columns = {channel: heading}."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        return [(time_from(row[time_column]), {channel: float(row[name]) for channel, name in columns.items()})
                for row in csv.DictReader(file)]


def first_time(path, column):
    """Milliseconds of the first row: RFC 3339 (UTC without an offset), seconds or milliseconds."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        text = next(csv.DictReader(file))[column].strip()
    if text.replace(".", "", 1).isdigit():
        number = float(text)
        return round(number if number > 1e11 else number * 1000)
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round(moment.replace(tzinfo=moment.tzinfo or datetime.timezone.utc).timestamp() * 1000)


def intervals_above(rows, channel, level):
    """[(start_ms, end_ms)]: from the first sample >= level to the first one below again."""
    found, start = [], None
    for time_ms, values in rows:
        if start is None and values[channel] >= level:
            start = time_ms
        elif start is not None and values[channel] < level:
            found.append((start, time_ms))
            start = None
    return found + ([(start, None)] if start is not None else [])


SETTLE = 240  # rows at the end without an event, so that the last one is over


def generate_freezer(seed, rows, start_ms=1657195200000):
    """A freezer of the shape of recorded ones: a sawtooth near -19 C, a defrost every one
    to two days, doors left open; one decimal, one row a minute."""
    chance = random.Random(seed)
    air, humidity, cooling = -19.0, 50.0, True
    event_left, event_rate, next_event = 0, 0.0, chance.randrange(60, 200)
    series = []
    for row in range(rows):
        if event_left > 0:
            event_left -= 1
            air += event_rate * chance.uniform(0.7, 1.2)
        else:
            cooling = air > -20.5 if cooling else air > -17.5
            step = (-0.35 - 0.03 * max(0.0, air + 17)) if cooling else 0.22
            air += step + chance.uniform(-0.1, 0.1)
        if row == next_event and row < rows - SETTLE:
            is_door = chance.random() < 0.2
            event_left, event_rate = (3, 8.0) if is_door else (chance.randrange(20, 40), 0.75)
            next_event = row + chance.randrange(700, 2400)
        air = min(9.0, max(-25.0, air))
        humidity = min(60.0, max(40.0, humidity + chance.uniform(-0.5, 0.5)))
        series.append((start_ms + 60000 * row,
                       {"air_temperature": round(air, 1), "humidity": float(round(humidity))}))
    return series


def write_csv(path, series):
    """The columns of the recorded freezer, with its byte order mark and quoted column."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write("\ufeffDateTime,ISOdateTime,LinuxTime,Temperature,Humidity\n")
        for time_ms, values in series:
            text = iso(time_ms)
            file.write(f'"{text[:10]}, {text[11:19]}",{text},{time_ms // 1000},'
                       f'{values["air_temperature"]:.1f},{values["humidity"]:.0f}\n')
