# SPDX-License-Identifier: Apache-2.0
"""A receiver that fails, asks for patience and hangs is told everything in the end, once."""
from house.freezer import Freezer, generated

TROUBLE = [500, (429, {"Retry-After": "1"}), "hang", (503, {"Retry-After": "1"}), 302]


def story_receiver_in_trouble(house):
    freezer = Freezer(house, generated(house, seed=4, rows=4000), influx=False)
    freezer.collector.settings["webhooks"][0]["timeout"] = "2s"  # what hangs is given up
    freezer.receiver.behave = lambda number: TROUBLE[number - 1] if number <= len(TROUBLE) else 200
    freezer.start()
    freezer.wait_until_stored(60)
    freezer.wait_until_all_is_said(120)
    freezer.check_all()
    house.check(freezer.receiver.requests > 2 * len(freezer.intervals), "there were failures to repeat")


def story_receiver_absent_at_first(house):
    freezer = Freezer(house, generated(house, seed=5, rows=4000), influx=False)
    for part in (freezer.broker, freezer.collector, freezer.agent):
        house.start(part)
    freezer.wait_until_stored(60)
    house.wait_for(lambda: freezer.collector.metric("notification_attempts_failed_total") > 0, 30,
                   "attempts have failed")
    house.start(freezer.receiver)
    freezer.wait_until_all_is_said(120)
    freezer.check_all()
