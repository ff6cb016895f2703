# SPDX-License-Identifier: Apache-2.0
"""Runs named functions as tests, prints a line for each, and leaves the results as JSON."""
import json
import time
import traceback

from house.process import Failure


class Skipped(Exception):
    """Cannot be shown here; the text says why."""


def run_one(name, function):
    """{name, result, reason, seconds}"""
    begun = time.monotonic()
    result, reason = "passed", ""
    try:
        function()
    except Skipped as skipped:
        result, reason = "skipped", str(skipped)
    except Failure as failure:
        result, reason = "failed", str(failure)
    except Exception:  # a bug in the test is a failure of the test
        result, reason = "failed", traceback.format_exc(limit=-4)
    return {"name": name, "result": result, "reason": reason, "seconds": time.monotonic() - begun}


def run_all(tests, results_path=None):
    """tests: [(name, function)]. The exit status."""
    results = []
    for name, function in tests:
        print(f"  {name} ...", flush=True)
        result = run_one(name, function)
        results.append(result)
        word = {"passed": "ok", "failed": "FAILED", "skipped": "SKIP"}[result["result"]]
        print(f"  {word}: {name} ({result['seconds']:.1f} s)", flush=True)
        if result["reason"]:
            print("\n".join("    " + line for line in result["reason"].splitlines()), flush=True)
        if results_path:
            with open(results_path, "w", encoding="utf-8") as file:
                json.dump(results, file)
    failed = sum(result["result"] == "failed" for result in results)
    print(f"  {sum(r['result'] == 'passed' for r in results)} passed, {failed} failed, "
          f"{sum(r['result'] == 'skipped' for r in results)} skipped")
    return 1 if failed or not results else 0
