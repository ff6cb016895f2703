# SPDX-License-Identifier: Apache-2.0
"""Tests of the scripts that judge the rest: floors, counting, receivers, series."""
import hashlib
import hmac
import http.client
import os
import sys
import tempfile
import time
import urllib.parse

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
for folder in ("tests", "tests/support", "tests/lint", "tests/mutants"):
    sys.path.insert(0, os.path.join(ROOT, folder))

import all as all_tests  # noqa: E402
import floors  # noqa: E402
import lint  # noqa: E402
import results  # noqa: E402
import run as mutants  # noqa: E402
from house import series  # noqa: E402
from house.process import Failure, Process, wait_for  # noqa: E402
from house.webhook import Receiver  # noqa: E402


def same(got, want, what):
    if got != want:
        raise Failure(f"{what}: got {got!r}, want {want!r}")


def test_floors_tell_each_broken_rule():
    rows = [
        ("down is fine", "collector/x.c", '#include "base/err.h"\n', None),
        ("up", "base/x.c", '#include "net/mqtt.h"\n', "climbs a floor"),
        ("across", "journal/x.c", '#include "net/mqtt.h"\n', "goes across"),
        ("freshness may include telemetry", "freshness/x.c", '#include "telemetry/reading.h"\n', None),
        ("not the other way", "telemetry/x.c", '#include "freshness/mkt.h"\n', "goes across"),
        ("daemons", "collector/x.c", '#include "edge-agent/agent.h"\n', "goes across"),
        ("door", "net/x.c", "#include <MQTTAsync.h>\n", None),
        ("beside the door", "collector/x.c", "#include <MQTTAsync.h>\n", "has its door in net/"),
        ("a door below", "collector/store/x.c", "#include <sqlite3.h>\n", None),
        ("unknown library", "net/x.c", "#include <modbus.h>\n", "has no door"),
        ("jansson is everywhere", "alerts/x.c", "#include <jansson.h>\n", None),
        ("pure header", "alerts/x.c", "#include <pthread.h>\n", "is pure"),
        ("pure clock", "alerts/x.c", '#include "base/clock.h"\n', "is pure"),
        ("pure call", "alerts/x.c", "static void f(void)\n{\n    time(NULL);\n}\n", "may not call time()"),
        ("pure log", "alerts/x.c", "static void f(void)\n{\n    log_info(1);\n}\n", "may not call log_info()"),
        ("a member is no call", "alerts/x.c", "static void f(void)\n{\n    x->time(1);\n}\n", None),
        ("a comment is no call", "alerts/x.c", "/* time(NULL) */\n", None),
        ("dots", "net/x.c", '#include "../base/err.h"\n', "from the root"),
        ("not from the root", "net/x.c", '#include "mqtt.h"\n', "from the root"),
    ]
    for name, path, text, want in rows:
        found = [what for _, what in floors.check_file(path, text)]
        same(len(found), 0 if want is None else 1, f"[{name}] {found}")
        if want is not None and want not in found[0]:
            raise Failure(f"[{name}] {found[0]}")


def test_text_rules_tell_each_broken_rule():
    spdx = "// SPDX-License-Identifier: Apache-2.0\n"
    rows = [
        ("fine", "base/x.c", spdx + "int x;\n", None),
        ("no licence", "base/x.c", "int x;\n", "no SPDX line"),
        ("banned", "base/x.c", spdx + "void f(void)\n{\n    strcpy(a, b);\n}\n", "strcpy() is not used"),
        ("snprintf is not sprintf", "base/x.c", spdx + "void f(void)\n{\n    snprintf(a, 1, b);\n}\n", None),
        ("tabs", "base/x.c", spdx + "\tint x;\n", "has tabs"),
        ("dead link", "docs/x.md", "[a](nowhere.md)\n", "there is no nowhere.md"),
        ("link to elsewhere", "docs/x.md", "[a](https://example.org/)\n", None),
    ]
    for name, path, text, want in rows:
        found = list(lint.text_findings(path, text))
        same(len(found), 0 if want is None else 1, f"[{name}] {found}")
        if want is not None and want not in found[0]:
            raise Failure(f"[{name}] {found[0]}")


def test_junit_is_counted_as_ctest_means_it():
    text = """<testsuite><testcase name="a" status="run"/>
<testcase name="b" status="fail"><failure message="x"/></testcase>
<testcase name="c" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>
<system-out>SKIP: no data</system-out></testcase>
<testcase name="d" status="notrun"/></testsuite>"""
    totals = all_tests.Totals()
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(text)
        file.flush()
        all_tests.read_junit(file.name, "dev", totals)
    same(totals.line(), "1 passed, 2 failed, 1 skipped", "counted")
    same(totals.skips, [("dev c", "SKIP: no data")], "the skip has its reason")
    same(totals.failed, ["dev b", "dev d"], "what did not run has failed")


