-- Pieces that are reserved while a customer thinks, orders that are sent to an address, the time zone
-- of a customer.

-- Until when pieces of an offer are reserved by anybody at most. Here, because every purchase of
-- counted pieces reads this row: while nothing is reserved it reads nothing more.
ALTER TABLE stock ADD COLUMN reserved_until INTEGER NOT NULL DEFAULT 0;
-- One customer's pieces of one offer. Time ends it; the row stays a while, so that reserving the
-- same again and again does not go on for ever.
CREATE TABLE reservation (
    book_id INTEGER NOT NULL,
    offer_id BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    pieces INTEGER NOT NULL CHECK (pieces > 0),
    began_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, offer_id, customer_id),
    FOREIGN KEY (book_id, offer_id) REFERENCES offer (book_id, offer_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX reservation_customer ON reservation (book_id, customer_id);
CREATE INDEX reservation_began ON reservation (book_id, began_at);

-- An order that is sent to an address. The address, and what tells where the parcel is, lie under
-- the customer's own key; an erasure empties them.
CREATE TABLE shipment (
    book_id INTEGER NOT NULL,
    order_id BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('to_pack', 'shipped', 'delivered', 'returned', 'cancelled')),
    sealed_address BLOB NOT NULL,
    sealed_tracking BLOB NOT NULL,
    opened_at INTEGER NOT NULL,
    shipped_at INTEGER,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (book_id, order_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX shipment_state ON shipment (book_id, state, order_id);
CREATE INDEX shipment_customer ON shipment (book_id, customer_id, order_id);
-- Which lines of the order are in the parcel.
CREATE TABLE shipment_line (
    book_id INTEGER NOT NULL,
    order_id BLOB NOT NULL,
    line_no INTEGER NOT NULL,
    PRIMARY KEY (book_id, order_id, line_no)
) STRICT, WITHOUT ROWID;

-- In which time zone a customer reads times, as in the IANA database; empty for none chosen.
ALTER TABLE customer ADD COLUMN time_zone TEXT NOT NULL DEFAULT '';
