-- Vendors, customers, token sales, catalogue and orders.

CREATE TABLE vendor (
    book_id INTEGER NOT NULL REFERENCES book (book_id),
    token_id INTEGER NOT NULL REFERENCES asset (asset_id),
    currency_id INTEGER NOT NULL REFERENCES asset (asset_id),
    minimum_tokens INTEGER NOT NULL CHECK (minimum_tokens >= 0),
    declines_allowed INTEGER NOT NULL CHECK (declines_allowed > 0),
    refund_grace_s INTEGER NOT NULL CHECK (refund_grace_s >= 0),
    data_key BLOB NOT NULL,
    issued_account INTEGER NOT NULL,
    spent_account INTEGER NOT NULL,
    expired_account INTEGER NOT NULL,
    processor_account INTEGER NOT NULL,
    deferred_account INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (book_id)
) STRICT, WITHOUT ROWID;

-- Currency per whole token, in the currency's smallest unit; the newest that has begun counts.
CREATE TABLE token_price (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    effective_at INTEGER NOT NULL,
    price INTEGER NOT NULL CHECK (price > 0),
    PRIMARY KEY (book_id, effective_at)
) STRICT, WITHOUT ROWID;

CREATE TABLE counter (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (book_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE staff (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    staff_id BLOB NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'manager', 'cashier', 'auditor')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, staff_id),
    UNIQUE (book_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE registration (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    registration_id BLOB NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('informed', 'details', 'account', 'closed')),
    channel TEXT NOT NULL,
    details BLOB,
    means TEXT,
    customer_id BLOB,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, registration_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE customer (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    customer_id BLOB NOT NULL,
    serial INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('inactive', 'active', 'closed')),
    channel TEXT NOT NULL,
    means TEXT NOT NULL,
    data_key BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    activated_at INTEGER,
    PRIMARY KEY (book_id, customer_id),
    UNIQUE (book_id, serial)
) STRICT, WITHOUT ROWID;

-- Name, address and the like, encrypted under the customer's own key.
CREATE TABLE person_data (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;

-- Sign-in names, unique over all books: their keyed hash, never the name.
CREATE TABLE directory (
    login_hash BLOB NOT NULL,
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    PRIMARY KEY (login_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE credential (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('pin', 'password')),
    hash TEXT NOT NULL,
    failures INTEGER NOT NULL,
    locked_until INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, customer_id, kind),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;

-- Where the tokens of a customer are: an account in the book of their debtor.
CREATE TABLE wallet_link (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    asset_id INTEGER NOT NULL,
    debtor_book INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    PRIMARY KEY (book_id, customer_id, asset_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;

-- A series of attempts to pay; too many declines in a row close it.
CREATE TABLE payment_session (
    book_id INTEGER NOT NULL,
    session_id BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    declines INTEGER NOT NULL,
    open INTEGER NOT NULL CHECK (open IN (0, 1)),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, session_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE token_order (
    book_id INTEGER NOT NULL,
    token_order_id BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    session_id BLOB NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    price INTEGER NOT NULL CHECK (price > 0),
    means TEXT NOT NULL,
    card TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('awaiting', 'cleared', 'declined')),
    processor_reference TEXT,
    reason TEXT,
    reference TEXT NOT NULL,
    entry_id INTEGER,
    effective_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    closed_at INTEGER,
    PRIMARY KEY (book_id, token_order_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;

-- Token orders whose payment has no known outcome yet.
CREATE TABLE token_order_awaiting (
    book_id INTEGER NOT NULL,
    token_order_id BLOB NOT NULL,
    PRIMARY KEY (book_id, token_order_id),
    FOREIGN KEY (book_id, token_order_id) REFERENCES token_order (book_id, token_order_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE product (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    product_id BLOB NOT NULL,
    handle TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    manufacturer TEXT NOT NULL,
    category TEXT NOT NULL,
    image_url TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, product_id),
    UNIQUE (book_id, handle)
) STRICT, WITHOUT ROWID;

CREATE TABLE offer (
    book_id INTEGER NOT NULL,
    offer_id BLOB NOT NULL,
    product_id BLOB NOT NULL,
    sku TEXT NOT NULL,
    variant TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('purchase', 'time', 'uses', 'processings')),
    price INTEGER NOT NULL CHECK (price >= 0),
    on_sale INTEGER NOT NULL CHECK (on_sale IN (0, 1)),
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    stocked INTEGER NOT NULL CHECK (stocked IN (0, 1)),
    tiered INTEGER NOT NULL CHECK (tiered IN (0, 1)),
    PRIMARY KEY (book_id, offer_id),
    UNIQUE (book_id, sku),
    FOREIGN KEY (book_id, product_id) REFERENCES product (book_id, product_id)
) STRICT, WITHOUT ROWID;

-- A quantity tier: whoever asks for more than the tier before and at most up_to pays price and
-- is granted up_to.
CREATE TABLE offer_tier (
    book_id INTEGER NOT NULL,
    offer_id BLOB NOT NULL,
    up_to INTEGER NOT NULL CHECK (up_to > 0),
    price INTEGER NOT NULL CHECK (price >= 0),
    PRIMARY KEY (book_id, offer_id, up_to),
    FOREIGN KEY (book_id, offer_id) REFERENCES offer (book_id, offer_id)
) STRICT, WITHOUT ROWID;

-- Apart from the offer, because it changes with every sale.
CREATE TABLE stock (
    book_id INTEGER NOT NULL,
    offer_id BLOB NOT NULL,
    on_hand INTEGER NOT NULL CHECK (on_hand >= 0),
    PRIMARY KEY (book_id, offer_id),
    FOREIGN KEY (book_id, offer_id) REFERENCES offer (book_id, offer_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE order_list (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    offer_id BLOB NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    added_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, customer_id, offer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id),
    FOREIGN KEY (book_id, offer_id) REFERENCES offer (book_id, offer_id)
) STRICT, WITHOUT ROWID;

-- Completed and refused orders alike. No foreign keys: the hot path.
CREATE TABLE orders (
    book_id INTEGER NOT NULL,
    order_id BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('completed', 'refused')),
    reason TEXT,
    total INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    entry_id INTEGER,
    actor TEXT NOT NULL,
    reference TEXT NOT NULL,
    effective_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, order_id)
) STRICT, WITHOUT ROWID;

-- What was sold: the product-sold record.
CREATE TABLE order_line (
    book_id INTEGER NOT NULL,
    order_id BLOB NOT NULL,
    line_no INTEGER NOT NULL,
    offer_id BLOB NOT NULL,
    sku TEXT NOT NULL,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    granted INTEGER NOT NULL CHECK (granted > 0),
    unit_price INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (book_id, order_id, line_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE refund (
    book_id INTEGER NOT NULL,
    order_id BLOB NOT NULL,
    refund_no INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    actor TEXT NOT NULL,
    reference TEXT NOT NULL,
    effective_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, order_id, refund_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE refund_line (
    book_id INTEGER NOT NULL,
    order_id BLOB NOT NULL,
    refund_no INTEGER NOT NULL,
    line_no INTEGER NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (book_id, order_id, refund_no, line_no)
) STRICT, WITHOUT ROWID;

-- Names from outside (an invoice, a customer number of another system), each used once.
CREATE TABLE reference (
    book_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reference TEXT NOT NULL,
    target BLOB NOT NULL,
    PRIMARY KEY (book_id, kind, reference)
) STRICT, WITHOUT ROWID;

-- Answers to commands already done, encrypted. With a rowid: the answers are appended, and only
-- the small index over the keys, which come in no order, is written all over.
CREATE TABLE idempotency (
    book_id INTEGER NOT NULL,
    key_hash BLOB NOT NULL,
    request_hash BLOB NOT NULL,
    answer BLOB NOT NULL,
    subject BLOB,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, key_hash)
) STRICT;
