-- Bundles and tiers of tokens, off-line orders of tokens, gifts.

-- An off-line order has no payment session, and more states than a charge of a card: both columns
-- are made anew, because SQLite does not change the rules of a column that is there.
ALTER TABLE token_order ADD COLUMN standing TEXT NOT NULL DEFAULT 'awaiting'
    CHECK (standing IN ('open', 'awaiting', 'cleared', 'declined', 'failed', 'cancelled'));
UPDATE token_order SET standing = state;
ALTER TABLE token_order DROP COLUMN state;
ALTER TABLE token_order RENAME COLUMN standing TO state;
ALTER TABLE token_order ADD COLUMN session BLOB;
UPDATE token_order SET session = session_id;
ALTER TABLE token_order DROP COLUMN session_id;
ALTER TABLE token_order RENAME COLUMN session TO session_id;

-- How the order came, and what was bought: a pack so many times, or just tokens.
ALTER TABLE token_order ADD COLUMN channel TEXT NOT NULL DEFAULT 'online';
ALTER TABLE token_order ADD COLUMN pack_id BLOB;
ALTER TABLE token_order ADD COLUMN packs INTEGER NOT NULL DEFAULT 0 CHECK (packs >= 0);
-- What the same would have cost without any discount, and which discounts counted.
ALTER TABLE token_order ADD COLUMN list_price INTEGER NOT NULL DEFAULT 0 CHECK (list_price >= 0);
ALTER TABLE token_order ADD COLUMN discount TEXT NOT NULL DEFAULT '';
-- What the tokens may pay for, and for how many days they live.
ALTER TABLE token_order ADD COLUMN restriction TEXT;
ALTER TABLE token_order ADD COLUMN life_days INTEGER CHECK (life_days > 0);
-- Off line: when tokens are credited, who took, accepted and closed the order, the number of the
-- payment, and by when it is due.
ALTER TABLE token_order ADD COLUMN credit_point TEXT NOT NULL DEFAULT 'receipt'
    CHECK (credit_point IN ('acceptance', 'receipt'));
ALTER TABLE token_order ADD COLUMN taken_by TEXT NOT NULL DEFAULT '';
ALTER TABLE token_order ADD COLUMN accepted_by TEXT NOT NULL DEFAULT '';
ALTER TABLE token_order ADD COLUMN accepted_at INTEGER;
ALTER TABLE token_order ADD COLUMN closed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE token_order ADD COLUMN payment_reference TEXT NOT NULL DEFAULT '';
ALTER TABLE token_order ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0;
-- The grant of the tokens, the money that came, what is still owed for tokens issued before
-- payment, and the tokens that were taken back when the payment failed.
ALTER TABLE token_order ADD COLUMN grant_id INTEGER;
ALTER TABLE token_order ADD COLUMN paid INTEGER NOT NULL DEFAULT 0 CHECK (paid >= 0);
ALTER TABLE token_order ADD COLUMN owed INTEGER NOT NULL DEFAULT 0 CHECK (owed >= 0);
ALTER TABLE token_order ADD COLUMN taken_back INTEGER NOT NULL DEFAULT 0
    CHECK (taken_back >= 0);
-- What the check of the customer's credit said; empty where there was none.
ALTER TABLE token_order ADD COLUMN credit_verdict TEXT NOT NULL DEFAULT '';
CREATE INDEX token_order_reference ON token_order (book_id, reference);
CREATE INDEX token_order_offline ON token_order (book_id, state, token_order_id)
    WHERE means <> 'card';
CREATE INDEX token_order_owed ON token_order (book_id, due_at, token_order_id) WHERE owed > 0;
CREATE INDEX token_order_debtor ON token_order (book_id, customer_id, due_at) WHERE owed > 0;

-- Money that came for an off-line order, in the order in which it came.
CREATE TABLE token_payment (
    book_id INTEGER NOT NULL,
    token_order_id BLOB NOT NULL,
    payment_no INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    reference TEXT NOT NULL,
    taken_by TEXT NOT NULL,
    entry_id INTEGER NOT NULL,
    paid_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, token_order_id, payment_no)
) STRICT, WITHOUT ROWID;

-- Tokens sold together: a denomination with a price of its own, or a bundle at a rate off the
-- price of single tokens, in basis points. The audit trail has its earlier forms.
CREATE TABLE token_pack (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    pack_id BLOB NOT NULL,
    name TEXT NOT NULL,
    tokens INTEGER NOT NULL CHECK (tokens > 0),
    price INTEGER CHECK (price > 0),
    off INTEGER NOT NULL CHECK (off BETWEEN 0 AND 9999),
    restriction TEXT,
    life_days INTEGER CHECK (life_days > 0),
    country TEXT NOT NULL,
    sold_from INTEGER NOT NULL,
    sold_until INTEGER NOT NULL,
    version INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, pack_id)
) STRICT, WITHOUT ROWID;

-- Off the price, in basis points, for so many tokens and more: for everybody (preferred 0), or
-- for preferred customers.
CREATE TABLE token_tier (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    preferred INTEGER NOT NULL CHECK (preferred IN (0, 1)),
    from_tokens INTEGER NOT NULL CHECK (from_tokens >= 0),
    off INTEGER NOT NULL CHECK (off BETWEEN 1 AND 9999),
    PRIMARY KEY (book_id, preferred, from_tokens)
) STRICT, WITHOUT ROWID;

-- The price of one token where it differs by country; NULL where it does no more.
CREATE TABLE token_country_price (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    country TEXT NOT NULL,
    effective_at INTEGER NOT NULL,
    price INTEGER CHECK (price > 0),
    PRIMARY KEY (book_id, country, effective_at)
) STRICT, WITHOUT ROWID;

-- Tokens that were given. A customer gets what is said to happen once, once.
CREATE TABLE token_gift (
    book_id INTEGER NOT NULL,
    gift_id BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    route TEXT NOT NULL,
    once TEXT NOT NULL,
    tokens INTEGER NOT NULL CHECK (tokens > 0),
    reason TEXT NOT NULL,
    given_by TEXT NOT NULL,
    grant_id INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    given_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, gift_id),
    UNIQUE (book_id, customer_id, once),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;

-- How far gifts that come by themselves have got: after this row of the table they go through.
CREATE TABLE gift_round (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    route TEXT NOT NULL,
    period TEXT NOT NULL,
    reached BLOB NOT NULL,
    done INTEGER NOT NULL CHECK (done IN (0, 1)),
    PRIMARY KEY (book_id, route, period)
) STRICT, WITHOUT ROWID;

-- Tokens that a customer has spent since loyalty is rewarded, and how many rewards they gave.
CREATE TABLE loyalty (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    spent INTEGER NOT NULL,
    rewards INTEGER NOT NULL CHECK (rewards >= 0),
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;
