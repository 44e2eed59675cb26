-- With how many tokens ordering begins, kept lists, how programs are handed over.

-- T, below which nobody orders; empty for the price of the cheapest offer. Here, because every
-- purchase reads the vendor anyway.
ALTER TABLE vendor ADD COLUMN threshold INTEGER CHECK (threshold >= 0);
-- The least that an offer costs: its price, or that of its cheapest tier.
ALTER TABLE offer ADD COLUMN lowest_price INTEGER NOT NULL DEFAULT 0;
UPDATE offer SET lowest_price = CASE WHEN tiered = 0 THEN price ELSE COALESCE(
    (SELECT MIN(t.price) FROM offer_tier t
     WHERE t.book_id = offer.book_id AND t.offer_id = offer.offer_id), 0) END;
CREATE INDEX offer_lowest_price ON offer (book_id, lowest_price) WHERE active = 1;

-- Order lists that a customer keeps under a name, and the one without a name that was set aside
-- while tokens were bought off line.
CREATE TABLE kept_list (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    list_id BLOB NOT NULL,
    name TEXT,
    kept_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, customer_id, list_id),
    FOREIGN KEY (book_id, customer_id) REFERENCES customer (book_id, customer_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE kept_list_line (
    book_id INTEGER NOT NULL,
    customer_id BLOB NOT NULL,
    list_id BLOB NOT NULL,
    offer_id BLOB NOT NULL,
    place INTEGER NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    selected INTEGER NOT NULL CHECK (selected IN (0, 1)),
    PRIMARY KEY (book_id, customer_id, list_id, offer_id),
    FOREIGN KEY (book_id, offer_id) REFERENCES offer (book_id, offer_id)
) STRICT, WITHOUT ROWID;

-- Whether a program comes with its download or is a code alone; empty where nobody was asked.
ALTER TABLE order_line ADD COLUMN supply TEXT NOT NULL DEFAULT ''
    CHECK (supply IN ('', 'download', 'code'));
