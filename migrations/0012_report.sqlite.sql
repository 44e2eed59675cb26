-- Lots by expiry; what reports keep added up.

-- The lots of wallets that may expire, in the order in which they do.
CREATE TABLE lot_due (
    book_id INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    grant_id INTEGER NOT NULL,
    PRIMARY KEY (book_id, expires_at, account_id, grant_id)
) STRICT, WITHOUT ROWID;

INSERT INTO lot_due (book_id, expires_at, account_id, grant_id)
SELECT l.book_id, g.expires_at, l.account_id, l.grant_id
FROM lot l
JOIN token_grant g ON g.book_id = l.book_id AND g.grant_id = l.grant_id
JOIN account a ON a.book_id = l.book_id AND a.account_id = l.account_id
WHERE a.kind = 'wallet' AND g.expires_at < 9223372036854775807;
