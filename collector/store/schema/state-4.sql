-- SPDX-License-Identifier: Apache-2.0
-- state.db, version 4: what this release adds, each matter in a section of its own.

-- ---- causes, and what people do to incidents --------------------------------------------

-- The incident that leads what this one belongs to; its own id when it stands alone.
ALTER TABLE incident ADD COLUMN cause TEXT NOT NULL DEFAULT '';
-- Of a prediction: its worst is between these two minutes; both 0: it is none.
ALTER TABLE incident ADD COLUMN worst_low REAL NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN worst_high REAL NOT NULL DEFAULT 0;
-- Of life_left: whose life, what limits it, how many days it lasts, as JSON; ''.
ALTER TABLE incident ADD COLUMN life TEXT NOT NULL DEFAULT '';
-- How long until harm, as JSON (alerts/harm.h); "": nothing is said of it.
ALTER TABLE incident ADD COLUMN harm TEXT NOT NULL DEFAULT '';
-- Whether a message was made of it: what was not told needs no acknowledgement.
ALTER TABLE incident ADD COLUMN is_told INTEGER NOT NULL DEFAULT 1;
ALTER TABLE incident ADD COLUMN acknowledge_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE incident ADD COLUMN assigned_to TEXT NOT NULL DEFAULT '';
ALTER TABLE incident ADD COLUMN assigned_ms INTEGER NOT NULL DEFAULT 0;
-- Until then nobody is called because of it; 0: not snoozed.
ALTER TABLE incident ADD COLUMN snoozed_until_ms INTEGER NOT NULL DEFAULT 0;
-- When it comes back if it is still open then; 0: it does not. When it last did.
ALTER TABLE incident ADD COLUMN remind_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN reminded_ms INTEGER NOT NULL DEFAULT 0;
-- What the person said who closed it; '' when nobody did.
ALTER TABLE incident ADD COLUMN closed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE incident ADD COLUMN close_cause TEXT NOT NULL DEFAULT '';
ALTER TABLE incident ADD COLUMN close_action TEXT NOT NULL DEFAULT '';
ALTER TABLE incident ADD COLUMN close_disposition TEXT NOT NULL DEFAULT '';
ALTER TABLE incident ADD COLUMN close_note TEXT NOT NULL DEFAULT '';
UPDATE incident SET cause = id;

CREATE INDEX incident_cause ON incident (cause, state);
-- Of a site that falls silent all have one cause: who else is open, and who was told that
-- it is over, is asked for each of them.
CREATE INDEX incident_cause_open ON incident (cause, is_told DESC, opened_ms, id)
  WHERE state <> 'closed';
CREATE INDEX incident_cause_over ON incident (cause, severity)
  WHERE is_told = 1 AND state = 'closed';
CREATE INDEX incident_remind ON incident (remind_ms) WHERE remind_ms <> 0;

-- Of families that share causes (alerts/cause.h). told is the gravest that people were
-- told of it, '' nothing. ended_ms 0: a member is open.
CREATE TABLE cause (
  id TEXT PRIMARY KEY,
  family TEXT NOT NULL,
  zone TEXT NOT NULL,
  site TEXT NOT NULL,
  onset_ms INTEGER NOT NULL,
  grown_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL,
  reminded_ms INTEGER NOT NULL,
  told TEXT NOT NULL,
  is_wide INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX cause_zone ON cause (family, zone, onset_ms);
CREATE INDEX cause_site ON cause (family, site, onset_ms) WHERE site <> '';

-- What a person did: comment, acknowledge, assign, snooze, close.
ALTER TABLE incident_comment ADD COLUMN kind TEXT NOT NULL DEFAULT 'comment';

-- ---- escalation -------------------------------------------------------------------------

-- One message over one channel for one contact ('': the channel's own receivers), at one
-- step of one round; `times`, from 0, counts a step's repeats; `address`, from 0, the
-- contact's addresses over that channel.
CREATE TABLE outbox_4 (
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
  contact TEXT NOT NULL DEFAULT '',
  round INTEGER NOT NULL DEFAULT 0,
  step INTEGER NOT NULL DEFAULT 0,
  times INTEGER NOT NULL DEFAULT 0,
  address INTEGER NOT NULL DEFAULT 0,
  UNIQUE (incident, revision, channel, contact, address, round, step, times)
) STRICT;

INSERT INTO outbox_4 (id, incident, revision, channel, key, body, created_ms,
  next_attempt_ms, state, attempts, last_result)
  SELECT id, incident, revision, channel, key, body, created_ms, next_attempt_ms, state,
  attempts, last_result FROM outbox;
-- Numbers that were given are not given again.
DELETE FROM sqlite_sequence WHERE name = 'outbox_4';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'outbox_4', seq FROM sqlite_sequence WHERE name = 'outbox';
DROP TABLE outbox;
ALTER TABLE outbox_4 RENAME TO outbox;
CREATE INDEX outbox_due ON outbox (next_attempt_ms, id) WHERE state = 'pending';
CREATE INDEX outbox_state ON outbox (state);
CREATE INDEX outbox_channel ON outbox (channel, created_ms);

-- A cause that a policy is for; a round begins when it is told first, when it becomes
-- graver and when it was forgotten.
CREATE TABLE escalation (
  cause TEXT PRIMARY KEY,
  round INTEGER NOT NULL,
  round_ms INTEGER NOT NULL,
  next_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX escalation_next ON escalation (next_ms);

-- What results say of a channel. failing_ms: since when nothing came through, 0: it works.
-- incident: the open one about it, or ''.
CREATE TABLE channel_health (
  channel TEXT PRIMARY KEY,
  failures INTEGER NOT NULL,
  failing_ms INTEGER NOT NULL,
  incident TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The cause of its incident: messages of one cause do not overtake each other.
ALTER TABLE outbox ADD COLUMN cause TEXT NOT NULL DEFAULT '';
UPDATE outbox SET cause = incident;
CREATE INDEX outbox_cause ON outbox (cause, channel, id) WHERE state = 'pending';
CREATE INDEX outbox_told ON outbox (cause, id);

-- ---- what was kept back -----------------------------------------------------------------

-- What a rule kept back while one of its reasons held: one per rule, channel and stretch
-- of the reason. to_ms 0: it goes on, and ended is ''; else what ended it.
CREATE TABLE suppression (
  id TEXT PRIMARY KEY,
  rule TEXT NOT NULL,
  zone TEXT NOT NULL,
  device TEXT NOT NULL,
  channel TEXT NOT NULL,
  quantity TEXT NOT NULL,
  kind TEXT NOT NULL,
  severity TEXT NOT NULL,
  reason TEXT NOT NULL,
  ended TEXT NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms INTEGER NOT NULL,
  told_ms INTEGER NOT NULL,
  limit_value REAL,
  worst REAL
) STRICT, WITHOUT ROWID;

CREATE INDEX suppression_zone ON suppression (zone, from_ms, id);
