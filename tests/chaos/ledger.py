# SPDX-License-Identifier: Apache-2.0
"""usage: ledger.py SOCKET FILE

Writes down what agents tell of after they promised it: of each datagram, its length (4
bytes, big-endian) and its bytes. A process of its own, on a path without faults, that
shares no code with the programs it judges.
"""
import os
import socket
import sys


def main(path, file_path):
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    listener.bind(path)
    with open(file_path, "ab", buffering=0) as file:
        while True:
            told = listener.recv(4 << 20)
            file.write(len(told).to_bytes(4, "big") + told)


def read(file_path):
    """{(org/device, epoch, seq): bytes}; a pack that was told with two bodies is an error."""
    told = {}
    with open(file_path, "rb") as file:
        while size := file.read(4):
            datagram = file.read(int.from_bytes(size, "big"))
            head, _, body = datagram.partition(b"\n")
            device, epoch, seq = head.decode().split(" ")
            name = (device, epoch, int(seq))
            if told.setdefault(name, body) != body:
                raise AssertionError(f"the agent promised {name} twice, with two bodies")
    return told


if __name__ == "__main__":
    main(*sys.argv[1:])
