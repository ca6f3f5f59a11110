-- Why: the year of a county beyond the draft: what a unit claims and why its figures are odd, submissions that are frozen
-- and reviewed, what happened to each, the points that rankings are made from, and units that reforms renamed or merged.
--
-- Columns are only added, with defaults, so that a server of the version before still works on these tables.

ALTER TABLE units ADD COLUMN valid_from BIGINT;
ALTER TABLE units ADD COLUMN valid_to BIGINT;

-- Which units a unit continues: one for a renamed unit, several for a merged one; a split unit is named by its parts.
CREATE TABLE unit_predecessors (
    unit_code        TEXT NOT NULL REFERENCES units (code),
    predecessor_code TEXT NOT NULL REFERENCES units (code),
    PRIMARY KEY (unit_code, predecessor_code)
);
CREATE INDEX unit_predecessors_by_predecessor ON unit_predecessors (predecessor_code, unit_code);

ALTER TABLE special_funds ADD COLUMN continues BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE evaluations ADD COLUMN claims TEXT;
ALTER TABLE evaluations ADD COLUMN claims_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE evaluations ADD COLUMN reasons TEXT;
ALTER TABLE evaluations ADD COLUMN reasons_version BIGINT NOT NULL DEFAULT 0;
-- The number of the latest submission; 0 before the first.
ALTER TABLE evaluations ADD COLUMN submission BIGINT NOT NULL DEFAULT 0;

-- The schemes of submissions as they were, each text once, under its SHA-256.
CREATE TABLE frozen_schemes (
    digest TEXT NOT NULL PRIMARY KEY,
    body   TEXT NOT NULL
);

-- What was submitted, never changed: the document is answered byte for byte. State and review are of this submission.
CREATE TABLE submissions (
    unit_code      TEXT   NOT NULL,
    year           BIGINT NOT NULL,
    number         BIGINT NOT NULL,
    state          TEXT   NOT NULL,
    submitted_at   TEXT   NOT NULL,
    submitted_by   TEXT   NOT NULL,
    scheme_id      TEXT   NOT NULL,
    scheme_digest  TEXT   NOT NULL REFERENCES frozen_schemes (digest),
    review         TEXT,
    review_version BIGINT NOT NULL,
    updated_at     TEXT   NOT NULL,
    document       TEXT   NOT NULL,
    PRIMARY KEY (unit_code, year, number),
    FOREIGN KEY (unit_code, year) REFERENCES evaluations (unit_code, year)
);

-- Who did what to an evaluation, when and why.
CREATE TABLE evaluation_events (
    unit_code  TEXT   NOT NULL,
    year       BIGINT NOT NULL,
    number     BIGINT NOT NULL,
    at         TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    from_state TEXT   NOT NULL,
    to_state   TEXT   NOT NULL,
    submission BIGINT NOT NULL,
    token_id   TEXT,
    actor      TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    reason     TEXT,
    PRIMARY KEY (unit_code, year, number),
    FOREIGN KEY (unit_code, year) REFERENCES evaluations (unit_code, year)
);

-- Where the unit-years stand whose latest submission counts (submitted, under review, approved or published), in
-- millionths of a point: narrow rows that rankings and summaries are read from. Written with what they follow from.
CREATE TABLE standings (
    year        BIGINT NOT NULL,
    unit_code   TEXT   NOT NULL,
    unit_kind   TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    submission  BIGINT NOT NULL,
    scheme_id   TEXT   NOT NULL,
    grade       TEXT,
    -- What counts: the review's total where there is one, else the unit's own; NULL while a line is open.
    points      BIGINT,
    self_points BIGINT,
    low         BIGINT NOT NULL,
    high        BIGINT NOT NULL,
    PRIMARY KEY (year, unit_code),
    FOREIGN KEY (unit_code, year) REFERENCES evaluations (unit_code, year)
);
CREATE INDEX standings_by_points ON standings (year, points, unit_code);
CREATE INDEX standings_by_kind ON standings (year, unit_kind, points, unit_code);
CREATE INDEX standings_open ON standings (year, high, unit_code) WHERE points IS NULL;

-- The same by section and by indicator of the scheme (a unit's own rows are not comparable and not here).
-- `part` is 'section' or 'line'. A unit's rows lie together, since they are written and deleted together.
CREATE TABLE standing_parts (
    year      BIGINT NOT NULL,
    unit_code TEXT   NOT NULL,
    part      TEXT   NOT NULL,
    code      TEXT   NOT NULL,
    unit_kind TEXT   NOT NULL,
    name      TEXT   NOT NULL,
    weight    BIGINT NOT NULL,
    points    BIGINT,
    PRIMARY KEY (year, unit_code, part, code),
    FOREIGN KEY (year, unit_code) REFERENCES standings (year, unit_code) ON DELETE CASCADE
);
-- All that a ranking by section and a summary read of them, in groups: neither looks at the rows themselves.
CREATE INDEX standing_parts_by_points ON standing_parts (year, part, code, unit_kind, points, unit_code, weight);

-- How many units are in which state, without reading evaluations, whose rows hold whole documents.
CREATE INDEX evaluations_by_state ON evaluations (year, unit_code, state);
DROP INDEX evaluations_by_year;
