-- Why: a POST that is sent again with the same `Idempotency-Key`, since its answer was lost, must not be done twice. What it
-- was answered is kept for a day, by the transaction that made the change; the keys of a token are its own.
--
-- A new table, which a server of the version before does not know: it does not look at keys, as it never did.
CREATE TABLE idempotency_keys (
    actor       TEXT   NOT NULL,
    key         TEXT   NOT NULL,
    -- The SHA-256 of the request.
    fingerprint TEXT   NOT NULL,
    at          TEXT   NOT NULL,
    status      BIGINT NOT NULL,
    etag        TEXT,
    location    TEXT,
    -- NULL where the answer held a secret.
    body        TEXT,
    PRIMARY KEY (actor, key)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (at);
