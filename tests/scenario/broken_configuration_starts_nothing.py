# SPDX-License-Identifier: Apache-2.0
"""A mistake in a configuration: nothing starts; one message with file, line and remedy."""
import os
import re
import subprocess

COLLECTOR = """\
org: fengjie
data_dir: {folder}/data
mqtt:
  uri: mqtt://127.0.0.1:1
api:
  port: 0
sites:
  - id: store
    zones:
      - id: room-1
devices:
  - id: agent-1
    zone: room-1
rules:
  - id: warm
    zone: room-1
    kind: above
    levels:
      - level: 8
"""
AGENT = """\
org: fengjie
device: agent-1
mqtt:
  uri: mqtt://127.0.0.1:1
journal:
  dir: {folder}/journal
sensors:
  - name: room
    driver: sim
    channels:
      - name: air_temperature
"""

# what is replaced, by what; the line that must be named; what the message must say
COLLECTOR_ROWS = [
    ("unknown key", "  uri: ", "  urk: ", 4, "uri"),
    ("wrong type", "  port: 0", "  port: many", 6, "port"),
    ("out of range", "  port: 0", "  port: 70000", 6, "65535"),
    ("unknown zone", "    zone: room-1\nrules", "    zone: room-9\nrules", 13, "room-9"),
    ("bad identifier", "  - id: agent-1", "  - id: agent 1", 12, "agent 1"),
    ("unknown kind", "    kind: above", "    kind: abov", 17, "above"),
    ("contradiction", "      - level: 8", "      - level: 8\n        recovery: 9", None, "recovery"),
    ("no YAML", "mqtt:", "mqtt: [", None, ""),
    ("key twice", "org: fengjie", "org: fengjie\norg: wushan", 2, "org"),
]
AGENT_ROWS = [
    ("unknown key", "device:", "devize:", 2, "device"),
    ("no name for a device", "device: agent-1", "device: zones", 2, "zones"),
    ("unknown driver", "driver: sim", "driver: sym", 9, "sim"),
    ("no sensors", AGENT[AGENT.index("sensors"):], "", None, "sensors"),
]


def run(program, path, *flags):
    return subprocess.run([program, "--config", path, *flags], capture_output=True, text=True, timeout=30,
                          stdin=subprocess.DEVNULL)


def try_rows(house, program, good, rows):
    path = os.path.join(house.folder, "config.yaml")
    binary = house.program(program)
    with open(path, "w", encoding="utf-8") as file:
        file.write(good.format(folder=house.folder))
    result = run(binary, path, "--check")
    house.equal(result.returncode, 0, f"the good one passes --check ({result.stderr})")
    for name, old, new, line, hint in rows:
        house.check(old in good, f"[{name}] the text to replace is there")
        with open(path, "w", encoding="utf-8") as file:
            file.write(good.replace(old, new, 1).format(folder=house.folder))
        for flags in ((), ("--check",)):
            result = run(binary, path, *flags)
            house.check(result.returncode > 0, f"[{name}] {flags} was accepted")
            where = re.search(re.escape(path) + r":(\d+): ", result.stderr)
            house.check(where or line is None, f"[{name}] no file and line in: {result.stderr}")
            if line is not None:
                house.equal(int(where.group(1)), line, f"[{name}] the line ({result.stderr})")
            house.check(hint in result.stderr, f"[{name}] no {hint!r} in: {result.stderr}")
        left = sorted(set(os.listdir(house.folder)) - {"config.yaml"})
        house.equal(left, [], f"[{name}] what was started all the same")


def story_collector(house):
    try_rows(house, "coldchain-collector", COLLECTOR, COLLECTOR_ROWS)


def story_agent(house):
    try_rows(house, "coldchain-agent", AGENT, AGENT_ROWS)


def story_printed_configuration_is_accepted(house):
    for program, good in (("coldchain-collector", COLLECTOR), ("coldchain-agent", AGENT)):
        path = os.path.join(house.folder, program + ".yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(good.format(folder=house.folder))
        printed = run(house.program(program), path, "--print-config").stdout
        again = os.path.join(house.folder, program + "-printed.yaml")
        with open(again, "w", encoding="utf-8") as file:
            file.write(printed)
        house.equal(run(house.program(program), again, "--check").returncode, 0, f"{program} takes its own print")
        house.equal(run(house.program(program), again, "--print-config").stdout, printed, "and prints it again")
