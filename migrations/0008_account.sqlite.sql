-- Standing, identity checks, erasure and families.

-- What the vendor thinks of a customer, and where the customer lives: prices and credit go by it.
ALTER TABLE customer ADD COLUMN preferred INTEGER NOT NULL DEFAULT 0 CHECK (preferred IN (0, 1));
ALTER TABLE customer ADD COLUMN credit_status TEXT NOT NULL DEFAULT 'good'
    CHECK (credit_status IN ('good', 'watch', 'poor'));
-- ISO 3166-1, two letters; empty when not known.
ALTER TABLE customer ADD COLUMN country TEXT NOT NULL DEFAULT '';
-- The API key of the affiliate that opened the account; empty for the vendor itself.
ALTER TABLE customer ADD COLUMN opened_by TEXT NOT NULL DEFAULT '';
ALTER TABLE registration ADD COLUMN opened_by TEXT NOT NULL DEFAULT '';
-- The account that a duplicate was merged into.
ALTER TABLE customer ADD COLUMN merged_into BLOB;
-- When the person was erased.
ALTER TABLE customer ADD COLUMN erased_at INTEGER;
-- 1 for a child of a family: then, and only then, purchases look at its limits.
ALTER TABLE customer ADD COLUMN has_parent INTEGER NOT NULL DEFAULT 0 CHECK (has_parent IN (0, 1));
CREATE INDEX customer_merged ON customer (book_id, merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX directory_customer ON directory (book_id, customer_id);

-- Tokens that a new account is to be opened with.
CREATE TABLE opening (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    tokens INTEGER NOT NULL CHECK (tokens > 0),
    fee INTEGER NOT NULL CHECK (fee >= 0),
    state TEXT NOT NULL CHECK (state IN ('due', 'given')),
    token_order_id BLOB,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;

-- Answers to the vendor's questions, as slow hashes like PINs. The question is its keyed hash.
CREATE TABLE identity_answer (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    question_hash BLOB NOT NULL,
    hash TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, customer_id, question_hash),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;

-- Wrong answers in a row; one count for all questions.
CREATE TABLE identity_attempt (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    failures INTEGER NOT NULL,
    locked_until INTEGER NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;

-- Customers who gave a right answer, for a few minutes, and to whom: a session or a member of staff.
CREATE TABLE identity_check (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    checker TEXT NOT NULL,
    checked_until INTEGER NOT NULL,
    PRIMARY KEY (book_id, customer_id, checker),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;

-- Reasons of refund requests, encrypted under the customer's key. The old column stays empty.
ALTER TABLE refund_request ADD COLUMN sealed_reason BLOB;
CREATE INDEX refund_request_customer ON refund_request (book_id, customer_id);

-- Money that came for an account that was closed: it is to be paid back.
CREATE TABLE payback (
    book_id INTEGER NOT NULL,
    token_order_id BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    processor_reference TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    settled_at INTEGER,
    settled_by TEXT,
    PRIMARY KEY (book_id, token_order_id)
) STRICT, WITHOUT ROWID;

-- A child's account, its parent and its limits; a cap that is NULL does not limit.
CREATE TABLE family (
    book_id INTEGER NOT NULL,
    child_id BLOB NOT NULL,
    parent_id BLOB NOT NULL,
    day_cap INTEGER CHECK (day_cap >= 0),
    week_cap INTEGER CHECK (week_cap >= 0),
    month_cap INTEGER CHECK (month_cap >= 0),
    limited INTEGER NOT NULL CHECK (limited IN (0, 1)),
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (book_id, child_id),
    FOREIGN KEY (book_id, child_id) REFERENCES customer (book_id, customer_id),
    FOREIGN KEY (book_id, parent_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX family_parent ON family (book_id, parent_id);

-- Categories that a child with limited = 1 may buy from.
CREATE TABLE family_category (
    book_id INTEGER NOT NULL,
    child_id BLOB NOT NULL,
    category TEXT NOT NULL,
    PRIMARY KEY (book_id, child_id, category),
    FOREIGN KEY (book_id, child_id) REFERENCES family (book_id, child_id)
) STRICT, WITHOUT ROWID;

-- What a child spent on a day, less what came back of it. Days count from 1970, in UTC.
CREATE TABLE family_spending (
    book_id INTEGER NOT NULL,
    child_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    PRIMARY KEY (book_id, child_id, day)
) STRICT, WITHOUT ROWID;

-- A parent asked; it is a family when the child has agreed, with its own PIN.
CREATE TABLE family_invitation (
    book_id INTEGER NOT NULL,
    child_id BLOB NOT NULL,
    parent_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, child_id, parent_id),
    FOREIGN KEY (book_id, child_id) REFERENCES customer (book_id, customer_id),
    FOREIGN KEY (book_id, parent_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX family_invitation_parent ON family_invitation (book_id, parent_id);
