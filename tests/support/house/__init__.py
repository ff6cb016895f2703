# SPDX-License-Identifier: Apache-2.0
"""The parts of a whole cold chain as Python objects: broker, daemons, stores, receivers.

Used by the scenarios and by the demonstration. Standard library only.
"""
