-- What the web front and the API need: storefronts, sessions, keys, requests.

-- How a vendor's shop looks and what its first page says; an empty introduction is no first page.
CREATE TABLE storefront (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    hue TEXT COLLATE "C" NOT NULL,
    mark TEXT COLLATE "C" NOT NULL,
    headline TEXT COLLATE "C" NOT NULL,
    introduction TEXT COLLATE "C" NOT NULL,
    sells TEXT COLLATE "C" NOT NULL CHECK (sells IN ('software', 'goods')),
    PRIMARY KEY (book_id)
);

-- Someone signed in. Only the hash of the token is kept.
CREATE TABLE session (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    token_hash BYTEA NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('customer', 'staff')),
    subject BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, token_hash)
);
CREATE INDEX session_subject ON session (book_id, subject);

-- Keys of programs. Only the hash of the secret is kept; scopes are names with spaces between.
CREATE TABLE api_key (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    key_id BYTEA NOT NULL,
    secret_hash BYTEA NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    scopes TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    PRIMARY KEY (book_id, key_id)
);

CREATE TABLE staff_credential (
    book_id BIGINT NOT NULL,
    staff_id BYTEA NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    failures BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, staff_id),
    FOREIGN KEY (book_id, staff_id) REFERENCES staff (book_id, staff_id)
);

-- A code that staff give to a customer who forgot the PIN; one at a time.
CREATE TABLE pin_reset (
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    code_hash BYTEA NOT NULL,
    failures BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);

-- Attempts at names that nobody has. They are counted and locked like those at names that exist:
-- otherwise a lock would tell that there is an account.
CREATE TABLE stray_attempt (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    name_hash BYTEA NOT NULL,
    failures BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    PRIMARY KEY (book_id, name_hash)
);

-- A customer asks for tokens back; staff refund or decline.
CREATE TABLE refund_request (
    book_id BIGINT NOT NULL,
    order_id BYTEA NOT NULL,
    customer_id BYTEA NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'refunded', 'declined')),
    answer TEXT COLLATE "C" NOT NULL,
    asked_at BIGINT NOT NULL,
    closed_at BIGINT,
    closed_by TEXT COLLATE "C",
    PRIMARY KEY (book_id, order_id)
);
CREATE INDEX refund_request_open ON refund_request (book_id, asked_at) WHERE state = 'open';

-- A line may stay on the list without being counted: its box is not ticked.
ALTER TABLE order_list ADD COLUMN selected BIGINT NOT NULL DEFAULT 1 CHECK (selected IN (0, 1));
-- The size of what is downloaded, in kilobytes; 0 where nothing is.
ALTER TABLE product ADD COLUMN download_kb BIGINT NOT NULL DEFAULT 0 CHECK (download_kb >= 0);

CREATE INDEX product_category ON product (book_id, category, product_id);
CREATE INDEX offer_product ON offer (book_id, product_id, active);
CREATE INDEX token_order_customer ON token_order (book_id, customer_id, token_order_id);

-- What was said when a purchase of tokens ended, so that it is said again: whether it made the
-- account active, and how many attempts a declined one left.
ALTER TABLE token_order ADD COLUMN activated BIGINT NOT NULL DEFAULT 0 CHECK (activated IN (0, 1));
ALTER TABLE token_order ADD COLUMN attempts_left BIGINT;
-- What happened on a day, where the primary key does not say when it did.
CREATE INDEX token_order_closed ON token_order (book_id, closed_at);
CREATE INDEX refund_recorded ON refund (book_id, recorded_at);
CREATE INDEX customer_activated ON customer (book_id, activated_at);
