-- The event log is the truth; sessions and annotations are folds over it, kept in the same transaction.

-- "Espl": how the file is told from other SQLite databases.
PRAGMA application_id = 1165193324;

CREATE TABLE sessions (
    id           TEXT    NOT NULL PRIMARY KEY,
    task         TEXT    NOT NULL,
    task_name    TEXT    NOT NULL,
    annotator    TEXT    NOT NULL,
    config_path  TEXT    NOT NULL,
    project_dir  TEXT    NOT NULL,
    state        TEXT    NOT NULL, -- JSON
    steps        INTEGER NOT NULL DEFAULT 0,
    branches     INTEGER NOT NULL DEFAULT 0,
    last_seq     INTEGER NOT NULL,
    created_at   INTEGER NOT NULL, -- milliseconds since 1970, as all times here
    updated_at   INTEGER NOT NULL,
    exported_at  INTEGER           -- the time of the last event that an output folder holds
) STRICT;

CREATE INDEX sessions_by_update ON sessions (updated_at);

CREATE TABLE events (
    session  TEXT    NOT NULL REFERENCES sessions (id),
    seq      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    body     TEXT    NOT NULL, -- JSON
    PRIMARY KEY (session, seq)
) STRICT;

CREATE TRIGGER events_follow_one_another BEFORE INSERT ON events
WHEN NEW.seq <> 1 + coalesce((SELECT max(seq) FROM events WHERE session = NEW.session), 0)
BEGIN
    SELECT RAISE(ABORT, 'the events of a session follow one another without gaps');
END;

CREATE TRIGGER events_never_change BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are never changed');
END;

CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are never removed');
END;

-- Every answer with its revisions; the last one of a target and scheme counts.
CREATE TABLE annotations (
    session      TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    target_kind  TEXT    NOT NULL CHECK (target_kind IN ('step', 'branch', 'comparison', 'session')),
    target_a     TEXT    NOT NULL DEFAULT '', -- step, branch, or the comparison's first branch
    target_b     TEXT    NOT NULL DEFAULT '', -- the comparison's second branch
    scheme       TEXT    NOT NULL,
    value        TEXT    NOT NULL, -- JSON; null takes the answer back
    revision     INTEGER NOT NULL,
    actor        TEXT    NOT NULL,
    annotator    TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (session, seq),
    FOREIGN KEY (session, seq) REFERENCES events (session, seq)
) STRICT;

CREATE INDEX annotations_by_target
    ON annotations (session, target_kind, target_a, target_b, scheme, seq);

-- The present answers.
CREATE VIEW answers AS
SELECT *
FROM annotations AS a
WHERE value <> 'null'
  AND NOT EXISTS (
      SELECT 1
      FROM annotations AS later
      WHERE later.session = a.session
        AND later.target_kind = a.target_kind
        AND later.target_a = a.target_a
        AND later.target_b = a.target_b
        AND later.scheme = a.scheme
        AND later.seq > a.seq
  );
