-- SPDX-License-Identifier: Apache-2.0
-- Readings of a clock that was not set wait here until it is known when they were.

-- By the boots of devices: wall time = boot time + offset.
CREATE TABLE clock_fix (
  device INTEGER,
  boot TEXT,
  offset_ms INTEGER NOT NULL,
  PRIMARY KEY (device, boot)
) STRICT, WITHOUT ROWID;

-- One row per message, as in recent, where its seq is taken; offset_ms is that of the
-- clock which dated it.
CREATE TABLE undated (
  device INTEGER,
  epoch INTEGER,
  seq INTEGER,
  boot TEXT NOT NULL,
  offset_ms INTEGER NOT NULL,
  position INTEGER NOT NULL,
  arrival_ms INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (device, epoch, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX undated_boot ON undated (device, boot);
