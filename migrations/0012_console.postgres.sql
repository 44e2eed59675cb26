-- Staff who left: they stay in the books, and sign in no more.

-- When the person left; empty while at work.
ALTER TABLE staff ADD COLUMN ended_at BIGINT;

-- The trail by what was done, and by who did it.
CREATE INDEX audit_action ON audit (book_id, action, audit_id);
CREATE INDEX audit_actor_action ON audit (book_id, actor, action, audit_id);

-- A lowered minimum: customers above this serial are still to be looked at, who may have enough
-- to be active now.
CREATE TABLE activation_sweep (
    book_id BIGINT PRIMARY KEY REFERENCES vendor (book_id),
    after_serial BIGINT NOT NULL
);
