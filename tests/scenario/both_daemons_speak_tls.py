# SPDX-License-Identifier: Apache-2.0
"""A broker that speaks TLS only: readings arrive through it, strangers' certificates are not trusted,
and an agent whose twin with TLS is missing says so."""
import os
import shutil

from house.agent import Agent
from house.broker import Broker
from house.collector import Collector
from house.tls import make_certificates

SITES = [{"id": "store", "zones": [{"id": "room"}]}]
SENSORS = [{"name": "room", "driver": "sim", "interval": "200ms", "channels": [{"name": "air_temperature"}],
            "sim": {"zone": "room", "seed": 1}}]


class TlsBroker(Broker):
    @property
    def uri(self):
        return f"mqtts://localhost:{self.port}"


def tls_broker(house, certificates):
    return TlsBroker(house.folder, house.program("coldchainctl"), words=(
        "--cert-file", f"{certificates}/api.crt", "--key-file", f"{certificates}/api.key"))


def agent(house, broker, device, ca_file, program=None):
    made = Agent(house.folder, program or house.program("coldchain-agent"), broker, device, SENSORS)
    made.settings["mqtt"]["ca_file"] = ca_file
    return made


def story_readings_arrive_over_tls(house):
    certificates, others = os.path.join(house.folder, "tls"), os.path.join(house.folder, "others")
    make_certificates(certificates)
    make_certificates(others)
    broker = tls_broker(house, certificates)
    ours, deceived = (agent(house, broker, name, f"{where}/ca.crt")
                      for name, where in (("ours", certificates), ("deceived", others)))
    house.start(broker)
    collector = Collector(house.folder, house.program("coldchain-collector"), broker, sites=SITES,
                          devices=[{"id": "ours", "zone": "room"}], delivery={"ack_interval": "100ms"})
    collector.settings["mqtt"]["ca_file"] = f"{certificates}/ca.crt"
    house.start(collector)
    house.start(ours)
    house.start(deceived)
    house.wait_for(lambda: ours.status().get("packs_acked", 0) >= 1, 60, lambda: f"acknowledged: {ours.status()}")
    house.wait_for(lambda: collector.count("ours", "air_temperature") > 0, 20, "what is acknowledged is in history")
    house.equal(os.path.basename(os.readlink(f"/proc/{ours.pid}/exe")), "coldchain-agent-tls", "it became its twin")
    house.wait_for(lambda: "certificate" in deceived.log().lower(), 30, lambda: f"it says why: {deceived.log_tail()}")
    house.check(not deceived.status().get("is_connected"), "an agent does not trust a broker of another CA")
    house.equal(deceived.status().get("packs_acked", 0), 0, "and gives it nothing")


def story_twin_is_missing(house):
    alone = os.path.join(house.folder, "alone")
    shutil.copy(house.program("coldchain-agent"), alone)
    certificates = os.path.join(house.folder, "tls")
    make_certificates(certificates)
    broker = tls_broker(house, certificates)
    lonely = agent(house, broker, "lonely", f"{certificates}/ca.crt", program=alone)
    lonely.start()
    house.keep(lonely)
    status = lonely.wait(20)
    house.equal(status, 1, "it does not run without its twin")
    house.check("alone-tls" in lonely.log() and "install it beside" in lonely.log(),
                f"and says what is missing: {lonely.log_tail()}")
