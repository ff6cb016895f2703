# SPDX-License-Identifier: Apache-2.0
"""The collector is killed after a message was taken and before it knows: the repeat has the
same key and body, and a number that says what it is; openings and closings alike."""
import os
import sqlite3
import subprocess

from house.freezer import Freezer, generated


def outbox(house, freezer):
    """{key: [outcome of each attempt]}; "" where no result was ever written."""
    store = sqlite3.connect(f"file:{os.path.join(freezer.collector.data, 'state.db')}?mode=ro", uri=True)
    try:
        rows = store.execute("SELECT o.key, a.outcome FROM outbox o JOIN outbox_attempt a ON a.message = o.id"
                             " ORDER BY o.id, a.attempt").fetchall()
    finally:
        store.close()
    found = {}
    for key, outcome in rows:
        found.setdefault(key, []).append(outcome)
    return found


def story_killed_between_receipt_and_result(house):
    freezer = Freezer(house, generated(house, seed=6, rows=3000), influx=False)
    wanted, killed = ["opened"], []

    def kill_at_the_first(body):
        event = "opened" if b'"event":"opened"' in body else "closed"
        if wanted == [event]:
            wanted.clear()
            freezer.collector.kill()
            killed.append(event)

    freezer.receiver.after_taking = kill_at_the_first
    freezer.start()
    for event in ("opened", "closed"):
        house.wait_for(lambda: event in killed, 60, f"killed at the {event}")
        wanted.extend(["closed"] if event == "opened" else [])
        freezer.collector.start(ready=False)  # it may be killed again before it is
    freezer.wait_until_stored(60)
    freezer.wait_until_all_is_said(60)
    freezer.check_all(repeats=2)
    doubled = freezer.receiver.doubled()
    house.equal(len(doubled), 2, "messages that were taken twice, each with one body")
    house.equal([freezer.receiver.attempts[key] for key in doubled], [["1", "2"]] * 2, "their numbers")
    house.wait_for(lambda: all(row[-1] for row in outbox(house, freezer).values()), 30,
                   "every last attempt has its result")
    attempted = outbox(house, freezer)
    for key, outcomes in attempted.items():
        # Another one may have been written down when the kill came, and never sent.
        house.check(outcomes[-1] == "done" and not any(outcomes[:-1]), f"the attempts of {key}: {outcomes}")
        if key in doubled:
            house.equal(outcomes, ["", "done"], f"the attempts of {key}")
    freezer.collector.stop()
    lines = subprocess.run([house.program("coldchainctl"), "journal", "cat", os.path.join(freezer.collector.data, "journal")],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    attempts = sum(" attempt " in line for line in lines)
    house.equal(attempts, sum(map(len, attempted.values())), "ATTEMPT records in the journal")
    house.equal(sum(" result " in line for line in lines), len(freezer.receiver.messages), "RESULT records")
