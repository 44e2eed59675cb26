-- Messages to people and to vendors' systems: what is on its way, what arrived.

-- Systems of a vendor that are told what happens. events are topics, apart by a space; none: all.
-- After a rotation the old secret signs as well, until its time is over.
CREATE TABLE webhook_endpoint (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    endpoint_id BYTEA NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    events TEXT COLLATE "C" NOT NULL,
    secret BYTEA NOT NULL,
    old_secret BYTEA,
    old_secret_until BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('enabled', 'disabled')),
    reason TEXT COLLATE "C" NOT NULL,
    failures BIGINT NOT NULL CHECK (failures >= 0),
    retry_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (book_id, endpoint_id)
);

-- A message of the outbox on its way to one receiver: mail to the customer, or an endpoint (target
-- is its id). No address, no name, no text that a person would read.
CREATE TABLE message_delivery (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    message_id BYTEA NOT NULL,
    outbox_id BIGINT NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    topic TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL,
    customer_id BYTEA,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'claimed', 'sending', 'done', 'uncertain',
                                         'parked', 'skipped')),
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    next_at BIGINT NOT NULL,
    answer TEXT COLLATE "C" NOT NULL,
    occurred_at BIGINT NOT NULL,
    closed_at BIGINT,
    PRIMARY KEY (book_id, message_id),
    UNIQUE (book_id, outbox_id, target)
);

CREATE INDEX message_delivery_turn ON message_delivery (book_id, target, state, next_at);
CREATE INDEX message_delivery_state ON message_delivery (book_id, target, state, message_id);
CREATE INDEX message_delivery_target ON message_delivery (book_id, target, message_id);

-- What customers chose about messages; no row: the vendor's language, and every kind.
CREATE TABLE message_choice (
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    language TEXT COLLATE "C" NOT NULL,
    declined TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);

-- Lots whose customers were told that they expire.
CREATE TABLE lot_notice (
    book_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    grant_id BIGINT NOT NULL,
    noticed_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, account_id, grant_id)
);
