-- Accounts of one person, further proof at signing in.

-- Accounts that one person holds at a vendor: whoever is signed in to one may pay from the other.
-- One row for a pair.
CREATE TABLE account_link (
    book_id BIGINT NOT NULL,
    first_id BYTEA NOT NULL,
    second_id BYTEA NOT NULL,
    linked_at BIGINT NOT NULL,
    linked_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (book_id, first_id, second_id),
    FOREIGN KEY (book_id, first_id) REFERENCES customer (book_id, customer_id),
    FOREIGN KEY (book_id, second_id) REFERENCES customer (book_id, customer_id),
    CHECK (first_id < second_id)
);
CREATE INDEX account_link_second ON account_link (book_id, second_id);

-- The linked account that a customer's session pays from; empty for its own.
ALTER TABLE session ADD COLUMN paying BYTEA;

-- 1 for a session that waits for a one-time code: it opens nothing.
ALTER TABLE session ADD COLUMN waits BIGINT NOT NULL DEFAULT 0 CHECK (waits IN (0, 1));

-- One-time codes of an app, for customers and staff: the secret, encrypted, and the time step of the
-- last code that was taken. Wrong codes in a row are counted.
CREATE TABLE second_factor (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('customer', 'staff')),
    subject BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    is_on BIGINT NOT NULL CHECK (is_on IN (0, 1)),
    last_step BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, kind, subject)
);

-- Codes for when the app is lost, as keyed hashes. One that was used is gone.
CREATE TABLE recovery_code (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('customer', 'staff')),
    subject BYTEA NOT NULL,
    code_hash BYTEA NOT NULL,
    PRIMARY KEY (book_id, kind, subject, code_hash)
);
