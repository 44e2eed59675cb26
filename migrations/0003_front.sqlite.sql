-- What the web front and the API need: storefronts, sessions, keys, requests.

-- How a vendor's shop looks and what its first page says; an empty introduction is no first page.
CREATE TABLE storefront (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    hue TEXT NOT NULL,
    mark TEXT NOT NULL,
    headline TEXT NOT NULL,
    introduction TEXT NOT NULL,
    sells TEXT NOT NULL CHECK (sells IN ('software', 'goods')),
    PRIMARY KEY (book_id)
) STRICT, WITHOUT ROWID;

-- Someone signed in. Only the hash of the token is kept.
CREATE TABLE session (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    token_hash BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('customer', 'staff')),
    subject BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, token_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_subject ON session (book_id, subject);

-- Keys of programs. Only the hash of the secret is kept; scopes are names with spaces between.
CREATE TABLE api_key (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    key_id BLOB NOT NULL,
    secret_hash BLOB NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (book_id, key_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE staff_credential (
    book_id INTEGER NOT NULL,
    staff_id BLOB NOT NULL,
    hash TEXT NOT NULL,
    failures INTEGER NOT NULL,
    locked_until INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, staff_id),
    FOREIGN KEY (book_id, staff_id) REFERENCES staff (book_id, staff_id)
) STRICT, WITHOUT ROWID;

-- A code that staff give to a customer who forgot the PIN; one at a time.
CREATE TABLE pin_reset (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    code_hash BLOB NOT NULL,
    failures INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;

-- Attempts at names that nobody has. They are counted and locked like those at names that exist:
-- otherwise a lock would tell that there is an account.
CREATE TABLE stray_attempt (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    name_hash BLOB NOT NULL,
    failures INTEGER NOT NULL,
    locked_until INTEGER NOT NULL,
    PRIMARY KEY (book_id, name_hash)
) STRICT, WITHOUT ROWID;

-- A customer asks for tokens back; staff refund or decline.
CREATE TABLE refund_request (
    book_id INTEGER NOT NULL,
    order_id BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'refunded', 'declined')),
    answer TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    closed_at INTEGER,
    closed_by TEXT,
    PRIMARY KEY (book_id, order_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX refund_request_open ON refund_request (book_id, asked_at) WHERE state = 'open';

-- A line may stay on the list without being counted: its box is not ticked.
ALTER TABLE order_list ADD COLUMN selected INTEGER NOT NULL DEFAULT 1 CHECK (selected IN (0, 1));
-- The size of what is downloaded, in kilobytes; 0 where nothing is.
ALTER TABLE product ADD COLUMN download_kb INTEGER NOT NULL DEFAULT 0 CHECK (download_kb >= 0);

CREATE INDEX product_category ON product (book_id, category, product_id);
CREATE INDEX offer_product ON offer (book_id, product_id, active);
CREATE INDEX token_order_customer ON token_order (book_id, customer_id, token_order_id);

-- What was said when a purchase of tokens ended, so that it is said again: whether it made the
-- account active, and how many attempts a declined one left.
ALTER TABLE token_order ADD COLUMN activated INTEGER NOT NULL DEFAULT 0 CHECK (activated IN (0, 1));
ALTER TABLE token_order ADD COLUMN attempts_left INTEGER;
-- What happened on a day, where the primary key does not say when it did.
CREATE INDEX token_order_closed ON token_order (book_id, closed_at);
CREATE INDEX refund_recorded ON refund (book_id, recorded_at);
CREATE INDEX customer_activated ON customer (book_id, activated_at);
