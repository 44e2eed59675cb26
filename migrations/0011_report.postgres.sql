-- Lots by expiry; what reports keep added up.

-- The lots of wallets that may expire, in the order in which they do.
CREATE TABLE lot_due (
    book_id BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    grant_id BIGINT NOT NULL,
    PRIMARY KEY (book_id, expires_at, account_id, grant_id)
);

INSERT INTO lot_due (book_id, expires_at, account_id, grant_id)
SELECT l.book_id, g.expires_at, l.account_id, l.grant_id
FROM lot l
JOIN token_grant g ON g.book_id = l.book_id AND g.grant_id = l.grant_id
JOIN account a ON a.book_id = l.book_id AND a.account_id = l.account_id
WHERE a.kind = 'wallet' AND g.expires_at < 9223372036854775807;

-- How far the sealed entries of a book are added up, and in which time zone its days are.
CREATE TABLE report_mark (
    book_id BIGINT NOT NULL,
    seal_no BIGINT NOT NULL,
    zone TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (book_id)
);

-- What counts in an hour. day is written 20261121. Of tokens, and of the money that was paid for
-- them: issued and withdrawn, spent and given back, expired and restored. money: goods paid
-- without tokens.
CREATE TABLE report_flow (
    book_id BIGINT NOT NULL,
    day BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    orders BIGINT NOT NULL,
    refunds BIGINT NOT NULL,
    money BIGINT NOT NULL,
    issued BIGINT NOT NULL,
    withdrawn BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    returned BIGINT NOT NULL,
    expired BIGINT NOT NULL,
    restored BIGINT NOT NULL,
    issued_worth BIGINT NOT NULL,
    withdrawn_worth BIGINT NOT NULL,
    spent_worth BIGINT NOT NULL,
    returned_worth BIGINT NOT NULL,
    expired_worth BIGINT NOT NULL,
    restored_worth BIGINT NOT NULL,
    PRIMARY KEY (book_id, day, hour)
);

-- What was sold of an offer on a day (20261121) and in a month (202611), by how many orders the
-- customers had placed up to then: 1, 2 (and 3), 4 (to 9), 10 (and more); 0 for what came back.
CREATE TABLE report_goods (
    book_id BIGINT NOT NULL,
    period BIGINT NOT NULL,
    offer_id BYTEA NOT NULL,
    band BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    pieces BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    PRIMARY KEY (book_id, period, offer_id, band)
);

-- What customers hold, by the day of its grant, its expiry (in quarters of an hour) and origin.
CREATE TABLE report_held (
    book_id BIGINT NOT NULL,
    granted_day BIGINT NOT NULL,
    expires_quarter BIGINT NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    tokens BIGINT NOT NULL,
    worth BIGINT NOT NULL,
    PRIMARY KEY (book_id, granted_day, expires_quarter, origin)
);

-- What customers hold of a grant; no row means nothing.
CREATE TABLE report_grant (
    book_id BIGINT NOT NULL,
    grant_id BIGINT NOT NULL,
    held BIGINT NOT NULL,
    PRIMARY KEY (book_id, grant_id)
);

-- How many orders a customer has placed.
CREATE TABLE report_customer (
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    orders BIGINT NOT NULL,
    PRIMARY KEY (book_id, customer_id)
);

-- Up to which day (20261201, left out) revenue is booked, and what was booked by the entry.
CREATE TABLE revenue_close (
    book_id BIGINT NOT NULL,
    until_day BIGINT NOT NULL,
    earned BIGINT NOT NULL,
    breakage BIGINT NOT NULL,
    entry_id BIGINT,
    actor TEXT COLLATE "C" NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, until_day)
);

-- From an entry to the refund that it paid.
CREATE INDEX refund_entry ON refund (book_id, entry_id);
-- Orders that moved nothing: no entry leads to them.
CREATE INDEX order_free ON orders (book_id, order_id)
    WHERE entry_id IS NULL AND state = 'completed';
