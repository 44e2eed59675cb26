-- The mall: who belongs to it, what their tokens are worth, who takes whose, what they owe.

CREATE TABLE mall (
    book_id BIGINT NOT NULL REFERENCES book (book_id),
    currency_id BIGINT NOT NULL REFERENCES asset (asset_id),
    quote_s BIGINT NOT NULL CHECK (quote_s > 0),
    residue_account BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (book_id)
);

-- A vendor belongs to one mall at most. member_due is what the vendor owes the mall, in its own
-- book; mall_due is the same the other way round, in the mall's.
CREATE TABLE mall_member (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    mall_book BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('active', 'suspended', 'left')),
    is_barred BIGINT NOT NULL CHECK (is_barred IN (0, 1)),
    member_due BIGINT NOT NULL,
    mall_due BIGINT NOT NULL,
    settled_account BIGINT NOT NULL,
    joined_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (book_id)
);

-- The members of a mall, from its side.
CREATE TABLE mall_roll (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    member_book BIGINT NOT NULL,
    PRIMARY KEY (book_id, member_book)
);

-- What an exchange costs a customer of the member: flat, and in millionths of its worth.
CREATE TABLE mall_terms (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    member_book BIGINT NOT NULL,
    effective_at BIGINT NOT NULL,
    charge_flat BIGINT NOT NULL CHECK (charge_flat >= 0),
    charge_ppm BIGINT NOT NULL CHECK (charge_ppm BETWEEN 0 AND 1000000),
    PRIMARY KEY (book_id, member_book, effective_at)
);

-- What one token of a member is worth, in the mall's currency; the newest that has begun counts.
CREATE TABLE mall_value (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    member_book BIGINT NOT NULL,
    effective_at BIGINT NOT NULL,
    value BIGINT NOT NULL CHECK (value > 0),
    PRIMARY KEY (book_id, member_book, effective_at)
);

-- Whose tokens a member takes.
CREATE TABLE mall_acceptance (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    acceptor_book BIGINT NOT NULL,
    issuer_book BIGINT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (book_id, acceptor_book, issuer_book)
);

CREATE INDEX mall_acceptance_issuer ON mall_acceptance (book_id, issuer_book, acceptor_book);

-- One line for each event between two members, under the id that its entries bear in the three
-- books. It is appended, and found by time: ids rise with it.
CREATE TABLE settlement (
    book_id BIGINT NOT NULL,
    event_id BYTEA NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('exchange')),
    debtor_book BIGINT NOT NULL,
    creditor_book BIGINT NOT NULL,
    owed BIGINT NOT NULL CHECK (owed >= 0),
    received BIGINT NOT NULL CHECK (received >= 0),
    residue BIGINT NOT NULL CHECK (residue >= 0),
    kept BIGINT NOT NULL CHECK (kept >= 0),
    debtor_entry BIGINT NOT NULL,
    creditor_entry BIGINT NOT NULL,
    mall_entry BIGINT NOT NULL,
    clearing_no BIGINT,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, event_id)
);

CREATE INDEX settlement_uncleared ON settlement (book_id, event_id) WHERE clearing_no IS NULL;

-- Positions that were cleared at an interval; they come to nothing over all parties.
CREATE TABLE clearing (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    clearing_no BIGINT NOT NULL,
    closed_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, clearing_no)
);

-- What a member owes the mall by a clearing (below zero: is owed): whole cents are paid, the rest
-- is carried.
CREATE TABLE clearing_position (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    clearing_no BIGINT NOT NULL,
    member_book BIGINT NOT NULL,
    net BIGINT NOT NULL,
    paid BIGINT NOT NULL,
    carried BIGINT NOT NULL,
    PRIMARY KEY (book_id, clearing_no, member_book)
);

-- A customer of another member, as known here.
CREATE TABLE visitor (
    book_id BIGINT NOT NULL,
    home_book BIGINT NOT NULL,
    home_customer BYTEA NOT NULL,
    customer_id BYTEA NOT NULL,
    PRIMARY KEY (book_id, home_book, home_customer),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);

-- What an exchange was promised to come to, at the rates of that moment.
CREATE TABLE exchange (
    book_id BIGINT NOT NULL,
    exchange_id BYTEA NOT NULL,
    customer_id BYTEA NOT NULL,
    target_book BIGINT NOT NULL,
    tokens BIGINT NOT NULL CHECK (tokens > 0),
    value_from BIGINT NOT NULL,
    value_to BIGINT NOT NULL,
    charge BIGINT NOT NULL CHECK (charge >= 0),
    receives BIGINT NOT NULL CHECK (receives > 0),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('quoted', 'done')),
    expires_at BIGINT NOT NULL,
    visitor BYTEA,
    done_at BIGINT,
    PRIMARY KEY (book_id, exchange_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
);
