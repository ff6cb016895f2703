# SPDX-License-Identifier: Apache-2.0
"""The oracle: reads a collector's journal and packs by their documents alone
(docs/journal-format.md, docs/wire.md), and judges thresholds anew. Standard library."""
import json
import os
import re
import struct
import zlib

HEADER_AREA, FRAME_MAGIC, FRAME_HEAD = 4096, 0xC01DC4A1, 40
HEADER_MAGIC = b"CCJRNL1\n"
MESSAGE = 16
QUALITIES = {"open", "short", "range", "timeout", "checksum", "startup", "fault"}


def segment_parts(folder):
    """[(number, [(from, path)])]: of each segment its parts by where they take over."""
    found = {}
    for name in os.listdir(folder):
        match = re.fullmatch(r"segment-(\d{10})-(\d\d)\.log", name)
        if not match:
            continue
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            head = file.read(HEADER_AREA)
        for at in (0, 2048):
            if head[at:at + 8] == HEADER_MAGIC:
                start = struct.unpack_from("<I", head, at + 24)[0]
                found.setdefault(int(match[1]), []).append((int(match[2]), start, path))
                break
    return [(number, [(start, path) for _, start, path in sorted(parts)])
            for number, parts in sorted(found.items())]


def frames_of(path, start, end):
    """(type, body) of each frame of [start, end) of a file; stops where none begins."""
    with open(path, "rb") as file:
        data = file.read()
    at, end = max(start, HEADER_AREA), min(end, len(data))
    while at + FRAME_HEAD <= end:
        magic, kind, length = struct.unpack_from("<IB3xI", data, at)
        if magic != FRAME_MAGIC:
            rest = data.find(struct.pack("<I", FRAME_MAGIC), at)
            if rest < 0:
                return
            at = rest  # damage; what follows counts
            continue
        yield kind, data[at + FRAME_HEAD:at + FRAME_HEAD + length]
        at += (FRAME_HEAD + length + 7) & ~7


def records(folder):
    """(type, body) of every record of a journal, in order."""
    for _, parts in segment_parts(folder):
        for place, (start, path) in enumerate(parts):
            end = parts[place + 1][0] if place + 1 < len(parts) else 1 << 62
            yield from frames_of(path, start, end)


def packs_of_journal(folder):
    """{(org/device, epoch, seq): {payload, ...}}: what arrived, resent or not."""
    found = {}
    for kind, body in records(folder):
        if kind != MESSAGE:
            continue
        topic_size, type_size = struct.unpack_from("<HB", body, 1)
        levels = body[4:4 + topic_size].decode("utf-8", "replace").split("/")
        if len(levels) == 7 and levels[4] == "readings":
            name = (f"{levels[2]}/{levels[3]}", levels[5], int(levels[6]))
            found.setdefault(name, set()).add(body[4 + topic_size + type_size:])
    return found


def readings_of(payload):
    """{(channel, time_ms): value}; None stands for a reading without a value."""
    if payload[:1] == b"\x78":
        payload = zlib.decompress(payload)
    found, base = {}, {}
    for record in json.loads(payload):
        for key in ("bn", "bt", "bv", "cc-kind"):
            base[key] = record.get(key, base.get(key))
        if base["cc-kind"] in ("loss", "epoch-end", "clock-fix"):
            continue
        if not {"v", "vb", "vs"} & record.keys() or record.get("n") == "pack":
            continue  # "pack" is what a pack says of packs
        channel = (base["bn"] or "") + record.get("n", "")
        time_ms = round(((base["bt"] or 0) + record.get("t", 0)) * 1000)
        value = record.get("v", 1.0 if record.get("vb") else 0.0)
        if "v" in record and base["bv"] is not None:
            value += base["bv"]
        found[channel, time_ms] = None if record.get("vs") in QUALITIES else float(value)
    return found


def intervals_above(series, level):
    """[(start_ms, end_ms or None)] of [(time_ms, value)]: a level, inclusive, no delay."""
    found, start = [], None
    for time_ms, value in series:
        if start is None and value >= level:
            start = time_ms
        elif start is not None and value < level:
            found.append((start, time_ms))
            start = None
    return found + ([(start, None)] if start is not None else [])
