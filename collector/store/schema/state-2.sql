-- SPDX-License-Identifier: Apache-2.0
-- state.db, version 2: what this release adds, each matter in a section of its own.

-- ---- incidents in other stores ----
-- How far a sink was told of incidents: the rowid of incident_event. Everything up to it
-- was accepted or refused for good.
CREATE TABLE sink_incident (
  sink TEXT PRIMARY KEY,
  cursor INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
