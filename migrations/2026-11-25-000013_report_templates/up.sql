-- Why: a county words the self-evaluation report in its own way. What it replaces the built-in template with is kept per fiscal
-- year; a year without a row has the built-in one.
--
-- A new table, which a server of the version before does not know and does not need.

CREATE TABLE report_templates (
    year       BIGINT NOT NULL PRIMARY KEY REFERENCES fiscal_years (year),
    template   TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    created_at TEXT   NOT NULL,
    updated_at TEXT   NOT NULL
);
