# SPDX-License-Identifier: Apache-2.0
"""Programs that are started, watched and ended by their own pid, and bounded waits."""
import os
import random
import signal
import socket
import subprocess
import time


class Failure(Exception):
    """What was to be shown did not hold."""


FIRST_PORT, LAST_PORT = 10000, 32767  # below those which the kernel gives to outgoing connections
_given = set()


def free_port():
    """A TCP port of the loopback interface that nobody listens on now. It stays the caller's while its server is
    down: never given twice in a process, and with COLDCHAIN_SLOT=I/N only what leaves I when divided by N."""
    slot, slots = (int(word) for word in os.environ.get("COLDCHAIN_SLOT", "0/1").split("/"))
    while True:
        port = random.randrange(FIRST_PORT // slots, LAST_PORT // slots) * slots + slot
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port


def is_listening(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition, timeout, what, step=0.05):
    """Returns the first true value of condition(); Failure after `timeout` seconds.

    `what` names the thing waited for; a callable is asked only when it is needed.
    """
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"not within {timeout} s: {what() if callable(what) else what}")
        time.sleep(step)


class Process:
    """One program with its log; start() may be called again after stop() or kill()."""

    def __init__(self, name, command, folder, env=None):
        self.name, self.command, self.folder, self.env = name, command, folder, env
        self.log_path = os.path.join(folder, f"{name}.log")
        self.child = None
        self.starts = 0

    def start(self):
        assert self.child is None, f"{self.name} runs already"
        self.starts += 1
        with open(self.log_path, "ab") as log:
            log.write(f"--- start {self.starts}: {' '.join(self.command)}\n".encode())
            log.flush()
            # A session of its own: Ctrl-C reaches us only, and we end it in our order.
            # Should we be killed, the kernel ends it for us.
            self.child = subprocess.Popen(
                ["/usr/bin/setpriv", "--pdeathsig", "TERM", *self.command], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env={**os.environ, **(self.env or {})})
        return self

    @property
    def pid(self):
        return self.child.pid

    def is_running(self):
        return self.child is not None and self.child.poll() is None

    def check_running(self):
        if not self.is_running():
            status = self.child.returncode if self.child else "never started"
            raise Failure(f"{self.name} ended by itself (status {status}):\n{self.log_tail()}")
        return True

    def wait(self, timeout):
        """The exit status, once it has ended by itself."""
        try:
            status = self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} still runs after {timeout} s") from None
        self.child = None
        return status

    def stop(self, timeout=40):
        """SIGTERM, then SIGKILL; the exit status, or None when it did not run."""
        if self.child is None:
            return None
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            status = self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            self.child = None
            raise Failure(f"{self.name} did not end within {timeout} s of SIGTERM") from None
        self.child = None
        return status

    def kill(self):
        """kill -9, and waits until it is gone."""
        if self.child is not None:
            self.child.kill()
            self.child.wait()
            self.child = None

    def freeze(self):
        self.child.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.child.send_signal(signal.SIGCONT)

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def log_tail(self, lines=30):
        return "\n".join(f"  {self.name}| {line}" for line in self.log().splitlines()[-lines:])
