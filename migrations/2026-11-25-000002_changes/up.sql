-- Why: every change of data is kept, in the order in which it was committed, with who made it: the feed that other systems
-- follow and the audit trail are two views of this one table. It is only ever added to.

CREATE TABLE changes (
    -- 1, 2, 3 … without a gap, in the order of the commits.
    seq        BIGINT NOT NULL PRIMARY KEY,
    at         TEXT   NOT NULL,
    -- Who: the id of the token or the subject of the county's identity provider; NULL for the program and its command line.
    actor      TEXT,
    actor_name TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    request_id TEXT,
    address    TEXT,
    -- What was done to what; `key` is its address.
    action     TEXT   NOT NULL,
    resource   TEXT   NOT NULL,
    key        TEXT   NOT NULL,
    unit_code  TEXT,
    year       BIGINT,
    -- The document after the change, as JSON; NULL when it is gone. What was there before is in the change of the same key
    -- before this one.
    after      TEXT,
    -- SHA-256 over the hash before and all of this row: see src/db/changes.rs.
    hash       TEXT   NOT NULL
);
CREATE INDEX changes_by_key ON changes (key, seq);
CREATE INDEX changes_by_unit ON changes (unit_code, seq);

-- The last change. PostgreSQL's writers lock it before they read anything, so that they come one after the other.
CREATE TABLE change_head (
    id   BIGINT NOT NULL PRIMARY KEY,
    seq  BIGINT NOT NULL,
    hash TEXT   NOT NULL
);
INSERT INTO change_head (id, seq, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
