CREATE TABLE sessions (
    id          TEXT PRIMARY KEY,
    task        TEXT NOT NULL,
    task_name   TEXT NOT NULL,
    annotator   TEXT NOT NULL,
    config_path TEXT NOT NULL,
    project_dir TEXT NOT NULL,
    state       TEXT NOT NULL,
    steps       INTEGER NOT NULL DEFAULT 0,
    branches    INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    exported_at INTEGER
) STRICT;
CREATE TABLE events (
    session TEXT NOT NULL REFERENCES sessions (id),
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    type    TEXT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (session, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TABLE annotations (
    session   TEXT NOT NULL REFERENCES sessions (id),
    target    TEXT NOT NULL,
    scheme    TEXT NOT NULL,
    revision  INTEGER NOT NULL,
    value     TEXT NOT NULL,
    annotator TEXT NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (session, target, scheme, revision)
) STRICT;
CREATE TABLE texts (
    hash TEXT NOT NULL,
    part INTEGER NOT NULL,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (hash, part)
) STRICT;
