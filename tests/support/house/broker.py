# SPDX-License-Identifier: Apache-2.0
"""The real mosquitto: one loopback listener, nobody anonymous, everyone in their place."""
import os
import secrets
import subprocess

from house.process import Process, free_port, is_listening, wait_for

# Who may do what (docs/wire.md). mosquitto applies `user` rules to that user alone and
# `pattern` rules to everybody: %u is "{org}/{device}", so a device reaches its own only.
ACL = """\
user {collector}
topic read coldchain/v1/+/+/readings/#
topic read coldchain/v1/+/+/status
topic read coldchain/v1/+/+/hello
topic write coldchain/v1/+/+/ack
topic write coldchain/v1/+/+/command
topic write coldchain/v1/+/+/config
topic write coldchain/v1/+/zones/#

pattern write coldchain/v1/%u/readings/#
pattern write coldchain/v1/%u/status
pattern write coldchain/v1/%u/hello
pattern read coldchain/v1/%u/ack
pattern read coldchain/v1/%u/command
pattern read coldchain/v1/%u/config
"""

CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
persistence true
persistence_location {folder}/
autosave_interval 1
autosave_on_changes false
max_inflight_messages 100
max_queued_messages 100000
message_size_limit 1048576
log_type error
log_type warning
log_type notice
"""


class Broker(Process):
    """Knows the password of everyone it was told of by add()."""

    COLLECTOR = "collector"

    def __init__(self, folder, name="mosquitto"):
        self.home = os.path.join(folder, name)
        os.makedirs(self.home)
        os.chmod(self.home, 0o755)  # started as root, mosquitto becomes its own user
        self.port = free_port()
        self.passwords = {}
        super().__init__(name, ["/usr/sbin/mosquitto", "-c", f"{self.home}/mosquitto.conf"], self.home)
        self.add(self.COLLECTOR)
        self._write("acl", ACL.format(collector=self.COLLECTOR))
        user = f"user {self._own_user()}\n"
        self._write("mosquitto.conf", CONFIG.format(port=self.port, folder=self.home) + user)

    @property
    def uri(self):
        return f"mqtt://127.0.0.1:{self.port}"

    def add(self, username):
        """A new user with a password of its own, which is returned."""
        self.passwords[username] = secrets.token_hex(16)
        path = os.path.join(self.home, "passwords")
        subprocess.run(["/usr/bin/mosquitto_passwd", "-b", *([] if os.path.exists(path) else ["-c"]), path,
                        username, self.passwords[username]], check=True, capture_output=True)
        os.chmod(path, 0o600)
        return self.passwords[username]

    def start(self):
        super().start()
        wait_for(lambda: self.check_running() and is_listening(self.port), 10, f"{self.name} listens")
        return self

    @staticmethod
    def _own_user():
        """Whoever runs us; root, too: the folder is ours alone."""
        import pwd
        return pwd.getpwuid(os.geteuid()).pw_name

    def _write(self, name, text):
        path = os.path.join(self.home, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
