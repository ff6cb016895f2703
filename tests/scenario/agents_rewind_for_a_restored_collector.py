# SPDX-License-Identifier: Apache-2.0
"""The collector is put back from an older copy while agents go on: they rewind, nothing is missing."""
import os
import shutil

from house import compare
from house.freezer import Freezer, generated


def story_restored_from_an_older_copy(house):
    freezer = Freezer(house, generated(house, seed=8, rows=6000), influx=False)
    freezer.agent.settings["pack"] = {"readings": 16}
    freezer.start()
    total = len(freezer.rows)
    copy = os.path.join(house.folder, "copy")
    for share in (0.2, 0.6):
        house.wait_for(lambda: (freezer.stored() or 0) >= share * total, 60, f"{share:.0%} of the rows are stored")
        freezer.collector.stop()
        if share == 0.2:
            shutil.copytree(freezer.collector.data, copy)
            freezer.collector.start()
    shutil.rmtree(freezer.collector.data)
    shutil.copytree(copy, freezer.collector.data)
    freezer.collector.start()
    house.say(f"{freezer.stored()} of {total} rows were in the copy")
    freezer.wait_until_stored(120)
    compare.check_history(freezer.collector, "freezer-1", freezer.rows)
