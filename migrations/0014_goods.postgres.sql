-- Pieces that are reserved while a customer thinks, orders that are sent to an address, the time zone
-- of a customer.

-- Until when pieces of an offer are reserved by anybody at most. Here, because every purchase of
-- counted pieces reads this row: while nothing is reserved it reads nothing more.
ALTER TABLE stock ADD COLUMN reserved_until BIGINT NOT NULL DEFAULT 0;
-- One customer's pieces of one offer. Time ends it; the row stays a while, so that reserving the
-- same again and again does not go on for ever.
CREATE TABLE reservation (
    book_id BIGINT NOT NULL,
    offer_id BYTEA NOT NULL,
    customer_id BYTEA NOT NULL,
    pieces BIGINT NOT NULL CHECK (pieces > 0),
    began_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, offer_id, customer_id),
    FOREIGN KEY (book_id, offer_id) REFERENCES offer (book_id, offer_id)
);
CREATE INDEX reservation_customer ON reservation (book_id, customer_id);
CREATE INDEX reservation_began ON reservation (book_id, began_at);

-- An order that is sent to an address. The address, and what tells where the parcel is, lie under
-- the customer's own key; an erasure empties them.
CREATE TABLE shipment (
    book_id BIGINT NOT NULL,
    order_id BYTEA NOT NULL,
    customer_id BYTEA NOT NULL,
    state TEXT COLLATE "C" NOT NULL
        CHECK (state IN ('to_pack', 'shipped', 'delivered', 'returned', 'cancelled')),
    sealed_address BYTEA NOT NULL,
    sealed_tracking BYTEA NOT NULL,
    opened_at BIGINT NOT NULL,
    shipped_at BIGINT,
    changed_at BIGINT NOT NULL,
    changed_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (book_id, order_id)
);
CREATE INDEX shipment_state ON shipment (book_id, state, order_id);
CREATE INDEX shipment_customer ON shipment (book_id, customer_id, order_id);
-- Which lines of the order are in the parcel.
CREATE TABLE shipment_line (
    book_id BIGINT NOT NULL,
    order_id BYTEA NOT NULL,
    line_no BIGINT NOT NULL,
    PRIMARY KEY (book_id, order_id, line_no)
);

-- In which time zone a customer reads times, as in the IANA database; empty for none chosen.
ALTER TABLE customer ADD COLUMN time_zone TEXT COLLATE "C" NOT NULL DEFAULT '';
