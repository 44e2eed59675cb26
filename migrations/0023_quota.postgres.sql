-- What a mall lets a member issue, and how often it clears by itself.

-- A vendor on its own has no row: it issues what it likes. authorised is NULL for no limit.
CREATE TABLE issue_quota (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    authorised BIGINT CHECK (authorised >= 0),
    issued BIGINT NOT NULL,
    is_stopped BIGINT NOT NULL CHECK (is_stopped IN (0, 1)),
    PRIMARY KEY (book_id)
);
ALTER TABLE mall ADD COLUMN clears TEXT COLLATE "C" NOT NULL DEFAULT 'by_hand'
    CHECK (clears IN ('by_hand', 'day', 'week', 'month'));
