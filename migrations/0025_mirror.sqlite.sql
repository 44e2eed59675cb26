-- What the mall hears of its members: each use, records of customers and of their closed tokens,
-- tolls, deposits.

ALTER TABLE mall_member ADD COLUMN mirrors TEXT NOT NULL DEFAULT 'all'
    CHECK (mirrors IN ('all', 'tokens', 'none'));
ALTER TABLE mall_member ADD COLUMN takes_royalty TEXT NOT NULL DEFAULT 'billed'
    CHECK (takes_royalty IN ('billed', 'deposit'));

-- A member's deposit at the mall: its accounts in both books, what is left as far as the mall has
-- drawn it, and where a warning is due.
CREATE TABLE mall_deposit (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    member_book INTEGER NOT NULL,
    member_account INTEGER NOT NULL,
    mall_account INTEGER NOT NULL,
    remaining INTEGER NOT NULL,
    low_water INTEGER NOT NULL CHECK (low_water >= 0),
    PRIMARY KEY (book_id, member_book)
) STRICT, WITHOUT ROWID;

-- One row for each thing that a member told, once: source is the number of its message.
CREATE TABLE mall_use (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    member_book INTEGER NOT NULL,
    source INTEGER NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    token TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    royalty INTEGER NOT NULL,
    reason TEXT NOT NULL,
    happened_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, member_book, source)
) STRICT, WITHOUT ROWID;

-- person is what the member keeps, as it keeps it: sealed with a key that stays there.
CREATE TABLE mall_mirror (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    member_book INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    state TEXT NOT NULL,
    person BLOB,
    balance INTEGER NOT NULL,
    heard_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, member_book, customer_id)
) STRICT, WITHOUT ROWID;

-- What each event costs that the mall takes a toll for, in its currency.
CREATE TABLE mall_toll (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    kind TEXT NOT NULL CHECK (kind IN ('information', 'customer', 'reimbursement')),
    price INTEGER NOT NULL CHECK (price >= 0),
    PRIMARY KEY (book_id, kind)
) STRICT, WITHOUT ROWID;

-- Members under a parent, whose tokens it may give one value.
CREATE TABLE mall_franchise (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    member_book INTEGER NOT NULL,
    parent_book INTEGER NOT NULL,
    is_fixed INTEGER NOT NULL CHECK (is_fixed IN (0, 1)),
    PRIMARY KEY (book_id, member_book)
) STRICT, WITHOUT ROWID;
CREATE INDEX mall_franchise_parent ON mall_franchise (book_id, parent_book, member_book);

-- Whose account a visitor's is.
CREATE INDEX visitor_customer ON visitor (book_id, customer_id);
