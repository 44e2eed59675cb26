-- Standing, identity checks, erasure and families.

-- What the vendor thinks of a customer, and where the customer lives: prices and credit go by it.
ALTER TABLE customer ADD COLUMN preferred BIGINT NOT NULL DEFAULT 0 CHECK (preferred IN (0, 1));
ALTER TABLE customer ADD COLUMN credit_status TEXT COLLATE "C" NOT NULL DEFAULT 'good'
    CHECK (credit_status IN ('good', 'watch', 'poor'));
-- ISO 3166-1, two letters; empty when not known.
ALTER TABLE customer ADD COLUMN country TEXT COLLATE "C" NOT NULL DEFAULT '';
-- The API key of the affiliate that opened the account; empty for the vendor itself.
ALTER TABLE customer ADD COLUMN opened_by TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE registration ADD COLUMN opened_by TEXT COLLATE "C" NOT NULL DEFAULT '';
-- The account that a duplicate was merged into.
ALTER TABLE customer ADD COLUMN merged_into BYTEA;
-- When the person was erased.
ALTER TABLE customer ADD COLUMN erased_at BIGINT;
-- 1 for a child of a family: then, and only then, purchases look at its limits.
ALTER TABLE customer ADD COLUMN has_parent BIGINT NOT NULL DEFAULT 0 CHECK (has_parent IN (0, 1));
CREATE INDEX customer_merged ON customer (book_id, merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX directory_customer ON directory (book_id, customer_id);

-- Tokens that a new account is to be opened with.
CREATE TABLE opening (
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    tokens BIGINT NOT NULL CHECK (tokens > 0),
    fee BIGINT NOT NULL CHECK (fee >= 0),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('due', 'given')),
    token_order_id BYTEA,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);

-- Answers to the vendor's questions, as slow hashes like PINs. The question is its keyed hash.
CREATE TABLE identity_answer (
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    question_hash BYTEA NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, customer_id, question_hash),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);

-- Wrong answers in a row; one count for all questions.
CREATE TABLE identity_attempt (
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    failures BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);

-- Customers who gave a right answer, for a few minutes, and to whom: a session or a member of staff.
CREATE TABLE identity_check (
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    checker TEXT COLLATE "C" NOT NULL,
    checked_until BIGINT NOT NULL,
    PRIMARY KEY (book_id, customer_id, checker),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);

-- Reasons of refund requests, encrypted under the customer's key. The old column stays empty.
ALTER TABLE refund_request ADD COLUMN sealed_reason BYTEA;
CREATE INDEX refund_request_customer ON refund_request (book_id, customer_id);

-- Money that came for an account that was closed: it is to be paid back.
CREATE TABLE payback (
    book_id BIGINT NOT NULL,
    token_order_id BYTEA NOT NULL,
    customer_id BYTEA NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    processor_reference TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    settled_at BIGINT,
    settled_by TEXT COLLATE "C",
    PRIMARY KEY (book_id, token_order_id)
);

-- A child's account, its parent and its limits; a cap that is NULL does not limit.
CREATE TABLE family (
    book_id BIGINT NOT NULL,
    child_id BYTEA NOT NULL,
    parent_id BYTEA NOT NULL,
    day_cap BIGINT CHECK (day_cap >= 0),
    week_cap BIGINT CHECK (week_cap >= 0),
    month_cap BIGINT CHECK (month_cap >= 0),
    limited BIGINT NOT NULL CHECK (limited IN (0, 1)),
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (book_id, child_id),
    FOREIGN KEY (book_id, child_id) REFERENCES customer (book_id, customer_id),
    FOREIGN KEY (book_id, parent_id) REFERENCES customer (book_id, customer_id)
);
CREATE INDEX family_parent ON family (book_id, parent_id);

-- Categories that a child with limited = 1 may buy from.
CREATE TABLE family_category (
    book_id BIGINT NOT NULL,
    child_id BYTEA NOT NULL,
    category TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (book_id, child_id, category),
    FOREIGN KEY (book_id, child_id) REFERENCES family (book_id, child_id)
);

-- What a child spent on a day, less what came back of it. Days count from 1970, in UTC.
CREATE TABLE family_spending (
    book_id BIGINT NOT NULL,
    child_id BYTEA NOT NULL,
    day BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    PRIMARY KEY (book_id, child_id, day)
);

-- A parent asked; it is a family when the child has agreed, with its own PIN.
CREATE TABLE family_invitation (
    book_id BIGINT NOT NULL,
    child_id BYTEA NOT NULL,
    parent_id BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, child_id, parent_id),
    FOREIGN KEY (book_id, child_id) REFERENCES customer (book_id, customer_id),
    FOREIGN KEY (book_id, parent_id) REFERENCES customer (book_id, customer_id)
);
CREATE INDEX family_invitation_parent ON family_invitation (book_id, parent_id);
