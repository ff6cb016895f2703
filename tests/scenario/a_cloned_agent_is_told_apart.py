# SPDX-License-Identifier: Apache-2.0
"""An agent's folder is copied and both copies go on: both are told apart, every reading is there once."""
import os
import shutil

from house import compare, series
from house.agent import Agent, replay_sensor
from house.freezer import COLUMNS, HEADINGS, Freezer

PART = 600


def write_parts(house):
    """Three stretches of one series: before the copy, and of each copy after it."""
    rows = series.generate_freezer(9, 3 * PART)
    paths = []
    for number in range(3):
        paths.append(os.path.join(house.folder, f"part-{number}.csv"))
        series.write_csv(paths[-1], rows[number * PART:(number + 1) * PART])
    return paths


def story_cloned_folder(house):
    paths = write_parts(house)
    freezer = Freezer(house, paths[0], influx=False)
    freezer.agent.settings["pack"] = {"readings": 16}
    clone = Agent(os.path.join(house.folder, "clone"), house.program("coldchain-agent"), freezer.broker, "freezer-1",
                  [replay_sensor(paths[2], COLUMNS, HEADINGS, name="third")], pack={"readings": 16})
    freezer.agent.settings["mqtt"] = clone.settings["mqtt"]  # the password that was given last
    freezer.start()
    freezer.wait_until_stored(60)
    freezer.agent.stop()
    shutil.copytree(freezer.agent.settings["journal"]["dir"], clone.settings["journal"]["dir"])
    freezer.agent.settings["sensors"] = [replay_sensor(paths[1], COLUMNS, HEADINGS, name="second")]
    for agent, path in ((freezer.agent, paths[1]), (clone, paths[2])):
        freezer.rows += series.read_csv(path, HEADINGS, "ISOdateTime", series.from_iso)
        house.keep(agent)
        freezer.broker.stop()  # what is recorded now is what the other copy has no notion of
        agent.start()
        house.wait_for(lambda: "all sensors have ended" in agent.log().split("--- start")[-1], 60, "all is recorded")
        freezer.broker.start()
        house.wait_for(lambda: (freezer.stored() or 0) >= len(freezer.rows), 90,
                       lambda: f"{freezer.stored()} of {len(freezer.rows)} rows are in the history")
        agent.stop()
    house.check("another device goes by" in clone.log(), "the copy knows that it is one")
    house.check("another device goes by" not in freezer.agent.log(), "the first was never in doubt")
    house.check("two devices go by one name" in freezer.collector.log(), "the collector tells of it")
    forks = [one["state"] for one in freezer.collector.incidents() if one["kind"] == "fork"]
    house.equal(forks, ["open"], "the incident of it")
    house.wait_for(lambda: [one["kind"] for one in freezer.receiver.events("opened")].count("fork") == 1, 20,
                   "it is told, once")
    compare.check_history(freezer.collector, "freezer-1", freezer.rows)
