# SPDX-License-Identifier: Apache-2.0
"""The same with kill -9 of collector, agent and broker, each ten times at random while
between 2 % and 95 % of the rows are stored."""
import os
import random

from house.freezer import Freezer, generated, recorded

KILLS = 10


def plan(seed):
    """[(share of the rows stored, who)], the smallest share first."""
    chance = random.Random(seed)
    return sorted((chance.uniform(0.02, 0.87), who)
                  for who in ("collector", "agent", "broker") for _ in range(KILLS))


def at_least(freezer, rows):
    """How many are stored, once it is so many."""
    stored = freezer.stored() or 0
    return stored if stored >= rows else None


def replay_under_fire(house, path):
    seed = int(os.environ.get("COLDCHAIN_SEED", random.SystemRandom().randrange(1 << 32)))
    house.say(f"seed {seed}")
    freezer = Freezer(house, path)
    # Small packs, so that there is much to go wrong, and sampling waits for the uplink.
    freezer.agent.settings["pack"] = {"readings": 8}
    freezer.start()
    total, killed = len(freezer.rows), {"collector": [], "agent": [], "broker": []}
    for share, who in plan(seed):
        stored = house.wait_for(lambda: at_least(freezer, share * total), 120,
                                lambda: f"{freezer.stored()} rows stored, want {share:.1%} before the next kill")
        house.check(stored <= 0.95 * total, f"{who} should die at {share:.1%}, but {stored} rows are stored")
        part = getattr(freezer, who)
        part.kill()
        killed[who].append(f"{100 * stored / total:.0f}")
        part.start()
    for who, shares in killed.items():
        house.say(f"killed {who} at {', '.join(shares)} % of the rows")
    freezer.wait_until_stored(180)
    freezer.wait_until_all_is_said(60)
    freezer.check_all(has_gaps=True, repeats=KILLS)


def story_recorded_freezer(house):
    replay_under_fire(house, recorded(house))


def story_generated_freezer(house):
    replay_under_fire(house, generated(house))
