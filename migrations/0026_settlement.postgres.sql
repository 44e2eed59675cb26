-- How money between a member and its mall is settled: invoices and their payment, deposits drawn in
-- slices, transfers at once, disputes and adjustments; and whose staff run a mall.

-- An adjustment moves money between two members, or between a member and the mall, by a decision; a
-- quota is what a member pays for tokens that it may issue. means says how what the debtor owes was
-- taken: with the clearing, from its deposit, or by a transfer of whole cents; drawn is what was
-- taken at once.
ALTER TABLE settlement DROP CONSTRAINT settlement_kind_check;
ALTER TABLE settlement ADD CONSTRAINT settlement_kind_check
    CHECK (kind IN ('exchange', 'sale', 'sale_back', 'royalty', 'toll', 'adjustment', 'quota'));
ALTER TABLE settlement ADD COLUMN means TEXT COLLATE "C" NOT NULL DEFAULT 'invoice'
    CHECK (means IN ('invoice', 'deposit', 'transfer'));
ALTER TABLE settlement ALTER COLUMN means DROP DEFAULT;
UPDATE settlement SET means = 'deposit' WHERE drawn > 0;
-- A royalty or a toll is told whole, whatever of it was drawn.
UPDATE settlement SET royalty = royalty + drawn WHERE kind IN ('royalty', 'toll');

ALTER TABLE mall_member ADD COLUMN settles TEXT COLLATE "C" NOT NULL DEFAULT 'invoice'
    CHECK (settles IN ('invoice', 'deposit', 'transfer'));

-- What purchases draw of a deposit: each takes from one slice, so that they do not wait for each
-- other. mall_deposit.remaining is what no slice holds.
ALTER TABLE mall_deposit ADD COLUMN is_warned BIGINT NOT NULL DEFAULT 0
    CHECK (is_warned IN (0, 1));
CREATE TABLE mall_deposit_slice (
    book_id BIGINT NOT NULL,
    member_book BIGINT NOT NULL,
    slice_no BIGINT NOT NULL,
    remaining BIGINT NOT NULL CHECK (remaining >= 0),
    PRIMARY KEY (book_id, member_book, slice_no),
    FOREIGN KEY (book_id, member_book) REFERENCES mall_deposit (book_id, member_book)
);

-- What a clearing came to was paid: the entries in both books.
CREATE TABLE clearing_payment (
    book_id BIGINT NOT NULL,
    clearing_no BIGINT NOT NULL,
    member_book BIGINT NOT NULL,
    event_id BYTEA NOT NULL,
    member_entry BIGINT NOT NULL,
    mall_entry BIGINT NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    paid_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, clearing_no, member_book),
    FOREIGN KEY (book_id, clearing_no, member_book)
        REFERENCES clearing_position (book_id, clearing_no, member_book)
);

-- A member says that a line is wrong; the mall answers.
CREATE TABLE mall_dispute (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    dispute_no BIGINT NOT NULL,
    event_id BYTEA NOT NULL,
    member_book BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'rejected', 'adjusted')),
    reason TEXT COLLATE "C" NOT NULL,
    answer TEXT COLLATE "C" NOT NULL,
    adjustment BYTEA,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    PRIMARY KEY (book_id, dispute_no),
    FOREIGN KEY (book_id, event_id) REFERENCES settlement (book_id, event_id)
);
CREATE UNIQUE INDEX mall_dispute_open ON mall_dispute (book_id, event_id) WHERE state = 'open';
CREATE INDEX mall_dispute_member ON mall_dispute (book_id, member_book, dispute_no);

-- The vendor whose owners and managers run the mall on pages.
ALTER TABLE mall ADD COLUMN office_book BIGINT;

-- A franchise may clear among its members at an interval of its own: franchise_book is the parent of
-- those whose accounts a clearing nets, 0 for all that is left.
ALTER TABLE clearing ADD COLUMN franchise_book BIGINT NOT NULL DEFAULT 0;
CREATE TABLE mall_franchise_clears (
    book_id BIGINT NOT NULL REFERENCES mall (book_id),
    parent_book BIGINT NOT NULL,
    clears TEXT COLLATE "C" NOT NULL CHECK (clears IN ('by_hand', 'day', 'week', 'month')),
    since BIGINT NOT NULL,
    PRIMARY KEY (book_id, parent_book)
);
