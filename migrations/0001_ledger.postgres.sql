-- The engine's own tables and the ledger.
--
-- Every table of a book has book_id first in its primary key, its unique keys and its foreign
-- keys. Tables without it are shared and small: meta, book, asset.
-- Rows of the hot path (entry, transfer, outbox, idempotency) have no foreign keys and no
-- secondary index: they are appended; `scrip verify` checks what a foreign key would.

CREATE TABLE meta (
    name TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);

-- Reserved a thousand at a time, outside transactions.
CREATE SEQUENCE sequence_transfer INCREMENT BY 1000;
CREATE SEQUENCE sequence_account INCREMENT BY 1000;
CREATE SEQUENCE sequence_grant INCREMENT BY 1000;
CREATE SEQUENCE sequence_hold INCREMENT BY 1000;
CREATE SEQUENCE sequence_outbox INCREMENT BY 1000;

CREATE TABLE book (
    book_id BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('vendor', 'mall', 'manufacturer', 'gift_issuer')),
    slug TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (book_id),
    UNIQUE (slug)
);

-- book_id is the issuer of a token, NULL for a currency.
CREATE TABLE asset (
    asset_id BIGINT NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('token', 'currency')),
    book_id BIGINT,
    scale BIGINT NOT NULL CHECK (scale BETWEEN 0 AND 12),
    PRIMARY KEY (asset_id),
    UNIQUE (code)
);

-- Never changes. owner is the customer of a wallet; counterparty the other book of a due-to or
-- due-from account.
CREATE TABLE account (
    book_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    asset_id BIGINT NOT NULL REFERENCES asset (asset_id),
    kind TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('chained', 'summed')),
    label TEXT COLLATE "C" NOT NULL,
    owner BYTEA,
    counterparty BIGINT,
    opened_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, account_id)
);

-- The last transfer of a chained account and the balance after it.
CREATE TABLE account_head (
    book_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    head BIGINT NOT NULL,
    balance BIGINT NOT NULL,
    PRIMARY KEY (book_id, account_id)
) WITH (fillfactor = 70);

-- The account beside a wallet in which its holds are kept.
CREATE TABLE held_account (
    book_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    held_id BIGINT NOT NULL,
    PRIMARY KEY (book_id, account_id)
);

-- One book's part of a business event. entry_id is the number of its first transfer; the others
-- follow without a gap.
CREATE TABLE entry (
    book_id BIGINT NOT NULL,
    entry_id BIGINT NOT NULL,
    event_id BYTEA NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    effective_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    transfers BIGINT NOT NULL CHECK (transfers > 0),
    digest BYTEA NOT NULL,
    PRIMARY KEY (book_id, entry_id)
);

-- Entries that are not sealed yet, where numbers do not commit in order (PostgreSQL).
CREATE TABLE entry_tail (
    book_id BIGINT NOT NULL,
    entry_id BIGINT NOT NULL,
    PRIMARY KEY (book_id, entry_id)
);

-- Moves an amount of one asset, and of one grant, from the debit to the credit account. For each
-- side that is chained: the account's previous transfer (0 for none) and its balance after.
CREATE TABLE transfer (
    book_id BIGINT NOT NULL,
    transfer_id BIGINT NOT NULL,
    entry_id BIGINT NOT NULL,
    debit_id BIGINT NOT NULL,
    credit_id BIGINT NOT NULL,
    asset_id BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    grant_id BIGINT,
    debit_previous BIGINT,
    debit_balance BIGINT,
    credit_previous BIGINT,
    credit_balance BIGINT,
    PRIMARY KEY (book_id, transfer_id)
);

-- How tokens came to be. Never changes: what happens to a grant is a grant_event.
CREATE TABLE token_grant (
    book_id BIGINT NOT NULL,
    grant_id BIGINT NOT NULL,
    asset_id BIGINT NOT NULL,
    origin TEXT COLLATE "C" NOT NULL CHECK (origin IN ('paid', 'credit', 'free')),
    restriction TEXT COLLATE "C",
    expires_at BIGINT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    paid BIGINT NOT NULL CHECK (paid >= 0),
    paid_asset_id BIGINT,
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, grant_id)
);

CREATE TABLE grant_event (
    book_id BIGINT NOT NULL,
    grant_id BIGINT NOT NULL,
    event_no BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('paid_off')),
    event_id BYTEA NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, grant_id, event_no)
);

-- What an account has left of a grant; no row means nothing.
CREATE TABLE lot (
    book_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    grant_id BIGINT NOT NULL,
    remaining BIGINT NOT NULL CHECK (remaining > 0),
    PRIMARY KEY (book_id, account_id, grant_id)
) WITH (fillfactor = 70);

-- An amount set aside: moved to the held account by opened_entry, and on by closed_entry.
CREATE TABLE hold (
    book_id BIGINT NOT NULL,
    hold_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    held_id BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    expires_at BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'posted', 'released', 'expired')),
    posted BIGINT NOT NULL CHECK (posted >= 0),
    opened_entry BIGINT NOT NULL,
    closed_entry BIGINT,
    PRIMARY KEY (book_id, hold_id)
);

-- Few holds are open at a time, among many that were.
CREATE INDEX hold_open ON hold (book_id, expires_at) WHERE state = 'open';

-- Which entry undoes which; an entry is reversed once at most.
CREATE TABLE reversal (
    book_id BIGINT NOT NULL,
    reversed_entry BIGINT NOT NULL,
    entry_id BIGINT NOT NULL,
    PRIMARY KEY (book_id, reversed_entry)
);

-- The balance of a summed account over all sealed entries.
CREATE TABLE rollup (
    book_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    balance BIGINT NOT NULL,
    PRIMARY KEY (book_id, account_id)
);

-- A link of the book's hash chain over its entries. members are the entry ids, as differences.
CREATE TABLE seal (
    book_id BIGINT NOT NULL,
    seal_no BIGINT NOT NULL,
    last_entry BIGINT NOT NULL,
    entries BIGINT NOT NULL CHECK (entries > 0),
    members BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    sealed_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, seal_no)
);

-- What must happen outside: delivered at least once, then removed.
CREATE TABLE outbox (
    book_id BIGINT NOT NULL,
    outbox_id BIGINT NOT NULL,
    topic TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (book_id, outbox_id)
);
