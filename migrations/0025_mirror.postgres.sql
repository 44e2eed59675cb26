-- What the mall hears of its members: each use, records of customers and of their closed tokens,
-- tolls, deposits.

ALTER TABLE mall_member ADD COLUMN mirrors TEXT COLLATE "C" NOT NULL DEFAULT 'all'
    CHECK (mirrors IN ('all', 'tokens', 'none'));
ALTER TABLE mall_member ADD COLUMN takes_royalty TEXT COLLATE "C" NOT NULL DEFAULT 'billed'
    CHECK (takes_royalty IN ('billed', 'deposit'));

-- A member's deposit at the mall: its accounts in both books, what is left as far as the mall has
-- drawn it, and where a warning is due.
CREATE TABLE mall_deposit (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    member_book BIGINT NOT NULL,
    member_account BIGINT NOT NULL,
    mall_account BIGINT NOT NULL,
    remaining BIGINT NOT NULL,
    low_water BIGINT NOT NULL CHECK (low_water >= 0),
    PRIMARY KEY (book_id, member_book)
);

-- One row for each thing that a member told, once: source is the number of its message.
CREATE TABLE mall_use (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    member_book BIGINT NOT NULL,
    source BIGINT NOT NULL,
    what TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    token TEXT COLLATE "C" NOT NULL,
    tokens BIGINT NOT NULL,
    royalty BIGINT NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    happened_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, member_book, source)
);

-- person is what the member keeps, as it keeps it: sealed with a key that stays there.
CREATE TABLE mall_mirror (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    member_book BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    person BYTEA,
    balance BIGINT NOT NULL,
    heard_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, member_book, customer_id)
);

-- What each event costs that the mall takes a toll for, in its currency.
CREATE TABLE mall_toll (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('information', 'customer', 'reimbursement')),
    price BIGINT NOT NULL CHECK (price >= 0),
    PRIMARY KEY (book_id, kind)
);

-- Members under a parent, whose tokens it may give one value.
CREATE TABLE mall_franchise (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    member_book BIGINT NOT NULL,
    parent_book BIGINT NOT NULL,
    is_fixed BIGINT NOT NULL CHECK (is_fixed IN (0, 1)),
    PRIMARY KEY (book_id, member_book)
);
CREATE INDEX mall_franchise_parent ON mall_franchise (book_id, parent_book, member_book);

-- Whose account a visitor's is.
CREATE INDEX visitor_customer ON visitor (book_id, customer_id);
