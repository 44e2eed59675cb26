-- Open tokens: what they are, who issues them, who holds them, what pays for what.

-- What the mall keeps of each transaction, and of what nobody else takes part in.
ALTER TABLE mall ADD COLUMN royalty_account INTEGER;
ALTER TABLE mall ADD COLUMN combines INTEGER NOT NULL DEFAULT 1 CHECK (combines IN (0, 1));
ALTER TABLE mall ADD COLUMN free_leaves INTEGER NOT NULL DEFAULT 0 CHECK (free_leaves IN (0, 1));
ALTER TABLE mall_terms ADD COLUMN service_ppm INTEGER NOT NULL DEFAULT 0
    CHECK (service_ppm BETWEEN 0 AND 1000000);
ALTER TABLE mall_terms ADD COLUMN royalty_ppm INTEGER NOT NULL DEFAULT 0
    CHECK (royalty_ppm BETWEEN 0 AND 1000000);
ALTER TABLE mall_terms ADD COLUMN commission_ppm INTEGER NOT NULL DEFAULT 0
    CHECK (commission_ppm BETWEEN 0 AND 1000000);

-- The same table with more kinds of events and what the mall keeps as its royalty. A creditor that
-- is the mall's own book is nobody: the debtor owes the mall alone.
CREATE TABLE settlement_new (
    book_id INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('exchange', 'sale', 'sale_back', 'royalty', 'toll')),
    debtor_book INTEGER NOT NULL,
    creditor_book INTEGER NOT NULL,
    owed INTEGER NOT NULL CHECK (owed >= 0),
    received INTEGER NOT NULL CHECK (received >= 0),
    residue INTEGER NOT NULL CHECK (residue >= 0),
    kept INTEGER NOT NULL,
    royalty INTEGER NOT NULL,
    drawn INTEGER NOT NULL CHECK (drawn >= 0),
    debtor_entry INTEGER NOT NULL,
    creditor_entry INTEGER NOT NULL,
    mall_entry INTEGER NOT NULL,
    clearing_no INTEGER,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, event_id)
) STRICT, WITHOUT ROWID;
INSERT INTO settlement_new (book_id, event_id, kind, debtor_book, creditor_book, owed, received,
                            residue, kept, royalty, drawn, debtor_entry, creditor_entry,
                            mall_entry, clearing_no, recorded_at)
    SELECT book_id, event_id, kind, debtor_book, creditor_book, owed, received, residue, kept, 0, 0,
           debtor_entry, creditor_entry, mall_entry, clearing_no, recorded_at
    FROM settlement;
DROP TABLE settlement;
ALTER TABLE settlement_new RENAME TO settlement;
CREATE INDEX settlement_uncleared ON settlement (book_id, event_id) WHERE clearing_no IS NULL;

-- A type of open token. owner_book is the manufacturer of its own tokens, the issuer of its gift
-- certificates; the mall's book where every member may issue it. group_no is 0 outside groups.
CREATE TABLE open_token (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    asset_id INTEGER NOT NULL REFERENCES asset (asset_id),
    kind TEXT NOT NULL CHECK (kind IN ('universal', 'm1', 'm2', 'group', 'gift')),
    owner_book INTEGER NOT NULL,
    group_no INTEGER NOT NULL,
    PRIMARY KEY (book_id, asset_id),
    UNIQUE (book_id, kind, owner_book, group_no)
) STRICT, WITHOUT ROWID;

-- Who owes for tokens of a type: its accounts in the mall's book.
CREATE TABLE open_issuer (
    book_id INTEGER NOT NULL,
    asset_id INTEGER NOT NULL,
    debtor_book INTEGER NOT NULL,
    issued INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    expired INTEGER NOT NULL,
    discount_ppm INTEGER NOT NULL CHECK (discount_ppm BETWEEN 0 AND 1000000),
    PRIMARY KEY (book_id, asset_id, debtor_book),
    FOREIGN KEY (book_id, asset_id) REFERENCES open_token (book_id, asset_id)
) STRICT, WITHOUT ROWID;

