-- Why: the words of a unit's self-evaluation report (自评报告的文字部分) are filed beside its figures, so that the report can be
-- made from both.
--
-- Columns are only added, with defaults, so that a server of the version before still works on this table.

ALTER TABLE evaluations ADD COLUMN narrative TEXT;
ALTER TABLE evaluations ADD COLUMN narrative_version BIGINT NOT NULL DEFAULT 0;
