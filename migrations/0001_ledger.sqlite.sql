-- The engine's own tables and the ledger.
--
-- Every table of a book has book_id first in its primary key, its unique keys and its foreign
-- keys. Tables without it are shared and small: meta, sequence, book, asset.
-- Rows of the hot path (entry, transfer, outbox, idempotency) have no foreign keys and no
-- secondary index: they are appended; `scrip verify` checks what a foreign key would.

CREATE TABLE meta (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;

-- The highest number reserved of each sequence. PostgreSQL has sequence objects instead.
CREATE TABLE sequence (
    name TEXT NOT NULL,
    ceiling INTEGER NOT NULL,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;

CREATE TABLE book (
    book_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('vendor', 'mall', 'manufacturer', 'gift_issuer')),
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (book_id),
    UNIQUE (slug)
) STRICT, WITHOUT ROWID;

-- book_id is the issuer of a token, NULL for a currency.
CREATE TABLE asset (
    asset_id INTEGER NOT NULL,
    code TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('token', 'currency')),
    book_id INTEGER,
    scale INTEGER NOT NULL CHECK (scale BETWEEN 0 AND 12),
    PRIMARY KEY (asset_id),
    UNIQUE (code)
) STRICT, WITHOUT ROWID;

-- Never changes. owner is the customer of a wallet; counterparty the other book of a due-to or
-- due-from account.
CREATE TABLE account (
    book_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    asset_id INTEGER NOT NULL REFERENCES asset (asset_id),
    kind TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('chained', 'summed')),
    label TEXT NOT NULL,
    owner BLOB,
    counterparty INTEGER,
    opened_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, account_id)
) STRICT, WITHOUT ROWID;

-- The last transfer of a chained account and the balance after it.
CREATE TABLE account_head (
    book_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    head INTEGER NOT NULL,
    balance INTEGER NOT NULL,
    PRIMARY KEY (book_id, account_id)
) STRICT, WITHOUT ROWID;

-- The account beside a wallet in which its holds are kept.
CREATE TABLE held_account (
    book_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    held_id INTEGER NOT NULL,
    PRIMARY KEY (book_id, account_id)
) STRICT, WITHOUT ROWID;

-- One book's part of a business event. entry_id is the number of its first transfer; the others
-- follow without a gap.
CREATE TABLE entry (
    book_id INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    code TEXT NOT NULL,
    actor TEXT NOT NULL,
    reference TEXT NOT NULL,
    effective_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    transfers INTEGER NOT NULL CHECK (transfers > 0),
    digest BLOB NOT NULL,
    PRIMARY KEY (book_id, entry_id)
) STRICT, WITHOUT ROWID;

-- Entries that are not sealed yet, where numbers do not commit in order (PostgreSQL).
CREATE TABLE entry_tail (
    book_id INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    PRIMARY KEY (book_id, entry_id)
) STRICT, WITHOUT ROWID;

-- Moves an amount of one asset, and of one grant, from the debit to the credit account. For each
-- side that is chained: the account's previous transfer (0 for none) and its balance after.
CREATE TABLE transfer (
    book_id INTEGER NOT NULL,
    transfer_id INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    debit_id INTEGER NOT NULL,
    credit_id INTEGER NOT NULL,
    asset_id INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    grant_id INTEGER,
    debit_previous INTEGER,
    debit_balance INTEGER,
    credit_previous INTEGER,
    credit_balance INTEGER,
    PRIMARY KEY (book_id, transfer_id)
) STRICT, WITHOUT ROWID;

-- How tokens came to be. Never changes: what happens to a grant is a grant_event.
CREATE TABLE token_grant (
    book_id INTEGER NOT NULL,
    grant_id INTEGER NOT NULL,
    asset_id INTEGER NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('paid', 'credit', 'free')),
    restriction TEXT,
    expires_at INTEGER NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    paid INTEGER NOT NULL CHECK (paid >= 0),
    paid_asset_id INTEGER,
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, grant_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE grant_event (
    book_id INTEGER NOT NULL,
    grant_id INTEGER NOT NULL,
    event_no INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('paid_off')),
    event_id BLOB NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, grant_id, event_no)
) STRICT, WITHOUT ROWID;

-- What an account has left of a grant; no row means nothing.
CREATE TABLE lot (
    book_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    grant_id INTEGER NOT NULL,
    remaining INTEGER NOT NULL CHECK (remaining > 0),
    PRIMARY KEY (book_id, account_id, grant_id)
) STRICT, WITHOUT ROWID;

-- An amount set aside: moved to the held account by opened_entry, and on by closed_entry.
CREATE TABLE hold (
    book_id INTEGER NOT NULL,
    hold_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    held_id INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    expires_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'posted', 'released', 'expired')),
    posted INTEGER NOT NULL CHECK (posted >= 0),
    opened_entry INTEGER NOT NULL,
    closed_entry INTEGER,
    PRIMARY KEY (book_id, hold_id)
) STRICT, WITHOUT ROWID;

-- Few holds are open at a time, among many that were.
CREATE INDEX hold_open ON hold (book_id, expires_at) WHERE state = 'open';

-- Which entry undoes which; an entry is reversed once at most.
CREATE TABLE reversal (
    book_id INTEGER NOT NULL,
    reversed_entry INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    PRIMARY KEY (book_id, reversed_entry)
) STRICT, WITHOUT ROWID;

-- The balance of a summed account over all sealed entries.
CREATE TABLE rollup (
    book_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    balance INTEGER NOT NULL,
    PRIMARY KEY (book_id, account_id)
) STRICT, WITHOUT ROWID;

-- A link of the book's hash chain over its entries. members are the entry ids, as differences.
CREATE TABLE seal (
    book_id INTEGER NOT NULL,
    seal_no INTEGER NOT NULL,
    last_entry INTEGER NOT NULL,
    entries INTEGER NOT NULL CHECK (entries > 0),
    members BLOB NOT NULL,
    hash BLOB NOT NULL,
    sealed_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, seal_no)
) STRICT, WITHOUT ROWID;

-- What must happen outside: delivered at least once, then removed.
CREATE TABLE outbox (
    book_id INTEGER NOT NULL,
    outbox_id INTEGER NOT NULL,
    topic TEXT NOT NULL,
    subject TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (book_id, outbox_id)
) STRICT, WITHOUT ROWID;
