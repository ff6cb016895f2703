# SPDX-License-Identifier: Apache-2.0
"""What a story is given: a folder of its own, the parts of a house, and its end.

A story is a function story_*(house) in a file of this folder that is named for what it
proves. It starts parts with house.start(), waits on conditions with bounds, and fails by
house.check() or by any exception. Whatever it started is ended by pid, in reverse order.
"""
import os
import shutil
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

from house.process import Failure, Process, wait_for  # noqa: E402
from results import Skipped  # noqa: E402

SHARED = os.environ.get("COLDCHAIN_SHARED", os.path.join(ROOT, "..", "shared"))
PRESET = os.environ.get("COLDCHAIN_PRESET", "dev")
BIN = os.path.join(ROOT, "build", PRESET, "bin")


QUIET = {"influxd", "mosquitto"}  # say much, and rarely why


class House:
    """The parts that one story started, and where they live."""

    def __init__(self, story):
        self.story = story
        self.folder = tempfile.mkdtemp(prefix="coldchain-story-")
        self.parts = []
        self.notes = []

    def keep(self, part):
        """Remembers the part, so that it is ended whatever happens."""
        self.parts.append(part)
        return part

    def start(self, part):
        self.keep(part)
        part.start()
        return part

    def check(self, holds, what):
        if not holds:
            raise Failure(what)

    def equal(self, got, want, what):
        if got != want:
            raise Failure(f"{what}: got {short(got)}, want {short(want)}")

    def wait_for(self, condition, timeout, what):
        return wait_for(condition, timeout, what)

    def say(self, text):
        print(f"    {text}", flush=True)

    def skip(self, reason):
        raise Skipped(reason)

    def shared(self, name):
        """A file of the reference data, or the story is skipped."""
        path = os.path.join(SHARED, name)
        if not os.path.exists(path):
            raise Skipped(f"{path} is absent (set COLDCHAIN_SHARED)")
        return os.path.abspath(path)

    def program(self, name):
        path = os.path.join(BIN, name)
        if not os.path.exists(path):
            raise Failure(f"{path} is not built")
        return path

    def finish(self, failed):
        """Ends everything; after a failure prints the ends of all logs and keeps the folder."""
        problems = []
        for part in reversed(self.parts):
            try:
                part.stop()
            except Exception as problem:
                problems.append(str(problem))
        if failed or problems:
            for part in self.parts:
                if isinstance(part, Process) and part.log():
                    print(part.log_tail(25 if part.name not in QUIET else 4), flush=True)
            print(f"    kept: {self.folder}", flush=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        if problems and not failed:
            raise Failure("; ".join(problems))


def short(value, limit=400):
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + " ..."


def tell(name, story):
    """Runs one story in a house of its own."""
    house = House(name)
    try:
        story(house)
    except Skipped:
        house.finish(failed=False)
        raise
    except BaseException:
        house.finish(failed=True)
        raise
    house.finish(failed=False)
