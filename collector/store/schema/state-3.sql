-- SPDX-License-Identifier: Apache-2.0
-- state.db, version 3: what this release adds, each matter in a section of its own.

-- ---- corrections ------------------------------------------------------------------------

-- When it turned out that the incident never was: the channel measured another zone then.
ALTER TABLE incident ADD COLUMN withdrawn_ms INTEGER NOT NULL DEFAULT 0;

-- Up to which correction a sink was written anew.
CREATE TABLE sink_correction (
  sink TEXT PRIMARY KEY,
  cursor INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- ---- people change by commands ----------------------------------------------------------

ALTER TABLE person ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
