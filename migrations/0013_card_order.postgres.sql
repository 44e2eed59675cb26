-- Orders of goods that a card pays instead of tokens.

-- A card pays an order of tokens or an order of goods.
ALTER TABLE card_payment RENAME COLUMN token_order_id TO paid_id;
ALTER TABLE card_payment ADD COLUMN paid TEXT COLLATE "C" NOT NULL DEFAULT 'tokens'
    CHECK (paid IN ('tokens', 'goods'));
ALTER TABLE card_reversal RENAME COLUMN token_order_id TO paid_id;
ALTER TABLE card_reversal ADD COLUMN paid TEXT COLLATE "C" NOT NULL DEFAULT 'tokens'
    CHECK (paid IN ('tokens', 'goods'));

-- Written before the card is asked, under an id that is also the processor's idempotency key.
-- frozen is what was agreed, for as long as the processor has not answered; then order_id names the
-- order, completed or refused. card is the processor's token, never a number. wallet_head is the
-- last movement of the customer's wallet before it: there a list of the customer's orders goes on.
CREATE TABLE card_order (
    book_id BIGINT NOT NULL,
    card_order_id BYTEA NOT NULL,
    customer_id BYTEA NOT NULL,
    session_id BYTEA NOT NULL,
    price BIGINT NOT NULL CHECK (price > 0),
    card TEXT COLLATE "C" NOT NULL,
    last_four TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('awaiting', 'completed', 'declined')),
    frozen TEXT COLLATE "C" NOT NULL,
    order_id BYTEA,
    entry_id BIGINT NOT NULL,
    wallet_head BIGINT NOT NULL,
    processor_reference TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    attempts_left BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    closed_at BIGINT,
    PRIMARY KEY (book_id, card_order_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);
CREATE INDEX card_order_awaiting ON card_order (book_id, card_order_id)
    WHERE state = 'awaiting';
CREATE INDEX card_order_order ON card_order (book_id, order_id);
CREATE INDEX card_order_customer ON card_order (book_id, customer_id, entry_id);

-- Money given back for such an order: due until the processor has done it, then booked.
CREATE TABLE card_refund (
    book_id BIGINT NOT NULL,
    card_order_id BYTEA NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('due', 'done')),
    restock BIGINT NOT NULL CHECK (restock IN (0, 1)),
    reference TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    entry_id BIGINT,
    PRIMARY KEY (book_id, card_order_id),
    FOREIGN KEY (book_id, card_order_id) REFERENCES card_order (book_id, card_order_id)
);
CREATE INDEX card_refund_due ON card_refund (book_id, card_order_id) WHERE state = 'due';
