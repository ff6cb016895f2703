# SPDX-License-Identifier: Apache-2.0
"""A watchdog outside hears the heartbeat while the way of an alarm works, and nothing once the
broker, the collector's database or the collector is gone; it goes on when they are back."""
import os
import sqlite3
import time

from house.broker import Broker
from house.collector import Collector
from house.webhook import Receiver

MISSED = 4  # beats, at one a second


class Watchdog(Receiver):
    """Takes beats, which nobody signs."""

    def __init__(self):
        super().__init__("")

    def problem(self, headers, body):
        return None if headers.get("Idempotency-Key", "").startswith("heartbeat-") else "no beat"

    def since_last(self):
        with self.lock:
            return time.monotonic() - self.deliveries[-1][1] if self.deliveries else 0

    def count(self):
        with self.lock:
            return len(self.deliveries)


def story_each_part_in_turn(house):
    broker = house.start(Broker(house.folder, house.program("coldchainctl")))
    watchdog = house.start(Watchdog())
    collector = house.start(Collector(house.folder, house.program("coldchain-collector"), broker,
                                      heartbeat={"url": watchdog.url, "every": "1s"}))

    def beats(what):
        before = watchdog.count()
        house.wait_for(lambda: watchdog.count() >= before + 3, 30, f"it beats {what}")

    def is_still(what):
        house.wait_for(lambda: watchdog.since_last() > MISSED, 60, f"no beat {what}")

    beats("from the start")
    broker.stop()
    is_still("without the broker")
    house.wait_for(lambda: "the heartbeat is withheld" in collector.log(), 20, "the log says so")
    broker.start()
    beats("with the broker")
    lock = sqlite3.connect(os.path.join(collector.data, "state.db"), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    is_still("while the database takes nothing")
    lock.execute("ROLLBACK")
    lock.close()
    if not house.wait_for(lambda: not collector.is_running() or watchdog.since_last() < 1, 60, "it ends or goes on"):
        raise AssertionError
    if not collector.is_running():  # the supervisor's part
        collector.child = None
        collector.start()
    beats("with the database")
    collector.freeze()
    is_still("while it hangs")
    collector.thaw()
    beats("awake")
    collector.kill()
    is_still("when it is dead")
    collector.start()
    beats("when it lives again")
    house.equal((watchdog.complaints, watchdog.unmarked()), ([], {}), "the watchdog's complaints")
    house.equal((collector.incidents(), collector.get("/devices")), ([], []), "it is nobody's incident or device")