def test_a_test_that_raises_has_failed():
    def skips():
        raise results.Skipped("no reason")

    def breaks():
        raise ValueError("a bug")
    same(results.run_one("x", lambda: None)["result"], "passed", "nothing happened")
    same(results.run_one("x", skips)["result"], "skipped", "skipped")
    same(results.run_one("x", breaks)["result"], "failed", "raised")


def test_a_process_is_ended_and_tells_when_it_dies():
    with tempfile.TemporaryDirectory() as folder:
        sleeper = Process("sleeper", ["/bin/sleep", "60"], folder).start()
        same(sleeper.is_running(), True, "runs")
        same(sleeper.stop(), -15, "ended by SIGTERM")
        sleeper.start().kill()
        same(sleeper.is_running(), False, "killed")
        short = Process("short", ["/bin/sh", "-c", "echo why >&2; exit 3"], folder).start()
        try:
            wait_for(short.check_running and (lambda: not short.check_running()), 5, "it ends")
        except Failure as failure:
            same("status 3" in str(failure) and "why" in str(failure), True, "says how it ended")
        same(short.wait(5), 3, "its status")


def post(receiver, body, headers):
    url = urllib.parse.urlparse(receiver.url)
    client = http.client.HTTPConnection(url.hostname, url.port, timeout=5)
    client.request("POST", url.path, body, headers)
    status = client.getresponse().status
    client.close()
    return status


def signed(key, body, seconds=0):
    stamp = str(int(time.time()) + seconds)
    mac = hmac.new(b"secret", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"Idempotency-Key": key, "X-Coldchain-Timestamp": stamp, "X-Coldchain-Signature": f"sha256={mac}"}


def test_a_seeded_bug_is_caught_by_its_own_assertion_only():
    cunit = "  Test: one ...passed\n  Test: two ...talks\nFAILED\n    1. x.c:1  - a == b\n  Test: three ...passed\n"
    rows = [
        ("a unit test", cunit, "two", True),
        ("another one", cunit, "three", False),
        ("a longer name", "  Test: two of them ...FAILED\n", "two", False),
        ("a life", "lives: seed 7 broke nothing-is-lost: 3 records\n", "nothing-is-lost", True),
        ("another promise", "lives: seed 7 broke nothing-is-lost: 3 records\n", "nothing-is", False),
        ("a story", "  FAILED: freezer: told once (3.1 s)\n", "freezer: told once", True),
        ("a crash names nothing", "Aborted (core dumped)\n", "two", False),
    ]
    for name, output, assertion, want in rows:
        same(mutants.assertion_failed(output, assertion), want, f"[{name}]")


def test_the_receiver_is_strict():
    receiver = Receiver("secret").start()
    body = b'{"event":"opened"}'
    rows = [
        ("a good one", body, signed("k1", body), 1, 0),
        ("a double", body, signed("k1", body), 1, 0),
        ("another body under the same key", b"{}", signed("k1", b"{}"), 1, 1),
        ("a false signature", body + b" ", signed("k2", body), 1, 2),
        ("an old time", body, signed("k3", body, -1000), 1, 3),
        ("no key", body, {**signed("", body)}, 1, 4),
        ("no JSON", b"{", signed("k4", b"{"), 1, 5),
    ]
    try:
        for name, data, headers, messages, complaints in rows:
            same(post(receiver, data, headers), 200, f"[{name}] status")
            same((len(receiver.messages), len(receiver.complaints)), (messages, complaints), f"[{name}]")
        same(receiver.doubled(), ["k1"], "a double is seen")
        receiver.behave = lambda number: (429, {"Retry-After": "1"})
        same(post(receiver, body, signed("k5", body)), 429, "refuses when told")
        same(len(receiver.messages), 1, "and does not take the message")
    finally:
        receiver.stop()


def test_series_are_read_back_as_written_and_cut_into_intervals():
    made = series.generate_freezer(1, 3000)
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        series.write_csv(file.name, made)
        columns = {"air_temperature": "Temperature", "humidity": "Humidity"}
        same(series.read_csv(file.name, columns, "ISOdateTime", series.from_iso), made, "the series")
    rows = [(t, {"x": v}) for t, v in enumerate([-10.0, -9.9, 0.0, -9.9, -10.0, -9.8])]
    same(series.intervals_above(rows, "x", -9.9), [(1, 4), (5, None)], "inclusive, open at the end")
    for seed in range(20):
        found = series.intervals_above(series.generate_freezer(seed, 5000), "air_temperature", -9.9)
        same(len(found) >= 2 and found[-1][1] is not None, True, f"excursions of seed {seed}, all over")


if __name__ == "__main__":
    tests = [(name[5:].replace("_", " "), function)
             for name, function in list(globals().items()) if name.startswith("test_")]
    path = sys.argv[2] if len(sys.argv) == 3 and sys.argv[1] == "--results" else None
    sys.exit(results.run_all(tests, path))
