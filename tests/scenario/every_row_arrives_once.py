# SPDX-License-Identifier: Apache-2.0
"""Two weeks of a freezer, from a file to both stores: every row once, value and time
equal; exactly its excursions are incidents; the webhook is told of each once."""
from house.freezer import Freezer, generated, recorded


def replay(house, path):
    freezer = Freezer(house, path).start()
    freezer.wait_until_stored(120)
    freezer.wait_until_all_is_said(60)
    freezer.check_all()
    house.say(f"{len(freezer.rows)} rows of 2 channels, {len(freezer.intervals)} incidents")


def story_recorded_freezer(house):
    replay(house, recorded(house))


def story_generated_freezer(house):
    replay(house, generated(house))
