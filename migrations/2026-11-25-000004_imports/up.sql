-- Why: bulk imports: what is imported, how far it is, and what is wrong with which rows. An import that was interrupted goes
-- on after `position`, if the same file (`digest`) is sent again.

CREATE TABLE imports (
    id           TEXT    NOT NULL PRIMARY KEY,
    resource     TEXT    NOT NULL,
    format       TEXT    NOT NULL,
    mode         TEXT    NOT NULL,
    dry_run      BOOLEAN NOT NULL,
    state        TEXT    NOT NULL,
    -- SHA-256 of the file, and its length in bytes.
    digest       TEXT    NOT NULL,
    size         BIGINT  NOT NULL,
    -- The process that works on it; whoever finds another one here stops.
    runner       TEXT    NOT NULL,
    -- The number of the last row that is done with, and how many rows became what.
    position     BIGINT  NOT NULL,
    rows_created   BIGINT NOT NULL,
    rows_replaced  BIGINT NOT NULL,
    rows_unchanged BIGINT NOT NULL,
    rows_rejected  BIGINT NOT NULL,
    faults       BIGINT  NOT NULL,
    token_id     TEXT,
    actor        TEXT    NOT NULL,
    started_at   TEXT    NOT NULL,
    updated_at   TEXT    NOT NULL,
    finished_at  TEXT
);

-- What is wrong with rows, in the order of the file.
CREATE TABLE import_faults (
    import_id TEXT   NOT NULL REFERENCES imports (id),
    number    BIGINT NOT NULL,
    body      TEXT   NOT NULL,
    PRIMARY KEY (import_id, number)
);
