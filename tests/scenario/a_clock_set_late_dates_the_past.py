# SPDX-License-Identifier: Apache-2.0
"""An agent wakes up in 1970 and is told the time later: its readings stand where they were, once."""
import collections
import time

from house.agent import Agent
from house.broker import Broker
from house.clock import VirtualClock
from house.collector import Collector

EVERY_MS = 100
UNSET_MS = 8000
SLACK_MS = 5  # between the two clocks
SITES = [{"id": "van", "name": "Van 7", "zones": [{"id": "box"}]}]


def times_of(collector):
    return sorted(time_ms for time_ms, _, _ in collector.readings("van-1", "air_temperature"))


def run_van(house, agent_is_killed):
    broker = Broker(house.folder, house.program("coldchainctl"))
    collector = Collector(house.folder, house.program("coldchain-collector"), broker, sites=SITES,
                          delivery={"ack_interval": "100ms"}, devices=[{"id": "van-1", "zone": "box"}])
    sensor = {"name": "probe", "driver": "null", "interval": f"{EVERY_MS}ms", "channels": [{"name": "air_temperature"}]}
    agent = Agent(house.folder, house.program("coldchain-agent"), broker, "van-1", [sensor], pack={"readings": 5})
    for part in (broker, collector):
        house.start(part)
    clock = VirtualClock(int(time.time() * 1000), 1)
    agent.extra = clock.flags() + ["--clock-set", str(clock.real_ms + UNSET_MS)]
    begun_ms = clock.now_ms()
    house.start(agent)
    house.wait_for(lambda: agent.status().get("packs_acked", 0) >= 2, 20, "some packs of 1970 are acknowledged")
    house.equal(times_of(collector), [], "nobody knows yet when those were")
    if agent_is_killed:
        agent.kill()
        time.sleep(max(0.0, (clock.real_ms + UNSET_MS) / 1000 - time.clock_gettime(time.CLOCK_BOOTTIME)))
        agent.start()
    house.wait_for(lambda: times_of(collector), 20, "the clock is set, and the past is dated")
    taken = agent.status().get("readings_taken", 0)
    house.wait_for(lambda: agent.status().get("readings_taken", 0) > taken + 10, 20, "it goes on")
    agent.stop()
    house.wait_for(lambda: len(times_of(collector)) >= taken, 20, "what was taken is in the history")
    times = times_of(collector)
    ended_ms = clock.now_ms()
    house.equal([at for at in times if not begun_ms <= at <= ended_ms], [], "no reading stands at another time")
    house.equal(len(times), len(set(times)), "none is there twice")
    return times, begun_ms + UNSET_MS, agent.status()["readings_expected"]


def grid_of(times):
    """Where the grid stands: on it are most of the readings; some were taken late."""
    return collections.Counter(at % EVERY_MS for at in times).most_common(1)[0][0]


def story_clock_set_late(house):
    times, set_ms, expected = run_van(house, agent_is_killed=False)
    house.equal(any(at < set_ms for at in times) and any(at > set_ms for at in times), True,
                "there are readings of before and after")
    apart = grid_of(at for at in times if at > set_ms) - grid_of(at for at in times if at < set_ms)
    house.check(min(apart % EVERY_MS, -apart % EVERY_MS) <= SLACK_MS, f"it is one grid: {times}")
    points = round((times[-1] - times[0]) / EVERY_MS) + 1
    house.check(points <= expected, f"it goes on without a break: {points} points of {expected}: {times}")


def story_clock_set_while_the_agent_was_down(house):
    times, set_ms, _ = run_van(house, agent_is_killed=True)
    house.equal(any(at < set_ms for at in times) and any(at > set_ms for at in times), True,
                "there are readings of before and after")
