-- Staff who left: they stay in the books, and sign in no more.

-- When the person left; empty while at work.
ALTER TABLE staff ADD COLUMN ended_at INTEGER;
