-- Why: what has the code of its unit in its address is found among that unit's changes; a second index over all addresses cost
-- every write a page. Only what no unit's code leads to keeps one. The condition stands word for word in src/audit/store.rs.

DROP INDEX changes_by_key;
CREATE INDEX changes_elsewhere ON changes (key, seq) WHERE unit_code IS NULL OR resource = 'special_fund';