-- What a customer of a member holds of a type, owed by one debtor: a wallet in the mall's book.
CREATE TABLE open_wallet (
    book_id INTEGER NOT NULL,
    home_book INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    asset_id INTEGER NOT NULL,
    debtor_book INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    PRIMARY KEY (book_id, home_book, customer_id, asset_id, debtor_book),
    UNIQUE (book_id, account_id),
    FOREIGN KEY (book_id, asset_id, debtor_book)
        REFERENCES open_issuer (book_id, asset_id, debtor_book)
) STRICT, WITHOUT ROWID;

-- A member's accounts of money for open tokens, in its own book.
CREATE TABLE open_money (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    deferred INTEGER NOT NULL,
    earned INTEGER NOT NULL,
    breakage INTEGER NOT NULL,
    sales INTEGER NOT NULL,
    charges INTEGER NOT NULL,
    PRIMARY KEY (book_id)
) STRICT, WITHOUT ROWID;

-- Groups of members, and who belonged to them when.
CREATE TABLE mall_group (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    group_no INTEGER NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, group_no),
    UNIQUE (book_id, slug)
) STRICT, WITHOUT ROWID;
CREATE TABLE mall_group_member (
    book_id INTEGER NOT NULL,
    group_no INTEGER NOT NULL,
    member_book INTEGER NOT NULL,
    joins_at INTEGER NOT NULL,
    leaves_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, group_no, member_book, joins_at),
    FOREIGN KEY (book_id, group_no) REFERENCES mall_group (book_id, group_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX mall_group_of ON mall_group_member (book_id, member_book, group_no);

-- What manufacturers make, by the stock-keeping unit under which members sell it, and how much of
-- its price M2 tokens may pay, in millionths.
CREATE TABLE maker_product (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    sku TEXT NOT NULL,
    maker_book INTEGER NOT NULL,
    cap_ppm INTEGER NOT NULL CHECK (cap_ppm BETWEEN 0 AND 1000000),
    listed_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, sku)
) STRICT, WITHOUT ROWID;
CREATE INDEX maker_product_of ON maker_product (book_id, maker_book, sku);

-- Whose gift certificates a member takes.
CREATE TABLE gift_acceptance (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    acceptor_book INTEGER NOT NULL,
    issuer_book INTEGER NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (book_id, acceptor_book, issuer_book)
) STRICT, WITHOUT ROWID;

-- A gift certificate is an account of its own in the mall's book; who holds it is said here. The
-- code is kept as a keyed hash alone.
CREATE TABLE gift_certificate (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    certificate_id BLOB NOT NULL,
    issuer_book INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    grant_id INTEGER NOT NULL,
    face INTEGER NOT NULL CHECK (face > 0),
    code_hash BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('issued', 'held', 'spent')),
    home_book INTEGER,
    customer_id BLOB,
    expires_at INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, certificate_id),
    UNIQUE (book_id, code_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX gift_certificate_holder
    ON gift_certificate (book_id, home_book, customer_id, certificate_id) WHERE state = 'held';
CREATE INDEX gift_certificate_issuer ON gift_certificate (book_id, issuer_book, certificate_id);

-- An order that open tokens paid, and each part of its payment.
CREATE TABLE open_order (
    book_id INTEGER NOT NULL,
    order_id BLOB NOT NULL,
    mall_book INTEGER NOT NULL,
    home_book INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    price INTEGER NOT NULL CHECK (price > 0),
    value INTEGER NOT NULL CHECK (value > 0),
    state TEXT NOT NULL CHECK (state IN ('paid', 'reversed')),
    switches INTEGER NOT NULL,
    PRIMARY KEY (book_id, order_id),
    FOREIGN KEY (book_id, order_id) REFERENCES orders (book_id, order_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE open_part (
    book_id INTEGER NOT NULL,
    order_id BLOB NOT NULL,
    part_no INTEGER NOT NULL,
    kind TEXT NOT NULL,
    asset_id INTEGER NOT NULL,
    debtor_book INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    surplus INTEGER NOT NULL CHECK (surplus >= 0),
    surplus_account INTEGER,
    service INTEGER NOT NULL,
    royalty INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    reversed_by BLOB,
    PRIMARY KEY (book_id, order_id, part_no),
    FOREIGN KEY (book_id, order_id) REFERENCES open_order (book_id, order_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX open_order_customer ON open_order (book_id, home_book, customer_id, order_id);
