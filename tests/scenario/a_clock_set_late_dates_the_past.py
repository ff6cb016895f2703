# SPDX-License-Identifier: Apache-2.0
"""An agent wakes up in 1970 and is told the time later: its readings stand where they were, once."""
import time

from house.agent import Agent
from house.broker import Broker
from house.clock import VirtualClock
from house.collector import Collector

EVERY_MS = 100
UNSET_MS = 8000
SLACK_MS = 60  # the machine is shared: a reading may be taken a little after its point of the grid
SITES = [{"id": "van", "name": "Van 7", "zones": [{"id": "box"}]}]


def times_of(collector):
    return sorted(time_ms for time_ms, _, _ in collector.readings("van-1", "air_temperature"))


def run_van(house, agent_is_killed):
    broker = Broker(house.folder, house.program("coldchainctl"))
    collector = Collector(house.folder, house.program("coldchain-collector"), broker, sites=SITES,
                          delivery={"ack_interval": "100ms"}, devices=[{"id": "van-1", "zone": "box"}])
    sensor = {"name": "probe", "driver": "null", "interval": f"{EVERY_MS}ms", "channels": [{"name": "air_temperature"}]}
    agent = Agent(house.folder, house.program("coldchain-agent"), broker, "van-1", [sensor], pack={"readings": 5})
    clock = VirtualClock(int(time.time() * 1000), 1)
    agent.extra = clock.flags() + ["--clock-set", str(clock.real_ms + UNSET_MS)]
    begun_ms = clock.now_ms()
    for part in (broker, collector, agent):
        house.start(part)
    house.wait_for(lambda: agent.status().get("packs_acked", 0) >= 2, 20, "some packs of 1970 are acknowledged")
    house.equal(times_of(collector), [], "nobody knows yet when those were")
    if agent_is_killed:
        agent.kill()
        time.sleep(max(0.0, (clock.real_ms + UNSET_MS) / 1000 - time.clock_gettime(time.CLOCK_BOOTTIME)))
        agent.start()
    house.wait_for(lambda: times_of(collector), 20, "the clock is set, and the past is dated")
    taken = agent.status().get("readings_taken", 0)
    house.wait_for(lambda: agent.status()["readings_taken"] > taken + 10, 20, "it goes on")
    agent.stop()
    house.wait_for(lambda: len(times_of(collector)) >= taken, 20, "what was taken is in the history")
    times = times_of(collector)
    ended_ms = clock.now_ms()
    house.equal([at for at in times if not begun_ms <= at <= ended_ms], [], "no reading stands at another time")
    house.equal(len(times), len(set(times)), "none is there twice")
    return times, begun_ms + UNSET_MS


def story_clock_set_late(house):
    times, set_ms = run_van(house, agent_is_killed=False)
    house.equal(any(at < set_ms for at in times) and any(at > set_ms for at in times), True,
                "there are readings of before and after")
    steps = [b - a for a, b in zip(times, times[1:])]
    house.equal([step for step in steps if abs(step - EVERY_MS) > SLACK_MS], [], "the grid goes on without a break")


def story_clock_set_while_the_agent_was_down(house):
    times, set_ms = run_van(house, agent_is_killed=True)
    house.equal(any(at < set_ms for at in times) and any(at > set_ms for at in times), True,
                "there are readings of before and after")
