-- How money between a member and its mall is settled: invoices and their payment, deposits drawn in
-- slices, transfers at once, disputes and adjustments; and whose staff run a mall.

-- An adjustment moves money between two members, or between a member and the mall, by a decision; a
-- quota is what a member pays for tokens that it may issue. means says how what the debtor owes was
-- taken: with the clearing, from its deposit, or by a transfer of whole cents; drawn is what was
-- taken at once. A royalty or a toll is told whole, whatever of it was drawn.
CREATE TABLE settlement_new (
    book_id INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('exchange', 'sale', 'sale_back', 'royalty', 'toll',
                                       'adjustment', 'quota')),
    debtor_book INTEGER NOT NULL,
    creditor_book INTEGER NOT NULL,
    owed INTEGER NOT NULL CHECK (owed >= 0),
    received INTEGER NOT NULL CHECK (received >= 0),
    residue INTEGER NOT NULL CHECK (residue >= 0),
    kept INTEGER NOT NULL,
    royalty INTEGER NOT NULL,
    drawn INTEGER NOT NULL CHECK (drawn >= 0),
    means TEXT NOT NULL CHECK (means IN ('invoice', 'deposit', 'transfer')),
    debtor_entry INTEGER NOT NULL,
    creditor_entry INTEGER NOT NULL,
    mall_entry INTEGER NOT NULL,
    clearing_no INTEGER,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, event_id)
) STRICT, WITHOUT ROWID;
INSERT INTO settlement_new (book_id, event_id, kind, debtor_book, creditor_book, owed, received,
                            residue, kept, royalty, drawn, means, debtor_entry, creditor_entry,
                            mall_entry, clearing_no, recorded_at)
    SELECT book_id, event_id, kind, debtor_book, creditor_book, owed, received, residue, kept,
           CASE WHEN kind IN ('royalty', 'toll') THEN royalty + drawn ELSE royalty END, drawn,
           CASE WHEN drawn > 0 THEN 'deposit' ELSE 'invoice' END, debtor_entry, creditor_entry,
           mall_entry, clearing_no, recorded_at
    FROM settlement;
DROP TABLE settlement;
ALTER TABLE settlement_new RENAME TO settlement;
CREATE INDEX settlement_uncleared ON settlement (book_id, event_id) WHERE clearing_no IS NULL;

ALTER TABLE mall_member ADD COLUMN settles TEXT NOT NULL DEFAULT 'invoice'
    CHECK (settles IN ('invoice', 'deposit', 'transfer'));

-- What purchases draw of a deposit: each takes from one slice, so that they do not wait for each
-- other. mall_deposit.remaining is what no slice holds.
ALTER TABLE mall_deposit ADD COLUMN is_warned INTEGER NOT NULL DEFAULT 0
    CHECK (is_warned IN (0, 1));
CREATE TABLE mall_deposit_slice (
    book_id INTEGER NOT NULL,
    member_book INTEGER NOT NULL,
    slice_no INTEGER NOT NULL,
    remaining INTEGER NOT NULL CHECK (remaining >= 0),
    PRIMARY KEY (book_id, member_book, slice_no),
    FOREIGN KEY (book_id, member_book) REFERENCES mall_deposit (book_id, member_book)
) STRICT, WITHOUT ROWID;

-- What a clearing came to was paid: the entries in both books.
CREATE TABLE clearing_payment (
    book_id INTEGER NOT NULL,
    clearing_no INTEGER NOT NULL,
    member_book INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    member_entry INTEGER NOT NULL,
    mall_entry INTEGER NOT NULL,
    reference TEXT NOT NULL,
    paid_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, clearing_no, member_book),
    FOREIGN KEY (book_id, clearing_no, member_book)
        REFERENCES clearing_position (book_id, clearing_no, member_book)
) STRICT, WITHOUT ROWID;

-- A member says that a line is wrong; the mall answers.
CREATE TABLE mall_dispute (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    dispute_no INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    member_book INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'rejected', 'adjusted')),
    reason TEXT NOT NULL,
    answer TEXT NOT NULL,
    adjustment BLOB,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    PRIMARY KEY (book_id, dispute_no),
    FOREIGN KEY (book_id, event_id) REFERENCES settlement (book_id, event_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX mall_dispute_open ON mall_dispute (book_id, event_id) WHERE state = 'open';
CREATE INDEX mall_dispute_member ON mall_dispute (book_id, member_book, dispute_no);

-- The vendor whose owners and managers run the mall on pages.
ALTER TABLE mall ADD COLUMN office_book INTEGER;

-- A franchise may clear among its members at an interval of its own: franchise_book is the parent of
-- those whose accounts a clearing nets, 0 for all that is left.
ALTER TABLE clearing ADD COLUMN franchise_book INTEGER NOT NULL DEFAULT 0;
CREATE TABLE mall_franchise_clears (
    book_id INTEGER NOT NULL REFERENCES mall (book_id),
    parent_book INTEGER NOT NULL,
    clears TEXT NOT NULL CHECK (clears IN ('by_hand', 'day', 'week', 'month')),
    since INTEGER NOT NULL,
    PRIMARY KEY (book_id, parent_book)
) STRICT, WITHOUT ROWID;
