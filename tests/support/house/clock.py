# SPDX-License-Identifier: Apache-2.0
"""The virtual clock that both daemons of a simulation share."""
import time


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
