-- Vendors, customers, token sales, catalogue and orders.

CREATE TABLE vendor (
    book_id BIGINT NOT NULL REFERENCES book (book_id),
    token_id BIGINT NOT NULL REFERENCES asset (asset_id),
    currency_id BIGINT NOT NULL REFERENCES asset (asset_id),
    minimum_tokens BIGINT NOT NULL CHECK (minimum_tokens >= 0),
    declines_allowed BIGINT NOT NULL CHECK (declines_allowed > 0),
    refund_grace_s BIGINT NOT NULL CHECK (refund_grace_s >= 0),
    data_key BYTEA NOT NULL,
    issued_account BIGINT NOT NULL,
    spent_account BIGINT NOT NULL,
    expired_account BIGINT NOT NULL,
    processor_account BIGINT NOT NULL,
    deferred_account BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (book_id)
);

-- Currency per whole token, in the currency's smallest unit; the newest that has begun counts.
CREATE TABLE token_price (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    effective_at BIGINT NOT NULL,
    price BIGINT NOT NULL CHECK (price > 0),
    PRIMARY KEY (book_id, effective_at)
);

CREATE TABLE counter (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    name TEXT COLLATE "C" NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (book_id, name)
);

CREATE TABLE staff (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    staff_id BYTEA NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL CHECK (role IN ('owner', 'manager', 'cashier', 'auditor')),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, staff_id),
    UNIQUE (book_id, name)
);

CREATE TABLE registration (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    registration_id BYTEA NOT NULL,
    stage TEXT COLLATE "C" NOT NULL CHECK (stage IN ('informed', 'details', 'account', 'closed')),
    channel TEXT COLLATE "C" NOT NULL,
    details BYTEA,
    means TEXT COLLATE "C",
    customer_id BYTEA,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, registration_id)
);

CREATE TABLE customer (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    customer_id BYTEA NOT NULL,
    serial BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('inactive', 'active', 'closed')),
    channel TEXT COLLATE "C" NOT NULL,
    means TEXT COLLATE "C" NOT NULL,
    data_key BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    activated_at BIGINT,
    PRIMARY KEY (book_id, customer_id),
    UNIQUE (book_id, serial)
);

-- Name, address and the like, encrypted under the customer's own key.
CREATE TABLE person_data (
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);

-- Sign-in names, unique over all books: their keyed hash, never the name.
CREATE TABLE directory (
    login_hash BYTEA NOT NULL,
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    PRIMARY KEY (login_hash)
);

CREATE TABLE credential (
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('pin', 'password')),
    hash TEXT COLLATE "C" NOT NULL,
    failures BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, customer_id, kind),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);

-- Where the tokens of a customer are: an account in the book of their debtor.
CREATE TABLE wallet_link (
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    asset_id BIGINT NOT NULL,
    debtor_book BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    PRIMARY KEY (book_id, customer_id, asset_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);

-- A series of attempts to pay; too many declines in a row close it.
CREATE TABLE payment_session (
    book_id BIGINT NOT NULL,
    session_id BYTEA NOT NULL,
    customer_id BYTEA NOT NULL,
    declines BIGINT NOT NULL,
    open BIGINT NOT NULL CHECK (open IN (0, 1)),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, session_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);

CREATE TABLE token_order (
    book_id BIGINT NOT NULL,
    token_order_id BYTEA NOT NULL,
    customer_id BYTEA NOT NULL,
    session_id BYTEA NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    price BIGINT NOT NULL CHECK (price > 0),
    means TEXT COLLATE "C" NOT NULL,
    card TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('awaiting', 'cleared', 'declined')),
    processor_reference TEXT COLLATE "C",
    reason TEXT COLLATE "C",
    reference TEXT COLLATE "C" NOT NULL,
    entry_id BIGINT,
    effective_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    closed_at BIGINT,
    PRIMARY KEY (book_id, token_order_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);

-- Token orders whose payment has no known outcome yet.
CREATE TABLE token_order_awaiting (
    book_id BIGINT NOT NULL,
    token_order_id BYTEA NOT NULL,
    PRIMARY KEY (book_id, token_order_id),
    FOREIGN KEY (book_id, token_order_id) REFERENCES token_order (book_id, token_order_id)
);

CREATE TABLE product (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    product_id BYTEA NOT NULL,
    handle TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    manufacturer TEXT COLLATE "C" NOT NULL,
    category TEXT COLLATE "C" NOT NULL,
    image_url TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, product_id),
    UNIQUE (book_id, handle)
);

