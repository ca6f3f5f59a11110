-- Why: webhooks send the changes on to other systems. A webhook's place in the change log is one number, so nothing is stored
-- per event until one cannot be delivered.

CREATE TABLE webhooks (
    id              TEXT    NOT NULL PRIMARY KEY,
    url             TEXT    NOT NULL,
    description     TEXT,
    -- Which events: of a unit and all below it, of a year, of types (between spaces). NULL: all.
    unit_code       TEXT,
    year            BIGINT,
    types           TEXT,
    enabled         BOOLEAN NOT NULL,
    -- What messages are signed with, in clear: a signature cannot be made from a hash. The one before it signs too for a while.
    secret          TEXT    NOT NULL,
    previous_secret TEXT,
    previous_until  TEXT,
    version         BIGINT  NOT NULL,
    created_at      TEXT    NOT NULL,
    updated_at      TEXT    NOT NULL,
    -- The number of the last change that is done with: delivered, left out by the filter, or a dead letter.
    position        BIGINT  NOT NULL,
    delivered       BIGINT,
    delivered_at    TEXT,
    -- Failed attempts at the next event, since when they fail, and when the next one is due.
    attempts        BIGINT  NOT NULL,
    failing_since   TEXT,
    next_attempt_at TEXT,
    -- The last attempt of all, and what was answered.
    attempted_at    TEXT,
    last_status     BIGINT,
    last_answer     TEXT,
    -- The process that delivers, and until when the others leave it alone.
    claimed_by      TEXT,
    claimed_until   TEXT
);

-- Events that were given up, by the numbers of their changes. One that is queued is sent once more.
CREATE TABLE webhook_dead_letters (
    webhook_id  TEXT    NOT NULL REFERENCES webhooks (id),
    number      BIGINT  NOT NULL,
    attempts    BIGINT  NOT NULL,
    last_status BIGINT,
    last_answer TEXT    NOT NULL,
    died_at     TEXT    NOT NULL,
    queued      BOOLEAN NOT NULL,
    PRIMARY KEY (webhook_id, number)
);
CREATE INDEX webhook_dead_letters_queued ON webhook_dead_letters (queued, webhook_id, number);
