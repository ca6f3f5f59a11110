-- Why: a webhook is delivered long after the request that made the change has ended, and often by another process. So that both
-- are seen in one trace, a change keeps where it was made (W3C traceparent), if that was traced. It is not part of the change's hash:
-- it says nothing about what was done.
--
-- A server of the version before does not know the column, and leaves it empty.

ALTER TABLE changes ADD COLUMN traceparent TEXT;
