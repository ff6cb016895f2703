-- SPDX-License-Identifier: Apache-2.0
-- state.db, version 2: what this release adds, each matter in a section of its own.

-- ---- incidents in other stores ----
-- How far a sink was told of incidents: the rowid of incident_event. Everything up to it
-- was accepted or refused for good.
CREATE TABLE sink_incident (
  sink TEXT PRIMARY KEY,
  cursor INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- ---- people, tokens, sessions, grants ---------------------------------------------------

-- Names, phones, contacts and passwords of people stand here and nowhere else; what the
-- journal and the audit name is the id, which says nothing about the person. Erased: they
-- are '' and erased_ms is set. Sites are joined by spaces, '' is all of the organisation.
CREATE TABLE person (
  id TEXT PRIMARY KEY,
  org TEXT NOT NULL,
  role TEXT NOT NULL,
  sites TEXT NOT NULL,
  login TEXT NOT NULL,
  name TEXT NOT NULL,
  phone TEXT NOT NULL,
  contact TEXT NOT NULL,
  password TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL,
  erased_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX person_login ON person (login) WHERE login <> '';

-- The first start's token is of the whole installation.
ALTER TABLE token ADD COLUMN id TEXT NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN org TEXT NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN sites TEXT NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN owner TEXT NOT NULL DEFAULT '';
UPDATE token SET id = iif(name = 'first-start', name, 't-' || substr(hash, 1, 16));
CREATE UNIQUE INDEX token_id ON token (id);

CREATE TABLE session (
  hash TEXT PRIMARY KEY,
  person TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  used_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_person ON session (person);

-- [from_ms, to_ms) of a zone for an organisation, a person or a token. to_ms 0: open.
CREATE TABLE access_grant (
  id TEXT PRIMARY KEY,
  holder_kind TEXT NOT NULL,
  holder TEXT NOT NULL,
  zone TEXT NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms INTEGER NOT NULL,
  cause TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX access_grant_holder ON access_grant (holder_kind, holder);

-- ---- places, devices, placements, rules; commands and their audit -----------------------

-- What people declare. The body is JSON, with the fields of the verb that puts it
-- (docs/commands.md); '' once it was deleted, so that versions go on when it comes back.
CREATE TABLE entity (
  kind TEXT,
  id TEXT,
  org TEXT NOT NULL,
  parent TEXT NOT NULL,
  version INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX entity_parent ON entity (kind, parent, id);

-- Each command once, applied or refused. `hash` covers the row and the hash before it.
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  position INTEGER NOT NULL,
  command TEXT NOT NULL UNIQUE,
  at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  verb TEXT NOT NULL,
  reason TEXT NOT NULL,
  body TEXT NOT NULL,
  outcome TEXT NOT NULL,
  detail TEXT NOT NULL,
  result TEXT NOT NULL,
  changes TEXT NOT NULL,
  hash BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX audit_position ON audit (position);

-- People's data on its way to where it belongs: never in the journal.
CREATE TABLE command_private (
  command TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  data BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Readings that were stored under another zone than they are known to belong to now.
CREATE TABLE correction (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  org TEXT NOT NULL,
  device TEXT NOT NULL,
  channel TEXT NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms INTEGER NOT NULL,
  old_zone TEXT NOT NULL,
  new_zone TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  command TEXT NOT NULL,
  state TEXT NOT NULL
) STRICT;

CREATE INDEX correction_pending ON correction (id) WHERE state = 'pending';

CREATE TABLE incident_comment (
  command TEXT PRIMARY KEY,
  incident TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX incident_comment_incident ON incident_comment (incident, at_ms);
