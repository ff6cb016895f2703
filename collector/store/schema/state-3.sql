-- SPDX-License-Identifier: Apache-2.0
-- state.db, version 3.

-- ---- corrections ------------------------------------------------------------------------

-- When it turned out that the incident never was: the channel measured another zone then.
ALTER TABLE incident ADD COLUMN withdrawn_ms INTEGER NOT NULL DEFAULT 0;

-- Up to which correction a sink was written anew.
CREATE TABLE sink_correction (
  sink TEXT PRIMARY KEY,
  cursor INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
