-- SPDX-License-Identifier: Apache-2.0
-- state.db, version 1. Released steps are never edited: a change is a new file.
-- Times are milliseconds since the epoch, UTC. Integers that use all 64 bits (epochs,
-- seqs, hashes) are stored as two's complement. Enumerations are stored by name, so
-- that their order in C is free and people can read the file. NULL in a REAL means NaN.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value ANY
) STRICT, WITHOUT ROWID;

INSERT INTO meta VALUES
  ('store_id', lower(hex(randomblob(16)))),
  ('generation', 1),
  ('effect_position', 0),
  ('checkpoint_position', 0),
  ('journal_generation', 0);

CREATE TABLE sequence (
  name TEXT PRIMARY KEY,
  last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE evaluation (
  key TEXT PRIMARY KEY,
  position INTEGER NOT NULL,
  data BLOB NOT NULL
) STRICT;

CREATE TABLE token (
  hash TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  revoked_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sink (
  name TEXT PRIMARY KEY,
  cursor INTEGER NOT NULL,
  state TEXT NOT NULL,
  last_error TEXT NOT NULL,
  changed_ms INTEGER NOT NULL,
  accepted INTEGER NOT NULL,
  rejected INTEGER NOT NULL,
  retries INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE org (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE site (
  id TEXT PRIMARY KEY,
  org TEXT NOT NULL,
  name TEXT NOT NULL,
  tier TEXT NOT NULL,
  time_zone TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE zone (
  id TEXT PRIMARY KEY,
  org TEXT NOT NULL,
  site TEXT NOT NULL,
  name TEXT NOT NULL,
  is_archived INTEGER NOT NULL,
  is_on_duty INTEGER NOT NULL,
  duty_reason TEXT NOT NULL,
  band_low REAL,
  band_high REAL
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
  org TEXT,
  id TEXT,
  is_declared INTEGER NOT NULL,
  first_seen_ms INTEGER NOT NULL,
  last_seen_ms INTEGER NOT NULL,
  clock TEXT NOT NULL,
  version TEXT NOT NULL,
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE placement (
  org TEXT,
  device TEXT,
  channel TEXT,
  from_ms INTEGER,
  to_ms INTEGER NOT NULL,
  zone TEXT NOT NULL,
  who TEXT NOT NULL,
  PRIMARY KEY (org, device, channel, from_ms)
) STRICT, WITHOUT ROWID;

CREATE INDEX placement_zone ON placement (zone);
CREATE TABLE rule (
  id TEXT PRIMARY KEY,
  zone TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;

CREATE INDEX rule_zone ON rule (zone);
CREATE TABLE last (
  org TEXT,
  device TEXT,
  channel TEXT,
  value REAL,
  quality TEXT NOT NULL,
  time_ms INTEGER NOT NULL,
  arrival_ms INTEGER NOT NULL,
  PRIMARY KEY (org, device, channel)
) STRICT, WITHOUT ROWID;

CREATE TABLE dedup (
  org TEXT,
  device TEXT,
  epoch INTEGER,
  is_sealed INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (org, device, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE fork (
  position INTEGER PRIMARY KEY,
  org TEXT NOT NULL,
  device TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  held_hash INTEGER NOT NULL,
  other_hash INTEGER NOT NULL,
  arrived_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  position INTEGER NOT NULL,
  item INTEGER NOT NULL,
  org TEXT NOT NULL,
  device TEXT NOT NULL,
  topic TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  data BLOB NOT NULL,
  size INTEGER NOT NULL,
  arrived_ms INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX quarantine_key ON quarantine (position, source, item);
-- Counted here, so that metrics need not read the rows.
CREATE TABLE quarantine_count (
  reason TEXT PRIMARY KEY,
  count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE incident (
  id TEXT PRIMARY KEY,
  rule TEXT NOT NULL,
  zone TEXT NOT NULL,
  device TEXT NOT NULL,
  channel TEXT NOT NULL,
  quantity TEXT NOT NULL,
  kind TEXT NOT NULL,
  severity TEXT NOT NULL,
  state TEXT NOT NULL,
  is_acknowledged INTEGER NOT NULL,
  acknowledged_by TEXT NOT NULL,
  acknowledged_ms INTEGER NOT NULL,
  onset_ms INTEGER NOT NULL,
  opened_ms INTEGER NOT NULL,
  learned_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL,
  back_ms INTEGER NOT NULL,
  closed_ms INTEGER NOT NULL,
  limit_value REAL,
  value REAL,
  worst REAL,
  revision INTEGER NOT NULL,
  snapshot TEXT NOT NULL
) STRICT;

CREATE INDEX incident_opened ON incident (opened_ms, id);
CREATE INDEX incident_zone ON incident (zone, opened_ms, id);
-- Few are alive; many are past.
CREATE INDEX incident_alive ON incident (opened_ms, id) WHERE state <> 'closed';
CREATE TABLE incident_event (
  incident TEXT,
  revision INTEGER,
  kind TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (incident, revision)
) STRICT;

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  incident TEXT NOT NULL,
  revision INTEGER NOT NULL,
  channel TEXT NOT NULL,
  key TEXT NOT NULL,
  body TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  next_attempt_ms INTEGER NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  last_result TEXT NOT NULL,
  UNIQUE (incident, revision, channel)
) STRICT;

CREATE INDEX outbox_due ON outbox (next_attempt_ms, id) WHERE state = 'pending';
CREATE INDEX outbox_state ON outbox (state);
CREATE TABLE outbox_attempt (
  message INTEGER,
  attempt INTEGER,
  began_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  result TEXT NOT NULL,
  PRIMARY KEY (message, attempt)
) STRICT, WITHOUT ROWID;

