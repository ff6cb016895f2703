# SPDX-License-Identifier: Apache-2.0
"""usage: grafana_test.py [--results FILE]

The dashboards as they are committed: generated again without a difference, well formed, and
every query, expanded as Grafana does, answered by a real InfluxDB. What is written there is
held against what the collector writes by the story dashboards_show_what_was_measured.
Grafana itself is in no Debian package: that it draws what it is answered is not shown here.
"""
import argparse
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

import results  # noqa: E402
from house import grafana  # noqa: E402
from house.influx import Influx  # noqa: E402
from house.process import Failure  # noqa: E402

FOLDER = os.path.join(ROOT, "dashboards", "grafana")
INFLUXD = "/usr/bin/influxd"
START_MS = 1790722800000
MINUTES = 180


def boards():
    return [grafana.load(path) for path in sorted(glob.glob(os.path.join(FOLDER, "dashboards", "*", "*.json")))]


def generator():
    sys.path.insert(0, FOLDER)
    import generate
    return generate


def test_generated_again_without_a_difference():
    done = subprocess.run([sys.executable, os.path.join(FOLDER, "generate.py"), "--check"], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(done.stdout + done.stderr + "\nrun /usr/bin/python3 dashboards/grafana/generate.py")
    wanted = set(generator().files())
    there = {os.path.relpath(path, FOLDER) for pattern in ("dashboards/*/*", "provisioning/*/*")
             for path in glob.glob(os.path.join(FOLDER, pattern))}
    if there != wanted:
        raise Failure(f"files that are not generated, or missing: {sorted(there ^ wanted)}")


def test_dashboards_are_well_formed():
    found = boards()
    if len(found) != 4:
        raise Failure(f"{len(found)} dashboards, want two in two languages")
    grafana.check_boards(found)


def test_a_broken_dashboard_is_told():
    """The checks can fail: each of these is broken in one way."""
    def overlap(board):
        board["panels"][1]["gridPos"] = dict(board["panels"][0]["gridPos"])

    def export(board):
        board["__inputs"] = []

    def undeclared(board):
        board["panels"][0]["targets"][0]["query"] += " AND ${room:regex}"

    def no_unit(board):
        board["panels"][0]["fieldConfig"]["defaults"].pop("unit")

    def two_ids(board):
        board["panels"][1]["id"] = board["panels"][0]["id"]

    def elsewhere(board):
        board["panels"][0]["targets"][0]["datasource"] = {"type": "influxdb", "uid": "${DS_INFLUXDB}"}

    def nowhere(board):
        board["panels"][0]["links"] = [{"url": "/d/coldchain-gone"}]

    def wide(board):
        board["panels"][0]["gridPos"]["w"] = 25

    def ungrouped(board):
        board["panels"][0]["targets"][0]["alias"] = "$tag_room"

    def silent(board):
        board["panels"][0]["description"] = ""
    for spoil in (overlap, export, undeclared, no_unit, two_ids, elsewhere, nowhere, wide, ungrouped, silent):
        found = boards()
        spoil(found[0])
        try:
            grafana.check_boards(found)
        except Failure:
            continue
        raise Failure(f"'{spoil.__name__}' is not noticed")


def test_both_languages_say_everything():
    words = generator().WORDS
    missing = [key for key, texts in words.items() if len(texts) != 2 or not all(texts)]
    untranslated = [key for key, (_, chinese) in words.items() if not any("\u4e00" <= one <= "\u9fff" for one in chinese)]
    if missing or untranslated:
        raise Failure(f"without a text: {missing}, not Chinese: {untranslated}")


def test_provisioning_and_dashboards_fit():
    """One fixed uid, no deprecated key; folders that exist."""
    with open(os.path.join(FOLDER, "provisioning", "datasources", "coldchain.yaml"), encoding="utf-8") as file:
        source = file.read()
    with open(os.path.join(FOLDER, "provisioning", "dashboards", "coldchain.yaml"), encoding="utf-8") as file:
        providers = file.read()
    for text in ("apiVersion: 1", "uid: coldchain-influxdb", "type: influxdb", "dbName: coldchain"):
        if text not in source:
            raise Failure(f"the data source does not say '{text}'")
    if "\n    database:" in source:
        raise Failure("'database' is deprecated: jsonData.dbName")
    for language in generator().LANGUAGES:
        if f"$COLDCHAIN_DASHBOARDS/{language}}}" not in providers:
            raise Failure(f"no provider for {language}")


# --- with a real InfluxDB ------------------------------------------------------------------


def seed_lines():
    """Three hours of three zones, as collector/store/influx_lines.c would write them."""
    for zone, site, device in (("room-1", "store", "cr-1"), ("room-2", "store", "cr-1"), ("van-1-box", "van-1", "van-1")):
        tags = f"device={device},org=fengjie,probe={zone[-1]},site={site},zone={zone}"
        for minute in range(MINUTES):
            ns, seq = (START_MS + 60000 * minute) * 1000000 + 1000 * minute, f"seq={minute + 1}i"
            yield (f"climate,{tags} air_temperature={2 + minute % 30 / 10},{seq} {ns}")
            for field, value in (("product_temperature", 3.5), ("set_point", 2.0), ("humidity", 80 + minute % 9),
                                 ("door", float(minute % 60 == 0)), ("defrost", float(minute % 90 < 20)),
                                 ("compressor", float(minute % 3 > 0))):
                late = ",late=true" if minute < 30 else ""
                yield f"climate,{tags} {field}={value},{seq}{late} {ns}"
            if minute % 45 == 7:
                yield f'climate,{tags} state="open",{seq} {ns + 1}'
        for number, (kind, state) in enumerate((("above", "closed"), ("above", "open"), ("silent", "open"))):
            ns = (START_MS + 1800000 * (number + 1)) * 1000000 + number
            end = f"{START_MS + 1800000 * (number + 1) + 600000}i" if state == "closed" else "0i"
            yield (f'incident,org=fengjie,rule={zone}-{kind},site={site},zone={zone} id="{zone}{number}",kind="{kind}",'
                   f'severity="critical",state="{state}",device="{device}",channel="air_temperature",'
                   f'quantity="air_temperature",text="too warm",text_zh="过热",value=9.5,worst=9.5,limit=8,'
                   f"revision=1i,end_ms={end},acknowledged=false {ns}")


def write(influx, lines):
    request = urllib.request.Request(f"{influx.url}/write?db={influx.DATABASE}&precision=n",
                                     "\n".join(lines).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        if answer.status != 204:
            raise Failure(f"influxd took nothing: {answer.status}")


def test_every_query_is_answered():
    if not os.path.exists(INFLUXD):
        raise results.Skipped("influxd is not installed (packaging/apt-packages.txt, group run)")
    folder = tempfile.mkdtemp(prefix="coldchain-grafana-")
    influx = Influx(folder)
    try:
        influx.start()
        write(influx, seed_lines())
        asked = sum(grafana.check_queries(influx, board, START_MS, START_MS + 60000 * MINUTES) for board in boards())
        print(f"    {asked} queries gave data")
    finally:
        influx.stop()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--results")
    options = parser.parse_args()
    tests = [(f"grafana: {name[5:].replace('_', ' ')}", function) for name, function in globals().items()
             if name.startswith("test_")]
    status = results.run_all(tests, options.results)
    return 77 if status == 0 and not os.path.exists(INFLUXD) else status  # as ctest skips


if __name__ == "__main__":
    sys.exit(main())
