# SPDX-License-Identifier: Apache-2.0
"""The virtual clock that both daemons of a simulation share, and dates that are never over."""
import time


def day(days):
    """The date so many days from now, as a test that writes one down would in time be older than."""
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * 86400))


class VirtualClock:
    """Shows `origin_ms` now, and runs `rate` times as fast as real time."""

    def __init__(self, origin_ms, rate):
        self.origin_ms, self.rate = origin_ms, rate
        self.real_ms = self._boot_ms()

    def now_ms(self):
        return round(self.origin_ms + (self._boot_ms() - self.real_ms) * self.rate)

    def flags(self):
        """For the command line of a daemon."""
        return ["--simulated", "--clock-origin", str(self.origin_ms), "--clock-real", str(self.real_ms),
                "--clock-rate", repr(float(self.rate))]

    @staticmethod
    def _boot_ms():
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000000
