-- How money that came for a closed account is paid back: `asked` says that the card processor was
-- asked and that its answer is not written yet.
ALTER TABLE payback ADD COLUMN state TEXT NOT NULL DEFAULT 'due'
    CHECK (state IN ('due', 'asked', 'settled'));
ALTER TABLE payback ADD COLUMN way TEXT CHECK (way IN ('processor', 'other'));
ALTER TABLE payback ADD COLUMN reference TEXT NOT NULL DEFAULT '';
ALTER TABLE payback ADD COLUMN asked_by TEXT;
ALTER TABLE payback ADD COLUMN asked_at INTEGER;
-- What the processor said when it refused.
ALTER TABLE payback ADD COLUMN refusal TEXT NOT NULL DEFAULT '';
-- The entries that booked the money: when it came, and when it went back.
ALTER TABLE payback ADD COLUMN came_entry_id INTEGER;
ALTER TABLE payback ADD COLUMN back_entry_id INTEGER;
CREATE INDEX payback_state ON payback (book_id, state, created_at, token_order_id);

-- What staff decided about the tokens of money that was taken back.
ALTER TABLE card_reversal ADD COLUMN decision TEXT CHECK (decision IN ('take', 'leave'));
ALTER TABLE card_reversal ADD COLUMN decided_by TEXT;
ALTER TABLE card_reversal ADD COLUMN decided_at INTEGER;
ALTER TABLE card_reversal ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE card_reversal ADD COLUMN taken INTEGER NOT NULL DEFAULT 0 CHECK (taken >= 0);
ALTER TABLE card_reversal ADD COLUMN returned INTEGER NOT NULL DEFAULT 0 CHECK (returned >= 0);
