-- Why: tokens that may do less than their role, that end by themselves, that get a new secret while the old one still
-- works for a while, and of which one can see when they were last used.
--
-- Columns are only added, with defaults, so that a server of the version before still works on these tables. It knows
-- nothing of scopes and expiry, though: do not let it run on beside this one for longer than the change takes.

-- What it may do of what its role may, as words between spaces; NULL: all of it.
ALTER TABLE tokens ADD COLUMN scopes TEXT;
ALTER TABLE tokens ADD COLUMN expires_at TEXT;
-- The secret before the last rotation, and until when it works.
ALTER TABLE tokens ADD COLUMN previous_hash TEXT;
ALTER TABLE tokens ADD COLUMN previous_until TEXT;
ALTER TABLE tokens ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE tokens ADD COLUMN updated_at TEXT NOT NULL DEFAULT '';
UPDATE tokens SET updated_at = created_at;

-- When each token was last used and from where. Not in `tokens`, since it is written while tokens are only read, and is
-- no change of the token.
CREATE TABLE token_uses (
    token_id TEXT NOT NULL PRIMARY KEY REFERENCES tokens (id) ON DELETE CASCADE,
    at       TEXT NOT NULL,
    address  TEXT
);
