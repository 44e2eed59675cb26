-- Cards that a customer keeps for later, and what the card processor told by itself.

-- The processor's name for a customer.
CREATE TABLE card_holder (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    holder TEXT NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;

-- A card that a customer keeps at the processor: never its number. It is wished until the payment
-- that keeps it has succeeded, and withdrawn when the processor no longer knows it.
CREATE TABLE saved_card (
    book_id INTEGER NOT NULL,
    card_id BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    method TEXT NOT NULL,
    brand TEXT NOT NULL,
    last_four TEXT NOT NULL,
    expiry_year INTEGER NOT NULL,
    expiry_month INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('wished', 'usable', 'withdrawn')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, card_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX saved_card_customer ON saved_card (book_id, customer_id, method);
CREATE INDEX saved_card_method ON saved_card (book_id, method);

-- The processor's payment of a token order, written before the processor may take money for it.
-- An empty name says that it never may.
CREATE TABLE card_payment (
    book_id INTEGER NOT NULL,
    token_order_id BLOB NOT NULL,
    payment TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('begun', 'action', 'ended', 'return_due', 'returned')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, token_order_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX card_payment_name ON card_payment (book_id, payment);
CREATE INDEX card_payment_return ON card_payment (book_id, token_order_id)
    WHERE state = 'return_due';

-- Money of a cleared token order that the processor took back: by a dispute, or by a refund that
-- was made at the processor.
CREATE TABLE card_reversal (
    book_id INTEGER NOT NULL,
    reversal TEXT NOT NULL,
    token_order_id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('dispute', 'refund')),
    amount INTEGER NOT NULL CHECK (amount > 0),
    reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'won', 'lost')),
    entry_id INTEGER NOT NULL,
    back_entry_id INTEGER,
    created_at INTEGER NOT NULL,
    closed_at INTEGER,
    PRIMARY KEY (book_id, reversal)
) STRICT, WITHOUT ROWID;
CREATE INDEX card_reversal_recent ON card_reversal (book_id, created_at, reversal);
CREATE INDEX card_reversal_order ON card_reversal (book_id, token_order_id);

-- What the processor told by itself, each event once: what Scrip needs of it, nothing personal.
CREATE TABLE card_event (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'foreign')),
    received_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX card_event_waiting ON card_event (book_id, received_at) WHERE state = 'waiting';
CREATE INDEX card_event_received ON card_event (book_id, received_at);

-- A customer's rule of buying tokens by itself, with a saved card.
CREATE TABLE top_up (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    card_id BLOB NOT NULL,
    below INTEGER CHECK (below > 0),
    every_days INTEGER CHECK (every_days > 0),
    fixed INTEGER CHECK (fixed > 0),
    target INTEGER CHECK (target > 0),
    state TEXT NOT NULL CHECK (state IN ('on', 'stopped')),
    reason TEXT NOT NULL,
    session_id BLOB,
    token_order_id BLOB,
    due_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX top_up_due ON top_up (book_id, due_at) WHERE state = 'on';
