-- Bundles and tiers of tokens, off-line orders of tokens, gifts.

-- An off-line order has no payment session, and more states than a charge of a card.
ALTER TABLE token_order DROP CONSTRAINT token_order_state_check;
ALTER TABLE token_order ADD CONSTRAINT token_order_state_check
    CHECK (state IN ('open', 'awaiting', 'cleared', 'declined', 'failed', 'cancelled'));
ALTER TABLE token_order ALTER COLUMN session_id DROP NOT NULL;

-- How the order came, and what was bought: a pack so many times, or just tokens.
ALTER TABLE token_order ADD COLUMN channel TEXT COLLATE "C" NOT NULL DEFAULT 'online';
ALTER TABLE token_order ADD COLUMN pack_id BYTEA;
ALTER TABLE token_order ADD COLUMN packs BIGINT NOT NULL DEFAULT 0 CHECK (packs >= 0);
-- What the same would have cost without any discount, and which discounts counted.
ALTER TABLE token_order ADD COLUMN list_price BIGINT NOT NULL DEFAULT 0 CHECK (list_price >= 0);
ALTER TABLE token_order ADD COLUMN discount TEXT COLLATE "C" NOT NULL DEFAULT '';
-- What the tokens may pay for, and for how many days they live.
ALTER TABLE token_order ADD COLUMN restriction TEXT COLLATE "C";
ALTER TABLE token_order ADD COLUMN life_days BIGINT CHECK (life_days > 0);
-- Off line: when tokens are credited, who took, accepted and closed the order, the number of the
-- payment, and by when it is due.
ALTER TABLE token_order ADD COLUMN credit_point TEXT COLLATE "C" NOT NULL DEFAULT 'receipt'
    CHECK (credit_point IN ('acceptance', 'receipt'));
ALTER TABLE token_order ADD COLUMN taken_by TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE token_order ADD COLUMN accepted_by TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE token_order ADD COLUMN accepted_at BIGINT;
ALTER TABLE token_order ADD COLUMN closed_by TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE token_order ADD COLUMN payment_reference TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE token_order ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
-- The grant of the tokens, the money that came, what is still owed for tokens issued before
-- payment, and the tokens that were taken back when the payment failed.
ALTER TABLE token_order ADD COLUMN grant_id BIGINT;
ALTER TABLE token_order ADD COLUMN paid BIGINT NOT NULL DEFAULT 0 CHECK (paid >= 0);
ALTER TABLE token_order ADD COLUMN owed BIGINT NOT NULL DEFAULT 0 CHECK (owed >= 0);
ALTER TABLE token_order ADD COLUMN taken_back BIGINT NOT NULL DEFAULT 0
    CHECK (taken_back >= 0);
-- What the check of the customer's credit said; empty where there was none.
ALTER TABLE token_order ADD COLUMN credit_verdict TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX token_order_reference ON token_order (book_id, reference);
CREATE INDEX token_order_offline ON token_order (book_id, state, token_order_id)
    WHERE means <> 'card';
CREATE INDEX token_order_owed ON token_order (book_id, due_at, token_order_id) WHERE owed > 0;
CREATE INDEX token_order_debtor ON token_order (book_id, customer_id, due_at) WHERE owed > 0;

-- Money that came for an off-line order, in the order in which it came.
CREATE TABLE token_payment (
    book_id BIGINT NOT NULL,
    token_order_id BYTEA NOT NULL,
    payment_no BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    reference TEXT COLLATE "C" NOT NULL,
    taken_by TEXT COLLATE "C" NOT NULL,
    entry_id BIGINT NOT NULL,
    paid_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, token_order_id, payment_no)
);

-- Tokens sold together: a denomination with a price of its own, or a bundle at a rate off the
-- price of single tokens, in basis points. The audit trail has its earlier forms.
CREATE TABLE token_pack (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    pack_id BYTEA NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    tokens BIGINT NOT NULL CHECK (tokens > 0),
    price BIGINT CHECK (price > 0),
    off BIGINT NOT NULL CHECK (off BETWEEN 0 AND 9999),
    restriction TEXT COLLATE "C",
    life_days BIGINT CHECK (life_days > 0),
    country TEXT COLLATE "C" NOT NULL,
    sold_from BIGINT NOT NULL,
    sold_until BIGINT NOT NULL,
    version BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, pack_id)
);

-- Off the price, in basis points, for so many tokens and more: for everybody (preferred 0), or
-- for preferred customers.
CREATE TABLE token_tier (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    preferred BIGINT NOT NULL CHECK (preferred IN (0, 1)),
    from_tokens BIGINT NOT NULL CHECK (from_tokens >= 0),
    off BIGINT NOT NULL CHECK (off BETWEEN 1 AND 9999),
    PRIMARY KEY (book_id, preferred, from_tokens)
);

-- The price of one token where it differs by country; NULL where it does no more.
CREATE TABLE token_country_price (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    country TEXT COLLATE "C" NOT NULL,
    effective_at BIGINT NOT NULL,
    price BIGINT CHECK (price > 0),
    PRIMARY KEY (book_id, country, effective_at)
);

-- Tokens that were given. A customer gets what is said to happen once, once.
CREATE TABLE token_gift (
    book_id BIGINT NOT NULL,
    gift_id BYTEA NOT NULL,
    customer_id BYTEA NOT NULL,
    route TEXT COLLATE "C" NOT NULL,
    once TEXT COLLATE "C" NOT NULL,
    tokens BIGINT NOT NULL CHECK (tokens > 0),
    reason TEXT COLLATE "C" NOT NULL,
    given_by TEXT COLLATE "C" NOT NULL,
    grant_id BIGINT NOT NULL,
    entry_id BIGINT NOT NULL,
    given_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, gift_id),
    UNIQUE (book_id, customer_id, once),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);

-- How far gifts that come by themselves have got: after this row of the table they go through.
CREATE TABLE gift_round (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    route TEXT COLLATE "C" NOT NULL,
    period TEXT COLLATE "C" NOT NULL,
    reached BYTEA NOT NULL,
    done BIGINT NOT NULL CHECK (done IN (0, 1)),
    PRIMARY KEY (book_id, route, period)
);

-- Tokens that a customer has spent since loyalty is rewarded, and how many rewards they gave.
CREATE TABLE loyalty (
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    spent BIGINT NOT NULL,
    rewards BIGINT NOT NULL CHECK (rewards >= 0),
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);
