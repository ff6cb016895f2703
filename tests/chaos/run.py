# SPDX-License-Identifier: Apache-2.0
"""usage: /usr/bin/python3 tests/chaos/run.py [--results FILE]

The chaos that ./dev test makes: 60 kills of real processes and more, at least 100 incidents
through 50 crashes of the collector, every kind of fault. COLDCHAIN_SEED repeats a run.
"""
import os
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import chaos  # noqa: E402
import results  # noqa: E402

MINUTES, KILLS, CRASHES, INCIDENTS = 1.5, 60, 50, 100


def nothing_lost_nothing_doubled():
    seed = int(os.environ.get("COLDCHAIN_SEED", random.SystemRandom().randrange(1 << 31)))
    print(f"    seed {seed}", flush=True)
    found = chaos.run(seed, MINUTES, KILLS, CRASHES)
    if found["incidents"] < INCIDENTS:
        raise chaos.Failure(f"{found['incidents']} incidents, want {INCIDENTS}")


if __name__ == "__main__":
    path = sys.argv[2] if len(sys.argv) == 3 and sys.argv[1] == "--results" else None
    sys.exit(results.run_all([("chaos: nothing lost, nothing doubled", nothing_lost_nothing_doubled)], path))
