-- SPDX-License-Identifier: Apache-2.0
-- history-YYYY-MM.db, version 1. Released steps are never edited: a change is a new file.

-- Chunks of a series do not overlap in time; data is laid out in docs/stores.md. low and
-- high are those of good readings, NULL when there is none.
CREATE TABLE chunk (
  id INTEGER PRIMARY KEY,
  series INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  readings INTEGER NOT NULL,
  arrived_ms INTEGER NOT NULL,
  low REAL,
  high REAL,
  data BLOB NOT NULL
) STRICT;

CREATE INDEX chunk_series ON chunk (series, first_ms, last_ms, readings);

-- The newest readings of each series, until they make a chunk. Everything from floor_ms
-- on is here; through is the last row of recent that this file has, for this series.
CREATE TABLE tail (
  series INTEGER PRIMARY KEY,
  through INTEGER NOT NULL,
  floor_ms INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  readings INTEGER NOT NULL,
  arrived_ms INTEGER NOT NULL,
  low REAL,
  high REAL,
  data BLOB NOT NULL
) STRICT;
