-- SPDX-License-Identifier: Apache-2.0
-- history.db, version 1. Released steps are never edited: a change is a new file.

-- cursor: journal position of the last commit. last_row: the last row that was given to
-- a message. taken_through: the last row that the table taken counts.
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta VALUES ('cursor', 0), ('last_row', 0), ('taken_through', 0);

CREATE TABLE device (
  id INTEGER PRIMARY KEY,
  org TEXT NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (org, name)
) STRICT;

CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  device INTEGER NOT NULL,
  channel TEXT NOT NULL,
  UNIQUE (device, channel)
) STRICT;

-- Which seqs of an epoch have been taken, as seqset_save() writes it.
CREATE TABLE taken (
  device INTEGER,
  epoch INTEGER,
  data BLOB NOT NULL,
  PRIMARY KEY (device, epoch)
) STRICT, WITHOUT ROWID;

-- One row per message, appended only; rows grow and are never used again.
CREATE TABLE recent (
  row INTEGER PRIMARY KEY,
  device INTEGER NOT NULL,
  position INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  arrival_ms INTEGER NOT NULL,
  data BLOB NOT NULL
) STRICT;

-- Readings of senders without seq, one by one: they are told apart by what they say.
-- bits and raw_bits are those of the doubles.
CREATE TABLE loose (
  series INTEGER,
  time_ms INTEGER,
  bits INTEGER,
  row INTEGER NOT NULL,
  arrival_ms INTEGER NOT NULL,
  quality INTEGER NOT NULL,
  raw_bits INTEGER NOT NULL,
  PRIMARY KEY (series, time_ms, bits)
) STRICT, WITHOUT ROWID;
