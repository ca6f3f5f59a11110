-- Why: each import looks for those that are old enough to be forgotten, and the writer waited while it read all there are; a token's
-- own are listed by their ids.

CREATE INDEX imports_by_age ON imports (updated_at, id);
CREATE INDEX imports_by_token ON imports (token_id, id);
