# SPDX-License-Identifier: Apache-2.0
"""The broker goes away while an agent samples, and comes back: nothing is missing."""
from house.freezer import Freezer, generated


def story_broker_away_in_the_middle(house):
    freezer = Freezer(house, generated(house, seed=2, rows=3000), rate="recorded", influx=False)
    freezer.agent.settings["pack"] = {"readings": 8}  # however late it starts, its rows take a while
    freezer.simulate(rate=3000 * 60 / 15)
    freezer.start()
    house.wait_for(lambda: (freezer.stored() or 0) > 300, 30, "some rows are stored")
    freezer.broker.stop()
    before = freezer.stored()
    house.wait_for(lambda: freezer.agent.log().count("lost") > 0, 30, "the agent says that the broker is gone")
    house.check(freezer.collector.is_running(), "the collector stays")
    house.check(freezer.stored() < 3000, "there is more to come")
    freezer.broker.start()
    freezer.wait_until_stored(60)
    freezer.wait_until_all_is_said(30)
    freezer.check_all(has_gaps=True)
    house.say(f"{before} rows were stored when the broker left")


def story_broker_comes_last(house):
    freezer = Freezer(house, generated(house, seed=3, rows=500), influx=False)
    for part in (freezer.receiver, freezer.collector, freezer.agent):
        house.keep(part)
    freezer.receiver.start()
    freezer.collector.start(ready=False)
    freezer.agent.start()
    house.wait_for(lambda: freezer.collector.log() and freezer.agent.log(), 30, "both have begun")
    house.start(freezer.broker)
    freezer.wait_until_stored(60)
    freezer.wait_until_all_is_said(30)
    freezer.check_all(has_gaps=True)
