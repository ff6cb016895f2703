# SPDX-License-Identifier: Apache-2.0
"""A backup is made while readings arrive, more arrive, the collector dies and is restored: the
agent is asked for what followed the backup, and in the end every row is there once."""
import json
import os
import subprocess

from house import compare
from house.freezer import RULE, Freezer, generated


def ctl(house, *words, status=0, **more):
    done = subprocess.run([house.program("coldchainctl"), *words], capture_output=True, text=True, timeout=120,
                          check=False, **more)
    if done.returncode != status:
        house.check(False, f"coldchainctl {' '.join(words)} gave {done.returncode}: {done.stderr}{done.stdout}")
    return done


def under_load(house, target):
    freezer = Freezer(house, generated(house, rows=8000), influx=False)
    freezer.agent.settings["pack"] = {"readings": 4}
    freezer.start()
    total, data = len(freezer.rows), freezer.collector.data
    token = os.path.join(data, "api.token")
    asked = ["--api", freezer.collector.url, "--token-file", token]

    house.wait_for(lambda: (freezer.stored() or 0) > 0.1 * total, 120, "a tenth is stored")
    ctl(house, "backup", target, *asked)
    in_backup = freezer.stored()
    house.check(in_backup < total, "the backup was made under load")
    house.check(not os.path.exists(os.path.join(data, "backup")), "what was staged is gone")
    ctl(house, "backup", "verify", target)
    house.check("there already" in ctl(house, "backup", target, *asked, status=1).stderr, "no backup is overwritten")

    house.wait_for(lambda: (freezer.stored() or 0) > in_backup + 0.2 * total, 120, "more is stored than the backup has")
    refused = ctl(house, "restore", target, data, "--force", status=1).stderr
    house.check("a collector is running over" in refused and "stop it first" in refused, refused)
    house.check(freezer.collector.is_ready(), "the running collector did not notice")
    before = freezer.stored()
    freezer.collector.kill()

    refused = ctl(house, "restore", target, data, status=1).stderr
    house.check("is not empty" in refused and "--force" in refused, refused)
    done = json.loads(ctl(house, "restore", target, data, "--force", "--json").stdout)
    house.check(os.path.isdir(done["former"]), "the former stores are kept")
    house.check(done["generation"] == 2, f"the generation is raised: {done['generation']}")
    freezer.collector.start()
    house.say(f"{in_backup} rows were stored at the backup, {before} when the collector died")
    freezer.wait_until_stored(180)
    compare.check_history(freezer.collector, "freezer-1", freezer.rows)
    # Nobody can know of messages that were sent after the backup: those may come again.
    house.wait_for(lambda: len([one for one in freezer.collector.incidents() if one["rule"] == RULE["id"]])
                   == len(freezer.intervals), 60, "every interval is an incident")
    compare.check_incidents(freezer.collector, RULE["id"], freezer.intervals)


def story_one_tar(house):
    under_load(house, os.path.join(house.folder, "backup.tar"))


def story_a_folder(house):
    under_load(house, os.path.join(house.folder, "backup"))


def story_torn_or_changed_backups_restore_nothing(house):
    freezer = Freezer(house, generated(house, rows=300), influx=False)
    freezer.start()
    freezer.wait_until_stored(60)
    whole = os.path.join(house.folder, "whole.tar")
    ctl(house, "backup", whole, "--api", freezer.collector.url, "--token-file",
        os.path.join(freezer.collector.data, "api.token"))
    with open(whole, "rb") as file:
        data = file.read()
    cases = {"torn": (data[:len(data) // 2], ("torn", "ends in the middle")),
             "changed": (data[:700] + bytes([data[700] ^ 1]) + data[701:], ("its hash differs",)),
             "without-end": (data[:512], ("ends in the middle", "torn")),
             "foreign": (b"this is no archive" * 100, ("no backup",))}
    for name, (text, words) in cases.items():
        path, to = (os.path.join(house.folder, f"{name}{end}") for end in (".tar", ".data"))
        with open(path, "wb") as file:
            file.write(text)
        for verb in (("backup", "verify", path), ("restore", path, to)):
            said = ctl(house, *verb, status=1).stderr
            house.check(any(word in said for word in words), f"{name}: {said}")
        house.check(not os.path.exists(to), f"{name}: nothing was restored")
    left = [name for name in os.listdir(house.folder) if ".restore-" in name or ".part-" in name]
    house.equal(left, [], "what an attempt left behind")
    empty = os.path.join(house.folder, "empty")
    os.mkdir(empty)
    ctl(house, "restore", whole, empty)
    house.check(os.path.exists(os.path.join(empty, "state.db")), "an empty folder is taken")
