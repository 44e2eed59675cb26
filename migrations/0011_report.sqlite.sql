-- Lots by expiry; what reports keep added up.

-- The lots of wallets that may expire, in the order in which they do.
CREATE TABLE lot_due (
    book_id INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    grant_id INTEGER NOT NULL,
    PRIMARY KEY (book_id, expires_at, account_id, grant_id)
) STRICT, WITHOUT ROWID;

INSERT INTO lot_due (book_id, expires_at, account_id, grant_id)
SELECT l.book_id, g.expires_at, l.account_id, l.grant_id
FROM lot l
JOIN token_grant g ON g.book_id = l.book_id AND g.grant_id = l.grant_id
JOIN account a ON a.book_id = l.book_id AND a.account_id = l.account_id
WHERE a.kind = 'wallet' AND g.expires_at < 9223372036854775807;

-- How far the sealed entries of a book are added up, and in which time zone its days are.
CREATE TABLE report_mark (
    book_id INTEGER NOT NULL,
    seal_no INTEGER NOT NULL,
    zone TEXT NOT NULL,
    PRIMARY KEY (book_id)
) STRICT, WITHOUT ROWID;

-- What counts in an hour. day is written 20261121. Of tokens, and of the money that was paid for
-- them: issued and withdrawn, spent and given back, expired and restored. money: goods paid
-- without tokens.
CREATE TABLE report_flow (
    book_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    orders INTEGER NOT NULL,
    refunds INTEGER NOT NULL,
    money INTEGER NOT NULL,
    issued INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    returned INTEGER NOT NULL,
    expired INTEGER NOT NULL,
    restored INTEGER NOT NULL,
    issued_worth INTEGER NOT NULL,
    withdrawn_worth INTEGER NOT NULL,
    spent_worth INTEGER NOT NULL,
    returned_worth INTEGER NOT NULL,
    expired_worth INTEGER NOT NULL,
    restored_worth INTEGER NOT NULL,
    PRIMARY KEY (book_id, day, hour)
) STRICT, WITHOUT ROWID;

-- What was sold of an offer on a day (20261121) and in a month (202611), by how many orders the
-- customers had placed up to then: 1, 2 (and 3), 4 (to 9), 10 (and more); 0 for what came back.
CREATE TABLE report_goods (
    book_id INTEGER NOT NULL,
    period INTEGER NOT NULL,
    offer_id BLOB NOT NULL,
    band INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    pieces INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    PRIMARY KEY (book_id, period, offer_id, band)
) STRICT, WITHOUT ROWID;

-- What customers hold, by the day of its grant, its expiry (in quarters of an hour) and origin.
CREATE TABLE report_held (
    book_id INTEGER NOT NULL,
    granted_day INTEGER NOT NULL,
    expires_quarter INTEGER NOT NULL,
    origin TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    worth INTEGER NOT NULL,
    PRIMARY KEY (book_id, granted_day, expires_quarter, origin)
) STRICT, WITHOUT ROWID;

-- What customers hold of a grant; no row means nothing.
CREATE TABLE report_grant (
    book_id INTEGER NOT NULL,
    grant_id INTEGER NOT NULL,
    held INTEGER NOT NULL,
    PRIMARY KEY (book_id, grant_id)
) STRICT, WITHOUT ROWID;

-- How many orders a customer has placed.
CREATE TABLE report_customer (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    orders INTEGER NOT NULL,
    PRIMARY KEY (book_id, customer_id)
) STRICT, WITHOUT ROWID;

-- Up to which day (20261201, left out) revenue is booked, and what was booked by the entry.
CREATE TABLE revenue_close (
    book_id INTEGER NOT NULL,
    until_day INTEGER NOT NULL,
    earned INTEGER NOT NULL,
    breakage INTEGER NOT NULL,
    entry_id INTEGER,
    actor TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, until_day)
) STRICT, WITHOUT ROWID;

-- From an entry to the refund that it paid.
CREATE INDEX refund_entry ON refund (book_id, entry_id);
-- Orders that moved nothing: no entry leads to them.
CREATE INDEX order_free ON orders (book_id, order_id)
    WHERE entry_id IS NULL AND state = 'completed';
