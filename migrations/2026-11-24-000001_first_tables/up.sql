-- Why: the first tables of the service: who is evaluated (units), for which year and by which scheme, what was filed
-- (evaluations, special_funds), and who may call (tokens).
--
-- One set of statements for SQLite and PostgreSQL, hence TEXT, BIGINT and BOOLEAN only. Instants are TEXT, RFC 3339 in
-- UTC with six decimals, which sorts as time does. Documents are JSON in TEXT: they are read and written whole.
-- Every resource has a version: 1 at first, one more with each change; ETags are made of it.

CREATE TABLE scoring_schemes (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    builtin    BOOLEAN NOT NULL,
    template   BOOLEAN NOT NULL,
    version    BIGINT  NOT NULL,
    created_at TEXT    NOT NULL,
    updated_at TEXT    NOT NULL
);

CREATE TABLE units (
    code          TEXT   NOT NULL PRIMARY KEY,
    name          TEXT   NOT NULL,
    kind          TEXT   NOT NULL,
    parent_code   TEXT   REFERENCES units (code),
    -- The codes from the top unit down to this one, "/219/219001/": a subtree is a prefix.
    path          TEXT   NOT NULL UNIQUE,
    uscc          TEXT   UNIQUE,
    division_code TEXT,
    version       BIGINT NOT NULL,
    created_at    TEXT   NOT NULL,
    updated_at    TEXT   NOT NULL
);
CREATE INDEX units_by_parent ON units (parent_code);
CREATE INDEX units_by_name ON units (name, code);

CREATE TABLE fiscal_years (
    year          BIGINT NOT NULL PRIMARY KEY,
    notice_number TEXT,
    opens_on      TEXT,
    closes_on     TEXT,
    scheme_id     TEXT   NOT NULL REFERENCES scoring_schemes (id),
    status        TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    created_at    TEXT   NOT NULL,
    updated_at    TEXT   NOT NULL
);
CREATE INDEX fiscal_years_by_scheme ON fiscal_years (scheme_id);

CREATE TABLE special_funds (
    id         TEXT   NOT NULL PRIMARY KEY,
    unit_code  TEXT   NOT NULL REFERENCES units (code),
    year       BIGINT NOT NULL REFERENCES fiscal_years (year),
    name       TEXT   NOT NULL,
    scheme_id  TEXT   NOT NULL REFERENCES scoring_schemes (id),
    body       TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    created_at TEXT   NOT NULL,
    updated_at TEXT   NOT NULL,
    UNIQUE (unit_code, year, name)
);
CREATE INDEX special_funds_by_year ON special_funds (year);
CREATE INDEX special_funds_by_scheme ON special_funds (scheme_id);

CREATE TABLE evaluations (
    unit_code           TEXT   NOT NULL REFERENCES units (code),
    year                BIGINT NOT NULL REFERENCES fiscal_years (year),
    state               TEXT   NOT NULL,
    base_data           TEXT,
    base_data_version   BIGINT NOT NULL,
    assessments         TEXT,
    assessments_version BIGINT NOT NULL,
    created_at          TEXT   NOT NULL,
    updated_at          TEXT   NOT NULL,
    PRIMARY KEY (unit_code, year)
);
CREATE INDEX evaluations_by_year ON evaluations (year);

CREATE TABLE tokens (
    id          TEXT NOT NULL PRIMARY KEY,
    name        TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    role        TEXT NOT NULL,
    created_at  TEXT NOT NULL
);

CREATE TABLE token_units (
    token_id  TEXT NOT NULL REFERENCES tokens (id),
    unit_code TEXT NOT NULL REFERENCES units (code),
    PRIMARY KEY (token_id, unit_code)
);
CREATE INDEX token_units_by_unit ON token_units (unit_code);
