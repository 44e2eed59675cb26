-- Promotions: what is taken off prices for a time, for everybody or for those who have a code.

-- When the last promotion without a code ends that was not stopped: a purchase after that looks
-- for none.
ALTER TABLE vendor ADD COLUMN promotions_until INTEGER NOT NULL DEFAULT 0;

-- `chosen` has what `scope` names, one a line. Limits of 0 are none.
CREATE TABLE promotion (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    promotion_id BLOB NOT NULL,
    name TEXT NOT NULL,
    begins_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL CHECK (ends_at > begins_at),
    stopped_at INTEGER,
    scope TEXT NOT NULL CHECK (scope IN ('all', 'categories', 'manufacturers', 'chosen')),
    chosen TEXT NOT NULL,
    cut TEXT NOT NULL CHECK (cut IN ('rate', 'each', 'price')),
    cut_value INTEGER NOT NULL CHECK (cut_value >= 0),
    preferred_only INTEGER NOT NULL CHECK (preferred_only IN (0, 1)),
    per_customer INTEGER NOT NULL CHECK (per_customer >= 0),
    in_total INTEGER NOT NULL CHECK (in_total >= 0),
    minimum INTEGER NOT NULL CHECK (minimum >= 0),
    is_coupon INTEGER NOT NULL CHECK (is_coupon IN (0, 1)),
    manufacturer TEXT NOT NULL,
    combinable INTEGER NOT NULL CHECK (combinable IN (0, 1)),
    code TEXT NOT NULL,
    version INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, promotion_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX promotion_ends ON promotion (book_id, is_coupon, ends_at);

-- Uses that count towards a limit in total; kept for promotions that have one.
CREATE TABLE promotion_count (
    book_id INTEGER NOT NULL,
    promotion_id BLOB NOT NULL,
    uses INTEGER NOT NULL CHECK (uses >= 0),
    PRIMARY KEY (book_id, promotion_id),
    FOREIGN KEY (book_id, promotion_id) REFERENCES promotion (book_id, promotion_id)
) STRICT, WITHOUT ROWID;

-- Codes of coupons, under a keyed hash. A code that is good once names the order that used it.
CREATE TABLE coupon_code (
    book_id INTEGER NOT NULL,
    code_hash BLOB NOT NULL,
    promotion_id BLOB NOT NULL,
    is_single INTEGER NOT NULL CHECK (is_single IN (0, 1)),
    used_by BLOB,
    issued_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, code_hash),
    FOREIGN KEY (book_id, promotion_id) REFERENCES promotion (book_id, promotion_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX coupon_code_promotion ON coupon_code (book_id, promotion_id, used_by);

-- The coupon that a customer has entered for the next order.
CREATE TABLE coupon_entered (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    code_hash BLOB NOT NULL,
    entered_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;

-- Wrong codes in a row, by account.
CREATE TABLE coupon_attempt (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    failures INTEGER NOT NULL,
    locked_until INTEGER NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;

-- What a promotion took off an order. `customer_id` is the account that the use counts for; it
-- counts no more when it was given back. No foreign keys: the way of a purchase.
CREATE TABLE promotion_use (
    book_id INTEGER NOT NULL,
    promotion_id BLOB NOT NULL,
    order_id BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    code_hash BLOB,
    is_back INTEGER NOT NULL CHECK (is_back IN (0, 1)),
    effective_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, promotion_id, order_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX promotion_use_customer ON promotion_use (book_id, customer_id, promotion_id);
CREATE INDEX promotion_use_time ON promotion_use (book_id, effective_at);

-- The same by line: `off_each` for one, or for the tier.
CREATE TABLE promotion_line (
    book_id INTEGER NOT NULL,
    order_id BLOB NOT NULL,
    line_no INTEGER NOT NULL,
    promotion_id BLOB NOT NULL,
    name TEXT NOT NULL,
    off_each INTEGER NOT NULL CHECK (off_each > 0),
    amount INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (book_id, order_id, line_no, promotion_id)
) STRICT, WITHOUT ROWID;

-- What of it goes with the pieces that a refund takes back.
CREATE TABLE promotion_back (
    book_id INTEGER NOT NULL,
    order_id BLOB NOT NULL,
    refund_no INTEGER NOT NULL,
    promotion_id BLOB NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    effective_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, order_id, refund_no, promotion_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX promotion_back_time ON promotion_back (book_id, effective_at);
