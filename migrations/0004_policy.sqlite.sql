-- What a vendor decides, the trail of who did what, and accounts of the books that came later.

-- A vendor's decisions, one row for each version; the newest counts. The body is JSON.
CREATE TABLE policy (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    version INTEGER NOT NULL CHECK (version > 0),
    body TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (book_id, version)
) STRICT, WITHOUT ROWID;

-- Who did what for the vendor. Details are JSON without personal data.
CREATE TABLE audit (
    book_id INTEGER NOT NULL,
    audit_id BLOB NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (book_id, audit_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_subject ON audit (book_id, subject, audit_id);
CREATE INDEX audit_actor ON audit (book_id, actor, audit_id);

-- Accounts of a book that are opened when they are first needed.
CREATE TABLE book_account (
    book_id INTEGER NOT NULL REFERENCES book (book_id),
    kind TEXT NOT NULL,
    asset_id INTEGER NOT NULL REFERENCES asset (asset_id),
    account_id INTEGER NOT NULL,
    PRIMARY KEY (book_id, kind, asset_id)
) STRICT, WITHOUT ROWID;
