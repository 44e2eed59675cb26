-- How money that came for a closed account is paid back: `asked` says that the card processor was
-- asked and that its answer is not written yet.
ALTER TABLE payback ADD COLUMN state TEXT COLLATE "C" NOT NULL DEFAULT 'due'
    CHECK (state IN ('due', 'asked', 'settled'));
ALTER TABLE payback ADD COLUMN way TEXT COLLATE "C" CHECK (way IN ('processor', 'other'));
ALTER TABLE payback ADD COLUMN reference TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE payback ADD COLUMN asked_by TEXT COLLATE "C";
ALTER TABLE payback ADD COLUMN asked_at BIGINT;
-- What the processor said when it refused.
ALTER TABLE payback ADD COLUMN refusal TEXT COLLATE "C" NOT NULL DEFAULT '';
-- The entries that booked the money: when it came, and when it went back.
ALTER TABLE payback ADD COLUMN came_entry_id BIGINT;
ALTER TABLE payback ADD COLUMN back_entry_id BIGINT;
CREATE INDEX payback_state ON payback (book_id, state, created_at, token_order_id);

-- What staff decided about the tokens of money that was taken back.
ALTER TABLE card_reversal ADD COLUMN decision TEXT COLLATE "C" CHECK (decision IN ('take', 'leave'));
ALTER TABLE card_reversal ADD COLUMN decided_by TEXT COLLATE "C";
ALTER TABLE card_reversal ADD COLUMN decided_at BIGINT;
ALTER TABLE card_reversal ADD COLUMN note TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE card_reversal ADD COLUMN taken BIGINT NOT NULL DEFAULT 0 CHECK (taken >= 0);
ALTER TABLE card_reversal ADD COLUMN returned BIGINT NOT NULL DEFAULT 0 CHECK (returned >= 0);
