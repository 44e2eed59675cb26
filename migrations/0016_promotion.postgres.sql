-- Promotions: what is taken off prices for a time, for everybody or for those who have a code.

-- When the last promotion without a code ends that was not stopped: a purchase after that looks
-- for none.
ALTER TABLE vendor ADD COLUMN promotions_until BIGINT NOT NULL DEFAULT 0;

-- `chosen` has what `scope` names, one a line. Limits of 0 are none.
CREATE TABLE promotion (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    promotion_id BYTEA NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    begins_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL CHECK (ends_at > begins_at),
    stopped_at BIGINT,
    scope TEXT COLLATE "C" NOT NULL CHECK (scope IN ('all', 'categories', 'manufacturers', 'chosen')),
    chosen TEXT COLLATE "C" NOT NULL,
    cut TEXT COLLATE "C" NOT NULL CHECK (cut IN ('rate', 'each', 'price')),
    cut_value BIGINT NOT NULL CHECK (cut_value >= 0),
    preferred_only BIGINT NOT NULL CHECK (preferred_only IN (0, 1)),
    per_customer BIGINT NOT NULL CHECK (per_customer >= 0),
    in_total BIGINT NOT NULL CHECK (in_total >= 0),
    minimum BIGINT NOT NULL CHECK (minimum >= 0),
    is_coupon BIGINT NOT NULL CHECK (is_coupon IN (0, 1)),
    manufacturer TEXT COLLATE "C" NOT NULL,
    combinable BIGINT NOT NULL CHECK (combinable IN (0, 1)),
    code TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, promotion_id)
);
CREATE INDEX promotion_ends ON promotion (book_id, is_coupon, ends_at);

-- Uses that count towards a limit in total; kept for promotions that have one.
CREATE TABLE promotion_count (
    book_id BIGINT NOT NULL,
    promotion_id BYTEA NOT NULL,
    uses BIGINT NOT NULL CHECK (uses >= 0),
    PRIMARY KEY (book_id, promotion_id),
    FOREIGN KEY (book_id, promotion_id) REFERENCES promotion (book_id, promotion_id)
);

-- Codes of coupons, under a keyed hash. A code that is good once names the order that used it.
CREATE TABLE coupon_code (
    book_id BIGINT NOT NULL,
    code_hash BYTEA NOT NULL,
    promotion_id BYTEA NOT NULL,
    is_single BIGINT NOT NULL CHECK (is_single IN (0, 1)),
    used_by BYTEA,
    issued_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, code_hash),
    FOREIGN KEY (book_id, promotion_id) REFERENCES promotion (book_id, promotion_id)
);
CREATE INDEX coupon_code_promotion ON coupon_code (book_id, promotion_id, used_by);

-- The coupon that a customer has entered for the next order.
CREATE TABLE coupon_entered (
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    code_hash BYTEA NOT NULL,
    entered_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);

-- Wrong codes in a row, by account.
CREATE TABLE coupon_attempt (
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    failures BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);

-- What a promotion took off an order. `customer_id` is the account that the use counts for; it
-- counts no more when it was given back. No foreign keys: the way of a purchase.
CREATE TABLE promotion_use (
    book_id BIGINT NOT NULL,
    promotion_id BYTEA NOT NULL,
    order_id BYTEA NOT NULL,
    customer_id BYTEA NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    code_hash BYTEA,
    is_back BIGINT NOT NULL CHECK (is_back IN (0, 1)),
    effective_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, promotion_id, order_id)
);
CREATE INDEX promotion_use_customer ON promotion_use (book_id, customer_id, promotion_id);
CREATE INDEX promotion_use_time ON promotion_use (book_id, effective_at);

-- The same by line: `off_each` for one, or for the tier.
CREATE TABLE promotion_line (
    book_id BIGINT NOT NULL,
    order_id BYTEA NOT NULL,
    line_no BIGINT NOT NULL,
    promotion_id BYTEA NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    off_each BIGINT NOT NULL CHECK (off_each > 0),
    amount BIGINT NOT NULL CHECK (amount > 0),
    PRIMARY KEY (book_id, order_id, line_no, promotion_id)
);

-- What of it goes with the pieces that a refund takes back.
CREATE TABLE promotion_back (
    book_id BIGINT NOT NULL,
    order_id BYTEA NOT NULL,
    refund_no BIGINT NOT NULL,
    promotion_id BYTEA NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    effective_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, order_id, refund_no, promotion_id)
);
CREATE INDEX promotion_back_time ON promotion_back (book_id, effective_at);
