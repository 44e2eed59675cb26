-- Open tokens: what they are, who issues them, who holds them, what pays for what.

-- What the mall keeps of each transaction, and of what nobody else takes part in.
ALTER TABLE mall ADD COLUMN royalty_account BIGINT;
ALTER TABLE mall ADD COLUMN combines BIGINT NOT NULL DEFAULT 1 CHECK (combines IN (0, 1));
ALTER TABLE mall ADD COLUMN free_leaves BIGINT NOT NULL DEFAULT 0 CHECK (free_leaves IN (0, 1));
ALTER TABLE mall_terms ADD COLUMN service_ppm BIGINT NOT NULL DEFAULT 0
    CHECK (service_ppm BETWEEN 0 AND 1000000);
ALTER TABLE mall_terms ADD COLUMN royalty_ppm BIGINT NOT NULL DEFAULT 0
    CHECK (royalty_ppm BETWEEN 0 AND 1000000);
ALTER TABLE mall_terms ADD COLUMN commission_ppm BIGINT NOT NULL DEFAULT 0
    CHECK (commission_ppm BETWEEN 0 AND 1000000);

-- More kinds of events, and what the mall keeps as its royalty. A creditor that is the mall's own
-- book is nobody: the debtor owes the mall alone.
ALTER TABLE settlement DROP CONSTRAINT settlement_kind_check;
ALTER TABLE settlement DROP CONSTRAINT settlement_kept_check;
ALTER TABLE settlement ADD CONSTRAINT settlement_kind_check
    CHECK (kind IN ('exchange', 'sale', 'sale_back', 'royalty', 'toll'));
ALTER TABLE settlement ADD COLUMN royalty BIGINT NOT NULL DEFAULT 0;
ALTER TABLE settlement ALTER COLUMN royalty DROP DEFAULT;
ALTER TABLE settlement ADD COLUMN drawn BIGINT NOT NULL DEFAULT 0 CHECK (drawn >= 0);
ALTER TABLE settlement ALTER COLUMN drawn DROP DEFAULT;

-- A type of open token. owner_book is the manufacturer of its own tokens, the issuer of its gift
-- certificates; the mall's book where every member may issue it. group_no is 0 outside groups.
CREATE TABLE open_token (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    asset_id BIGINT NOT NULL REFERENCES asset (asset_id),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('universal', 'm1', 'm2', 'group', 'gift')),
    owner_book BIGINT NOT NULL,
    group_no BIGINT NOT NULL,
    PRIMARY KEY (book_id, asset_id),
    UNIQUE (book_id, kind, owner_book, group_no)
);

-- Who owes for tokens of a type: its accounts in the mall's book.
CREATE TABLE open_issuer (
    book_id BIGINT NOT NULL,
    asset_id BIGINT NOT NULL,
    debtor_book BIGINT NOT NULL,
    issued BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    expired BIGINT NOT NULL,
    discount_ppm BIGINT NOT NULL CHECK (discount_ppm BETWEEN 0 AND 1000000),
    PRIMARY KEY (book_id, asset_id, debtor_book),
    FOREIGN KEY (book_id, asset_id) REFERENCES open_token (book_id, asset_id)
);

-- What a customer of a member holds of a type, owed by one debtor: a wallet in the mall's book.
CREATE TABLE open_wallet (
    book_id BIGINT NOT NULL,
    home_book BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    asset_id BIGINT NOT NULL,
    debtor_book BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    PRIMARY KEY (book_id, home_book, customer_id, asset_id, debtor_book),
    UNIQUE (book_id, account_id),
    FOREIGN KEY (book_id, asset_id, debtor_book)
        REFERENCES open_issuer (book_id, asset_id, debtor_book)
);

-- A member's accounts of money for open tokens, in its own book.
CREATE TABLE open_money (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    deferred BIGINT NOT NULL,
    earned BIGINT NOT NULL,
    breakage BIGINT NOT NULL,
    sales BIGINT NOT NULL,
    charges BIGINT NOT NULL,
    PRIMARY KEY (book_id)
);

-- Groups of members, and who belonged to them when.
CREATE TABLE mall_group (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    group_no BIGINT NOT NULL,
    slug TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, group_no),
    UNIQUE (book_id, slug)
);
CREATE TABLE mall_group_member (
    book_id BIGINT NOT NULL,
    group_no BIGINT NOT NULL,
    member_book BIGINT NOT NULL,
    joins_at BIGINT NOT NULL,
    leaves_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, group_no, member_book, joins_at),
    FOREIGN KEY (book_id, group_no) REFERENCES mall_group (book_id, group_no)
);
CREATE INDEX mall_group_of ON mall_group_member (book_id, member_book, group_no);

-- What manufacturers make, by the stock-keeping unit under which members sell it, and how much of
-- its price M2 tokens may pay, in millionths.
CREATE TABLE maker_product (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    sku TEXT COLLATE "C" NOT NULL,
    maker_book BIGINT NOT NULL,
    cap_ppm BIGINT NOT NULL CHECK (cap_ppm BETWEEN 0 AND 1000000),
    listed_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, sku)
);
CREATE INDEX maker_product_of ON maker_product (book_id, maker_book, sku);

-- Whose gift certificates a member takes.
CREATE TABLE gift_acceptance (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    acceptor_book BIGINT NOT NULL,
    issuer_book BIGINT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (book_id, acceptor_book, issuer_book)
);

-- A gift certificate is an account of its own in the mall's book; who holds it is said here. The
-- code is kept as a keyed hash alone.
CREATE TABLE gift_certificate (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    certificate_id BYTEA NOT NULL,
    issuer_book BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    grant_id BIGINT NOT NULL,
    face BIGINT NOT NULL CHECK (face > 0),
    code_hash BYTEA NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('issued', 'held', 'spent')),
    home_book BIGINT,
    customer_id BYTEA,
    expires_at BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, certificate_id),
    UNIQUE (book_id, code_hash)
);
CREATE INDEX gift_certificate_holder
    ON gift_certificate (book_id, home_book, customer_id, certificate_id) WHERE state = 'held';
CREATE INDEX gift_certificate_issuer ON gift_certificate (book_id, issuer_book, certificate_id);

-- An order that open tokens paid, and each part of its payment.
CREATE TABLE open_order (
    book_id BIGINT NOT NULL,
    order_id BYTEA NOT NULL,
    mall_book BIGINT NOT NULL,
    home_book BIGINT NOT NULL,
    customer_id BYTEA NOT NULL,
    price BIGINT NOT NULL CHECK (price > 0),
    value BIGINT NOT NULL CHECK (value > 0),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('paid', 'reversed')),
    switches BIGINT NOT NULL,
    PRIMARY KEY (book_id, order_id),
    FOREIGN KEY (book_id, order_id) REFERENCES orders (book_id, order_id)
);
CREATE TABLE open_part (
    book_id BIGINT NOT NULL,
    order_id BYTEA NOT NULL,
    part_no BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    asset_id BIGINT NOT NULL,
    debtor_book BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    surplus BIGINT NOT NULL CHECK (surplus >= 0),
    surplus_account BIGINT,
    service BIGINT NOT NULL,
    royalty BIGINT NOT NULL,
    event_id BYTEA NOT NULL,
    reversed_by BYTEA,
    PRIMARY KEY (book_id, order_id, part_no),
    FOREIGN KEY (book_id, order_id) REFERENCES open_order (book_id, order_id)
);
CREATE INDEX open_order_customer ON open_order (book_id, home_book, customer_id, order_id);
