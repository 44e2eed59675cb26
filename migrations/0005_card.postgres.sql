-- Cards that a customer keeps for later, and what the card processor told by itself.

-- The processor's name for a customer.
CREATE TABLE card_holder (
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    holder TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);

-- A card that a customer keeps at the processor: never its number. It is wished until the payment
-- that keeps it has succeeded, and withdrawn when the processor no longer knows it.
CREATE TABLE saved_card (
    book_id BIGINT NOT NULL,
    card_id BYTEA NOT NULL,
    customer_id BYTEA NOT NULL,
    method TEXT COLLATE "C" NOT NULL,
    brand TEXT COLLATE "C" NOT NULL,
    last_four TEXT COLLATE "C" NOT NULL,
    expiry_year BIGINT NOT NULL,
    expiry_month BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('wished', 'usable', 'withdrawn')),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, card_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);
CREATE UNIQUE INDEX saved_card_customer ON saved_card (book_id, customer_id, method);
CREATE INDEX saved_card_method ON saved_card (book_id, method);

-- The processor's payment of a token order, written before the processor may take money for it.
-- An empty name says that it never may.
CREATE TABLE card_payment (
    book_id BIGINT NOT NULL,
    token_order_id BYTEA NOT NULL,
    payment TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('begun', 'action', 'ended', 'return_due', 'returned')),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, token_order_id)
);
CREATE INDEX card_payment_name ON card_payment (book_id, payment);
CREATE INDEX card_payment_return ON card_payment (book_id, token_order_id)
    WHERE state = 'return_due';

-- Money of a cleared token order that the processor took back: by a dispute, or by a refund that
-- was made at the processor.
CREATE TABLE card_reversal (
    book_id BIGINT NOT NULL,
    reversal TEXT COLLATE "C" NOT NULL,
    token_order_id BYTEA NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('dispute', 'refund')),
    amount BIGINT NOT NULL CHECK (amount > 0),
    reason TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'won', 'lost')),
    entry_id BIGINT NOT NULL,
    back_entry_id BIGINT,
    created_at BIGINT NOT NULL,
    closed_at BIGINT,
    PRIMARY KEY (book_id, reversal)
);
CREATE INDEX card_reversal_recent ON card_reversal (book_id, created_at, reversal);
CREATE INDEX card_reversal_order ON card_reversal (book_id, token_order_id);

-- What the processor told by itself, each event once: what Scrip needs of it, nothing personal.
CREATE TABLE card_event (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    event TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'done', 'foreign')),
    received_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, event)
);
CREATE INDEX card_event_waiting ON card_event (book_id, received_at) WHERE state = 'waiting';
CREATE INDEX card_event_received ON card_event (book_id, received_at);

-- A customer's rule of buying tokens by itself, with a saved card.
CREATE TABLE top_up (
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    card_id BYTEA NOT NULL,
    below BIGINT CHECK (below > 0),
    every_days BIGINT CHECK (every_days > 0),
    fixed BIGINT CHECK (fixed > 0),
    target BIGINT CHECK (target > 0),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('on', 'stopped')),
    reason TEXT COLLATE "C" NOT NULL,
    session_id BYTEA,
    token_order_id BYTEA,
    due_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);
CREATE INDEX top_up_due ON top_up (book_id, due_at) WHERE state = 'on';
