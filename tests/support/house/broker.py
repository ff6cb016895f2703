# SPDX-License-Identifier: Apache-2.0
"""The real mosquitto, configured as `coldchainctl broker` says, on a port of its own."""
import os
import secrets
import subprocess

from house.process import Process, free_port, is_listening, wait_for


class Broker(Process):
    """Knows the password of everyone it was told of by add()."""

    COLLECTOR = "collector"

    def __init__(self, folder, coldchainctl, name="mosquitto", words=(), acl=None, change=None):
        """words: more options of `broker config`; acl: the rules instead of ours; change: {text: other text}."""
        self.home = os.path.join(folder, name)
        os.makedirs(self.home)
        os.chmod(self.home, 0o755)  # started as root, mosquitto becomes its own user
        self.port = free_port()
        self.passwords = {}
        super().__init__(name, ["/usr/sbin/mosquitto", "-c", f"{self.home}/mosquitto.conf"], self.home)
        self.add(self.COLLECTOR)
        said = [subprocess.run([coldchainctl, "broker", *words], check=True, capture_output=True, text=True).stdout
                for words in (["acl"], ["config", "--port", str(self.port), "--dir", self.home, *words])]
        for old, new in (change or {}).items():
            assert old in said[1], f"the configuration says nothing of {old}"
            said[1] = said[1].replace(old, new)
        self._write("acl", said[0] if acl is None else acl(said[0]))
        self._write("mosquitto.conf", said[1].replace("#persistence_location /var/lib/mosquitto", f"persistence_location {self.home}")
                    + f"user {self._own_user()}\nlog_type error\nlog_type warning\nlog_type notice\n")

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
        wait_for(lambda: self.check_running() and is_listening(self.port), 30, f"{self.name} listens")
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
