-- The mall: who belongs to it, what their tokens are worth, who takes whose, what they owe.

CREATE TABLE mall (
    book_id INTEGER NOT NULL REFERENCES book (book_id),
    currency_id INTEGER NOT NULL REFERENCES asset (asset_id),
    quote_s INTEGER NOT NULL CHECK (quote_s > 0),
    residue_account INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (book_id)
) STRICT, WITHOUT ROWID;

-- A vendor belongs to one mall at most. member_due is what the vendor owes the mall, in its own
-- book; mall_due is the same the other way round, in the mall's.
CREATE TABLE mall_member (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    mall_book INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'left')),
    is_barred INTEGER NOT NULL CHECK (is_barred IN (0, 1)),
    member_due INTEGER NOT NULL,
    mall_due INTEGER NOT NULL,
    settled_account INTEGER NOT NULL,
    joined_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (book_id)
) STRICT, WITHOUT ROWID;

-- The members of a mall, from its side.
CREATE TABLE mall_roll (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    member_book INTEGER NOT NULL,
    PRIMARY KEY (book_id, member_book)
) STRICT, WITHOUT ROWID;

-- What an exchange costs a customer of the member: flat, and in millionths of its worth.
CREATE TABLE mall_terms (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    member_book INTEGER NOT NULL,
    effective_at INTEGER NOT NULL,
    charge_flat INTEGER NOT NULL CHECK (charge_flat >= 0),
    charge_ppm INTEGER NOT NULL CHECK (charge_ppm BETWEEN 0 AND 1000000),
    PRIMARY KEY (book_id, member_book, effective_at)
) STRICT, WITHOUT ROWID;

-- What one token of a member is worth, in the mall's currency; the newest that has begun counts.
CREATE TABLE mall_value (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    member_book INTEGER NOT NULL,
    effective_at INTEGER NOT NULL,
    value INTEGER NOT NULL CHECK (value > 0),
    PRIMARY KEY (book_id, member_book, effective_at)
) STRICT, WITHOUT ROWID;

-- Whose tokens a member takes.
CREATE TABLE mall_acceptance (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    acceptor_book INTEGER NOT NULL,
    issuer_book INTEGER NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (book_id, acceptor_book, issuer_book)
) STRICT, WITHOUT ROWID;

CREATE INDEX mall_acceptance_issuer ON mall_acceptance (book_id, issuer_book, acceptor_book);

-- One line for each event between two members, under the id that its entries bear in the three
-- books. It is appended, and found by time: ids rise with it.
CREATE TABLE settlement (
    book_id INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('exchange')),
    debtor_book INTEGER NOT NULL,
    creditor_book INTEGER NOT NULL,
    owed INTEGER NOT NULL CHECK (owed >= 0),
    received INTEGER NOT NULL CHECK (received >= 0),
    residue INTEGER NOT NULL CHECK (residue >= 0),
    kept INTEGER NOT NULL CHECK (kept >= 0),
    debtor_entry INTEGER NOT NULL,
    creditor_entry INTEGER NOT NULL,
    mall_entry INTEGER NOT NULL,
    clearing_no INTEGER,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, event_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX settlement_uncleared ON settlement (book_id, event_id) WHERE clearing_no IS NULL;

-- Positions that were cleared at an interval; they come to nothing over all parties.
CREATE TABLE clearing (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    clearing_no INTEGER NOT NULL,
    closed_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, clearing_no)
) STRICT, WITHOUT ROWID;

-- What a member owes the mall by a clearing (below zero: is owed): whole cents are paid, the rest
-- is carried.
CREATE TABLE clearing_position (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    clearing_no INTEGER NOT NULL,
    member_book INTEGER NOT NULL,
    net INTEGER NOT NULL,
    paid INTEGER NOT NULL,
    carried INTEGER NOT NULL,
    PRIMARY KEY (book_id, clearing_no, member_book)
) STRICT, WITHOUT ROWID;

-- A customer of another member, as known here.
CREATE TABLE visitor (
    book_id INTEGER NOT NULL,
    home_book INTEGER NOT NULL,
    home_customer BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    PRIMARY KEY (book_id, home_book, home_customer),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;

-- What an exchange was promised to come to, at the rates of that moment.
CREATE TABLE exchange (
    book_id INTEGER NOT NULL,
    exchange_id BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    target_book INTEGER NOT NULL,
    tokens INTEGER NOT NULL CHECK (tokens > 0),
    value_from INTEGER NOT NULL,
    value_to INTEGER NOT NULL,
    charge INTEGER NOT NULL CHECK (charge >= 0),
    receives INTEGER NOT NULL CHECK (receives > 0),
    state TEXT NOT NULL CHECK (state IN ('quoted', 'done')),
    expires_at INTEGER NOT NULL,
    visitor BLOB,
    done_at INTEGER,
    PRIMARY KEY (book_id, exchange_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;
