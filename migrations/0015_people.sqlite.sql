-- Accounts of one person, further proof at signing in.

-- Accounts that one person holds at a vendor: whoever is signed in to one may pay from the other.
-- One row for a pair.
CREATE TABLE account_link (
    book_id INTEGER NOT NULL,
    first_id BLOB NOT NULL,
    second_id BLOB NOT NULL,
    linked_at INTEGER NOT NULL,
    linked_by TEXT NOT NULL,
    PRIMARY KEY (book_id, first_id, second_id),
    FOREIGN KEY (book_id, first_id) REFERENCES customer (book_id, customer_id),
    FOREIGN KEY (book_id, second_id) REFERENCES customer (book_id, customer_id),
    CHECK (first_id < second_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX account_link_second ON account_link (book_id, second_id);

-- The linked account that a customer's session pays from; empty for its own.
ALTER TABLE session ADD COLUMN paying BLOB;

-- 1 for a session that waits for a one-time code: it opens nothing.
ALTER TABLE session ADD COLUMN waits INTEGER NOT NULL DEFAULT 0 CHECK (waits IN (0, 1));

-- One-time codes of an app, for customers and staff: the secret, encrypted, and the time step of the
-- last code that was taken. Wrong codes in a row are counted.
CREATE TABLE second_factor (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    kind TEXT NOT NULL CHECK (kind IN ('customer', 'staff')),
    subject BLOB NOT NULL,
    sealed BLOB NOT NULL,
    is_on INTEGER NOT NULL CHECK (is_on IN (0, 1)),
    last_step INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    locked_until INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, kind, subject)
) STRICT, WITHOUT ROWID;

-- Codes for when the app is lost, as keyed hashes. One that was used is gone.
CREATE TABLE recovery_code (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    kind TEXT NOT NULL CHECK (kind IN ('customer', 'staff')),
    subject BLOB NOT NULL,
    code_hash BLOB NOT NULL,
    PRIMARY KEY (book_id, kind, subject, code_hash)
) STRICT, WITHOUT ROWID;
