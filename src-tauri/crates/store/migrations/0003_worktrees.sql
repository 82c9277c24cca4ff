-- Where an event happened: 0 is the session's first worktree, the only one where branches run one
-- after the other.
ALTER TABLE events ADD COLUMN worktree INTEGER NOT NULL DEFAULT 0;
