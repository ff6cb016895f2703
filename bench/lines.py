# SPDX-License-Identifier: Apache-2.0
"""From what the programs in C print to rows: which of it is a line of the budgets."""
from figures import row


def pack(said, _):
    if said["readings"] != 60:
        return []
    return [row("agent: on the wire per reading, packs of 60, deflated, with topic and MQTT",
                said["wire_bytes_per_reading"], "bytes", 15),
            row("packs of 60: inflate and parse", said["inflate_and_parse_ns_per_reading"], "ns/reading"),
            row("packs of 60: jansson alone, as text", said["jansson_ns_per_reading"], "ns/reading")]


def pipeline(said, quick):
    if "packs_of" in said:
        what = "packs of 60 deflated" if said["deflated"] else "packs of 60 as text"
        return [row(f"{what}: readings per CPU second, journal to rules", 1e9 / said["all_ns"], "readings/s",
                    at_least=500000),
                row(f"{what}: of this the journal's append and sync", said["append_ns"], "ns/reading")]
    devices, note = said["devices"], "quick: fewer devices" if quick else None
    whole = said["device_bytes"] + said["places_bytes"]
    return [row("reading in packs of 4 at 1,000 devices", said["few_ns"], "ns/reading"),
            row(f"reading in packs of 4 at {devices:,} devices", said["many_ns"], "ns/reading"),
            row(f"cost per reading at {devices:,} devices / at 1,000", said["ratio"], "ratio", 1.3, note=note),
            row("memory per device, 4 channels and 5 rules: delivery, last values, rules' state",
                said["device_bytes"], "bytes", 1024, note=note),
            row("memory per device: its share of places, placements and rules (10 devices a zone)",
                said["places_bytes"], "bytes"),
            row("memory of 1,000,000 devices with their places and rules", whole * 1e6 / 2**30, "GiB", 1,
                note=note)]


def alerts(said, _):
    devices = said["devices"]
    if said["bench"] == "alerts_measured":
        return [row(f"rules alone at {devices:,} devices, two of five with gauges", said["ns_per_reading"], "ns/reading", 400),
                row(f"rules alone at {devices:,} devices, state with gauges", said["bytes_per_device"], "bytes/device", 1024)]
    return [row(f"rules alone at {devices:,} devices, five of them", said["ns_per_reading"], "ns/reading", 400),
            row(f"rules alone at {devices:,} devices, state", said["bytes_per_device"], "bytes/device", 1024)]


def alert_quality(said, quick):
    what = f"{said['world']}, {said['rules']}"
    ours = said["rules"].startswith("ours")  # the others are what they are beside
    if "spliced" in said:
        return [row(f"{what}: false alarms in 14 days", said["false"], "alarms", 0 if ours else None),
                row(f"{what}: failures missed, of {said['spliced']} put in", said["missed"], "failures", 0 if ours else None),
                row(f"{what}: told after a failure put in, median", said["told_min_median"], "min")]
    note = "quick: one year" if quick else None
    return [row(f"{what}: false alarms per room-month", said["false_per_month"], "alarms", 1 if ours else None, note=note),
            row(f"{what}: failures missed, of {said['to_tell'] - said['not_visible']} that show", said["missed"],
                "failures", 0 if ours else None, note=note),
            row(f"{what}: dead compressor, told after the air left its envelope, median", said["dead_min_median"],
                "min", 15 if ours else None, note=note),
            row(f"{what}: warning before harm, median", said["warning_min_median"], "min", note=note),
            row(f"{what}: notifications per incident", said["notices_per_incident"], "messages", note=note)]


def freshness(said, _):
    kind = "simulated product" if said["simulates_product"] else "pulp probe"
    return [row(f"freshness: update of one load, {said['profile']}, {kind}", said["ns_per_update"], "ns",
                said["budget_ns"]),
            row(f"freshness: state of one load, {said['profile']}, {kind}", said["state_bytes"], "bytes",
                said["budget_bytes"])]


def store(said, _):
    is_budget = said["workload"].startswith("a month")
    return [row(f"history, {said['workload']}: on disk after compaction", said["month_bytes_per_reading"],
                "bytes/reading", 8 if is_budget else None),
            row(f"history, {said['workload']}: 30 days of a device out of it", said["month_query_ms"], "ms")]


OF = {"pack": pack, "pipeline": pipeline, "alerts": alerts, "alert_quality": alert_quality, "freshness": freshness, "store": store}


def rows_of(bench, said, quick):
    """A bench in Python prints rows already."""
    return OF[bench](said, quick) if bench in OF else [said]
