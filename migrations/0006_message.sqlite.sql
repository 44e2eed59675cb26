-- Messages to people and to vendors' systems: what is on its way, what arrived.

-- Systems of a vendor that are told what happens. events are topics, apart by a space; none: all.
-- After a rotation the old secret signs as well, until its time is over.
CREATE TABLE webhook_endpoint (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    endpoint_id BLOB NOT NULL,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    events TEXT NOT NULL,
    secret BLOB NOT NULL,
    old_secret BLOB,
    old_secret_until INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('enabled', 'disabled')),
    reason TEXT NOT NULL,
    failures INTEGER NOT NULL CHECK (failures >= 0),
    retry_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (book_id, endpoint_id)
) STRICT, WITHOUT ROWID;

-- A message of the outbox on its way to one receiver: mail to the customer, or an endpoint (target
-- is its id). No address, no name, no text that a person would read.
CREATE TABLE message_delivery (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    message_id BLOB NOT NULL,
    outbox_id INTEGER NOT NULL,
    target TEXT NOT NULL,
    topic TEXT NOT NULL,
    subject TEXT NOT NULL,
    payload TEXT NOT NULL,
    customer_id BLOB,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'claimed', 'sending', 'done', 'uncertain',
                                         'parked', 'skipped')),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    next_at INTEGER NOT NULL,
    answer TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    closed_at INTEGER,
    PRIMARY KEY (book_id, message_id),
    UNIQUE (book_id, outbox_id, target)
) STRICT, WITHOUT ROWID;

CREATE INDEX message_delivery_turn ON message_delivery (book_id, target, state, next_at);
CREATE INDEX message_delivery_state ON message_delivery (book_id, target, state, message_id);
CREATE INDEX message_delivery_target ON message_delivery (book_id, target, message_id);

-- What customers chose about messages; no row: the vendor's language, and every kind.
CREATE TABLE message_choice (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    language TEXT NOT NULL,
    declined TEXT NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;

-- Lots whose customers were told that they expire.
CREATE TABLE lot_notice (
    book_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    grant_id INTEGER NOT NULL,
    noticed_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, account_id, grant_id)
) STRICT, WITHOUT ROWID;