CREATE TABLE offer (
    book_id BIGINT NOT NULL,
    offer_id BYTEA NOT NULL,
    product_id BYTEA NOT NULL,
    sku TEXT COLLATE "C" NOT NULL,
    variant TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('purchase', 'time', 'uses', 'processings')),
    price BIGINT NOT NULL CHECK (price >= 0),
    on_sale BIGINT NOT NULL CHECK (on_sale IN (0, 1)),
    active BIGINT NOT NULL CHECK (active IN (0, 1)),
    stocked BIGINT NOT NULL CHECK (stocked IN (0, 1)),
    tiered BIGINT NOT NULL CHECK (tiered IN (0, 1)),
    PRIMARY KEY (book_id, offer_id),
    UNIQUE (book_id, sku),
    FOREIGN KEY (book_id, product_id) REFERENCES product (book_id, product_id)
);

-- A quantity tier: whoever asks for more than the tier before and at most up_to pays price and
-- is granted up_to.
CREATE TABLE offer_tier (
    book_id BIGINT NOT NULL,
    offer_id BYTEA NOT NULL,
    up_to BIGINT NOT NULL CHECK (up_to > 0),
    price BIGINT NOT NULL CHECK (price >= 0),
    PRIMARY KEY (book_id, offer_id, up_to),
    FOREIGN KEY (book_id, offer_id) REFERENCES offer (book_id, offer_id)
);

-- Apart from the offer, because it changes with every sale.
CREATE TABLE stock (
    book_id BIGINT NOT NULL,
    offer_id BYTEA NOT NULL,
    on_hand BIGINT NOT NULL CHECK (on_hand >= 0),
    PRIMARY KEY (book_id, offer_id),
    FOREIGN KEY (book_id, offer_id) REFERENCES offer (book_id, offer_id)
);

CREATE TABLE order_list (
    book_id BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    offer_id BYTEA NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    added_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, customer_id, offer_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id),
    FOREIGN KEY (book_id, offer_id) REFERENCES offer (book_id, offer_id)
);

-- Completed and refused orders alike. No foreign keys: the hot path.
CREATE TABLE orders (
    book_id BIGINT NOT NULL,
    order_id BYTEA NOT NULL,
    customer_id BYTEA NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('completed', 'refused')),
    reason TEXT COLLATE "C",
    total BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    entry_id BIGINT,
    actor TEXT COLLATE "C" NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    effective_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, order_id)
);

-- What was sold: the product-sold record.
CREATE TABLE order_line (
    book_id BIGINT NOT NULL,
    order_id BYTEA NOT NULL,
    line_no BIGINT NOT NULL,
    offer_id BYTEA NOT NULL,
    sku TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    granted BIGINT NOT NULL CHECK (granted > 0),
    unit_price BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (book_id, order_id, line_no)
);

CREATE TABLE refund (
    book_id BIGINT NOT NULL,
    order_id BYTEA NOT NULL,
    refund_no BIGINT NOT NULL,
    entry_id BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    actor TEXT COLLATE "C" NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    effective_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, order_id, refund_no)
);

CREATE TABLE refund_line (
    book_id BIGINT NOT NULL,
    order_id BYTEA NOT NULL,
    refund_no BIGINT NOT NULL,
    line_no BIGINT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    amount BIGINT NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (book_id, order_id, refund_no, line_no)
);

-- Names from outside (an invoice, a customer number of another system), each used once.
CREATE TABLE reference (
    book_id BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    target BYTEA NOT NULL,
    PRIMARY KEY (book_id, kind, reference)
);

-- Answers to commands already done, encrypted.
CREATE TABLE idempotency (
    book_id BIGINT NOT NULL,
    key_hash BYTEA NOT NULL,
    request_hash BYTEA NOT NULL,
    answer BYTEA NOT NULL,
    subject BYTEA,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, key_hash)
);
