#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An independent model of freshness, compared with `coldchainctl freshness` over random histories.

Standard library only; shares no code with freshness/. It reads the profile files and the
equations of docs/freshness.md, nothing else. usage: freshness_model.py COLDCHAINCTL PROFILES [RUNS] [SEED]
"""
import json
import math
import os
import random
import subprocess
import sys
import tempfile

R = 8.314
HOUR = 3600000.0
STEPS = {"slow": (2.5, 2.0, 1.5, 1.0), "mid": (3.0, 2.5, 2.0, 1.5), "fast": (4.0, 2.5, 2.0, 1.5)}


def load_profiles(folder):
    raw = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            doc = json.load(file)
        raw[doc["id"]] = doc
    return {key: resolve(raw, key) for key in raw}


def resolve(raw, key):
    doc = raw[key]
    parent = resolve(raw, doc["inherits"]) if doc.get("inherits") else {"n": {}}
    numbers = dict(parent["n"])
    for name, entry in doc["numbers"].items():
        numbers[name] = entry["value"]
    return {"id": key, "n": numbers, "kinetics": doc.get("kinetics", parent.get("kinetics")),
            "chilling": doc.get("chilling", parent.get("chilling"))}


def number(profile, name):
    value = profile["n"].get(name)
    return math.nan if value is None else float(value)


def or_else(value, other):
    return other if math.isnan(value) else value


class Rate:
    """ln of the rate, for the steep, best and shallow curve."""

    def __init__(self, profile):
        self.kind, self.ref = profile["kinetics"], number(profile, "life.at")
        ea = number(profile, "kinetics.ea")
        self.ea = {"mid": ea, "slow": or_else(number(profile, "kinetics.ea.min"), ea),
                   "fast": or_else(number(profile, "kinetics.ea.max"), ea)}
        self.slope, self.tmin = number(profile, "kinetics.slope"), number(profile, "kinetics.tmin")

    def q10(self, which, t):
        """Integral of ln Q10 / 10 from 0 to t, by pieces."""
        if t < 0:
            return t / 10 * math.log(STEPS[which][0])
        total, at = 0.0, 0.0
        for step in STEPS[which]:
            part = min(t, at + 10) - at
            if part <= 0:
                break
            total += part / 10 * math.log(step)
            at += 10
        return total

    def ln(self, which, t):
        t = min(t, 40.0)
        if self.kind == "q10":
            return self.q10(which, t) - self.q10(which, self.ref)
        if self.kind == "arrhenius":
            return self.ea[which] * 1000 / R * (1 / (self.ref + 273.15) - 1 / (t + 273.15))
        if self.kind == "exponential":
            return self.slope * (t - self.ref)
        raise AssertionError(self.kind)

    def span(self, low, mid, high):
        best = self.ln("mid", mid)
        slow = min(self.ln("slow", low), self.ln("fast", low), best)
        fast = max(self.ln("slow", high), self.ln("fast", high), best)
        return math.exp(slow), math.exp(best), math.exp(fast)


def vapour(t):
    return 0.6112 * math.exp(17.62 * t / (243.12 + t))


class Body:
    """First-order lag with the worst time constant for each edge."""

    def __init__(self, taus):
        self.fast, self.tau, self.slow = taus
        self.at = None

    @staticmethod
    def move(t, air, hours, tau):
        if tau == 0:
            return air, air
        left = math.exp(-hours / tau)
        new = air + (t - air) * left
        mean = air + (t - air) * (1 - left) * tau / hours
        return new, mean

    def step(self, low, high, hours):
        a, b, c = self.at
        air = (low + high) / 2
        a, mean_a = self.move(a, low, hours, self.fast if low < a else self.slow)
        b, mean_b = self.move(b, air, hours, self.tau)
        c, mean_c = self.move(c, high, hours, self.fast if high > c else self.slow)
        self.at = [a, b, c]
        return mean_a, mean_b, mean_c


class Model:
    def __init__(self, profile, is_air, pulp, hold_ms):
        self.p, self.rate, self.hold = profile, Rate(profile), hold_ms
        tau = number(profile, "thermal.tau")
        taus = (min(tau, or_else(number(profile, "thermal.tau.min"), tau)), tau,
                max(tau, or_else(number(profile, "thermal.tau.max"), tau)))
        self.body = Body(taus if is_air else (0, 0, 0))
        self.is_air, self.pulp = is_air, pulp
        self.aged = [0.0, 0.0, 0.0]
        self.dose = [0.0, 0.0]
        self.deficit, self.graded, self.assumed, self.frozen = 0.0, 0, 0, 0
        self.totals = {"in": 0, "below": 0, "above": 0, "gap": 0}
        self.dm = {"below": 0.0, "above": 0.0}
        self.mkt = 0.0
        self.set_chilling()

    def set_chilling(self):
        p, kind = self.p, self.p["chilling"]
        name = {"threshold": "chilling.threshold", "band": "chilling.zone"}.get(kind, "none")
        self.cold_low, self.cold_high = number(p, name + ".min"), number(p, name + ".max")
        at = number(p, "chilling.injury.at")
        if kind == "threshold" and self.cold_high > at and not self.cold_low > at:
            self.cold_low = self.cold_high

    def enter(self, t):
        if self.pulp is not None:
            self.body.at = [self.pulp - 0.5, self.pulp, self.pulp + 0.5]
        elif self.is_air:
            freezing = or_else(number(self.p, "freezing_point"), 0.0)
            self.body.at = [min(t, freezing), t, max(t, 40.0)]
        else:
            self.body.at = [t, t, t]

    def step(self, low, high, rh, ms):
        hours = ms / HOUR
        a, b, c = self.body.step(low, high, hours)
        for i, rate in enumerate(self.rate.span(a, b, c)):
            self.aged[i] += rate * hours / 24
        if self.p["chilling"] == "threshold":
            self.dose[0] += max(0.0, self.cold_low - c) * hours
            self.dose[1] += max(0.0, self.cold_high - a) * hours
        elif self.p["chilling"] == "band":
            self.dose[0] += hours if a >= self.cold_low and c <= self.cold_high else 0
            self.dose[1] += hours if a <= self.cold_high and c >= self.cold_low else 0
        if b < number(self.p, "freezing_point"):
            self.frozen += ms
        if rh is not None:
            self.deficit += max(0.0, vapour(b) - rh / 100 * vapour((low + high) / 2)) * hours

    def band(self, t, ms):
        low, high = number(self.p, "temperature.min"), number(self.p, "temperature.max")
        side = "below" if t < low else "above" if t > high else "in"
        self.totals[side] += ms
        if side != "in":
            self.dm[side] += (t - high if side == "above" else low - t) * ms / 60000
        self.mkt += ms * math.exp(-10000 / (t + 273.15))

    def run(self, rows):
        rows = [row for row in rows if -60 <= row[1] <= 80]
        self.enter(rows[0][1])
        for (t0, c0, h0), (t1, c1, _) in zip(rows, rows[1:]):
            held = min(t1 - t0, self.hold)
            self.step(c0, c0, h0, held)
            self.band(c0, held)
            self.graded += held
            if t1 - t0 > held:
                self.step(min(c0, c1), max(c0, c1), None, t1 - t0 - held)
                self.assumed += t1 - t0 - held
                self.totals["gap"] += t1 - t0 - held
        return self

    def left(self):
        """(low, best, high) days at the reference temperature."""
        low, high = number(self.p, "life.min"), number(self.p, "life.max")
        accuracy = or_else(number(self.p, "kinetics.accuracy"), 1.0)
        ends = (low / accuracy, (low + high) / 2, high * accuracy)
        return [max(0.0, end - used) for end, used in zip(ends, reversed(self.aged))]


def draw_rows(rng):
    """Irregular spacing, gaps, drifts, spikes, a few impossible values."""
    rows, now = [], rng.randrange(1500000000, 1800000000) * 1000
    level, rh = rng.uniform(-6, 30), rng.choice([None, rng.uniform(50, 99)])
    for _ in range(rng.randrange(2, 400)):
        level += rng.gauss(0, 0.7)
        value = level + (rng.uniform(0, 25) if rng.random() < 0.02 else 0)
        value = max(-25.0, min(60.0, value))
        if rng.random() < 0.01 and rows:
            value = rng.choice([1000.0, -273.0, 85.0])
        rows.append((now, round(value, 2), None if rh is None else round(rh, 1)))
        now += rng.choice([1000, 60000, 60000, 300001, 600000, 86400000 if rng.random() < 0.05 else 900001])
    return rows


def ask(program, profile, rows, is_air, pulp, hold_min):
    with tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False) as file:
        file.write("when;celsius;rh\n")
        for when, celsius, rh in rows:
            file.write(f"{when};{celsius:.2f};{'' if rh is None else rh}\n")
    columns = "time=when@ms,temperature=celsius,humidity=rh"
    args = [program, "freshness", "--profile", profile, "--csv", file.name, "--columns", columns,
            "--hold", str(hold_min), "--mkt", "24", "--json"] + (["--air"] if is_air else [])
    args += [] if pulp is None else ["--pulp", str(pulp)]
    try:
        done = subprocess.run(args, capture_output=True, text=True, timeout=60, check=False)
    finally:
        os.unlink(file.name)
    assert done.returncode in (0, 1) and done.stdout, (args, done.stderr)
    return json.loads(done.stdout)


def close(name, got, want, context):
    good = got is not None and abs(got - want) <= 1e-9 * max(1.0, abs(want))
    assert good, f"{context}: {name}: program {got!r}, model {want!r}"


def compare(answer, model, context):
    load, out = answer["load"], answer["out_of_band"]
    for name, want in zip(("low", "mid", "high"), model.aged):
        close("aged " + name, load["aged_days"][name], want, context)
    for name, want in zip(("low", "high"), model.dose):
        close("dose " + name, load["chilling_dose"][name], want, context)
    for name, want in zip(("low", "mid", "high"), model.body.at):
        close("product " + name, load["product_c"][name], want, context)
    close("deficit", load["vapour_deficit_kpa_h"], model.deficit, context)
    close("degree-minutes above", out["degree_minutes_above"], model.dm["above"], context)
    close("degree-minutes below", out["degree_minutes_below"], model.dm["below"], context)
    coverage = answer["coverage_ms"]
    exact = {"graded": (load["graded_ms"], model.graded), "assumed": (load["assumed_ms"], model.assumed),
             "frozen": (load["frozen_ms"], model.frozen), "in band": (coverage["in band"], model.totals["in"]),
             "out": (coverage["out of band"], model.totals["below"] + model.totals["above"]),
             "ungraded": (coverage["ungraded"], model.totals["gap"]),
             "sum": (sum(coverage[k] for k in ("in band", "out of band", "ungraded", "off duty")), coverage["total"])}
    for name, (got, want) in exact.items():
        assert got == want, f"{context}: {name}: program {got}, model {want}"
    if answer["life"]["verdict"] == "stated":
        for name, want in zip(("low", "mid", "high"), model.left()):
            close("left " + name, answer["life"]["by"]["ageing"][name], want, context)
    else:
        assert model.frozen > 0, f"{context}: {answer['life']['says']}"
    if "mean_kinetic_temperature" in answer and model.graded:
        want = 10000 / -math.log(model.mkt / model.graded) - 273.15
        close("mkt", answer["mean_kinetic_temperature"]["celsius"], want, context)


def main():
    program, folder = sys.argv[1], sys.argv[2]
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 120
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 20261123
    profiles = load_profiles(folder)
    usable = sorted(k for k, p in profiles.items()
                    if p["kinetics"] in ("q10", "arrhenius") and not math.isnan(number(p, "life.min")))
    for run in range(runs):
        rng = random.Random(seed * 1000003 + run)
        key = usable[run % len(usable)]
        rows, is_air = draw_rows(rng), rng.random() < 0.5
        pulp = round(rng.uniform(0, 30), 1) if is_air and rng.random() < 0.5 else None
        hold_min = rng.choice([5, 15, 60])
        model = Model(profiles[key], is_air, pulp, hold_min * 60000).run(rows)
        compare(ask(program, key, rows, is_air, pulp, hold_min), model, f"seed {seed} run {run} {key}")
    print(f"{runs} histories over {len(usable)} profiles agree, seed {seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
