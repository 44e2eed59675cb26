-- What a vendor decides, the trail of who did what, and accounts of the books that came later.

-- A vendor's decisions, one row for each version; the newest counts. The body is JSON.
CREATE TABLE policy (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    version BIGINT NOT NULL CHECK (version > 0),
    body TEXT COLLATE "C" NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (book_id, version)
);

-- Who did what for the vendor. Details are JSON without personal data.
CREATE TABLE audit (
    book_id BIGINT NOT NULL,
    audit_id BYTEA NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (book_id, audit_id)
);
CREATE INDEX audit_subject ON audit (book_id, subject, audit_id);
CREATE INDEX audit_actor ON audit (book_id, actor, audit_id);

-- Accounts of a book that are opened when they are first needed.
CREATE TABLE book_account (
    book_id BIGINT NOT NULL REFERENCES book (book_id),
    kind TEXT COLLATE "C" NOT NULL,
    asset_id BIGINT NOT NULL REFERENCES asset (asset_id),
    account_id BIGINT NOT NULL,
    PRIMARY KEY (book_id, kind, asset_id)
);
