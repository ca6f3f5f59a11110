-- Why: auditors ask what one token did, among changes that grow with the years.

CREATE INDEX changes_by_actor ON changes (actor, seq);
