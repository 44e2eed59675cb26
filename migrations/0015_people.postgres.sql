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
