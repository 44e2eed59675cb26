-- Finding products, their images, and imports that can be undone.

-- How a product reaches its buyer; 'usual' is what the vendor sells: downloads or parcels.
ALTER TABLE product ADD COLUMN delivery TEXT COLLATE "C" NOT NULL DEFAULT 'usual'
    CHECK (delivery IN ('usual', 'download', 'shipped', 'in_person'));
-- Names of what a buyer chooses (Size, Colour), a line each, and each offer's values in their order.
ALTER TABLE product ADD COLUMN options TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE offer ADD COLUMN options TEXT COLLATE "C" NOT NULL DEFAULT '';

-- A vendor that sells software and goods; storefront.sells is then what it sells besides software.
ALTER TABLE storefront ADD COLUMN sells_both BIGINT NOT NULL DEFAULT 0 CHECK (sells_both IN (0, 1));

-- What pages of products look for and sort by, one narrow row for each product. ways: 1, 2,
-- 4, 8 for the kinds of offers, and 16 always.
CREATE TABLE shelf (
    book_id BIGINT NOT NULL,
    product_id BYTEA NOT NULL,
    title_key TEXT COLLATE "C" NOT NULL,
    category TEXT COLLATE "C" NOT NULL,
    manufacturer TEXT COLLATE "C" NOT NULL,
    price BIGINT NOT NULL,
    ways BIGINT NOT NULL,
    on_sale BIGINT NOT NULL CHECK (on_sale IN (0, 1)),
    in_stock BIGINT NOT NULL CHECK (in_stock IN (0, 1)),
    software BIGINT NOT NULL CHECK (software IN (0, 1)),
    for_sale BIGINT NOT NULL CHECK (for_sale IN (0, 1)),
    PRIMARY KEY (book_id, product_id),
    FOREIGN KEY (book_id, product_id) REFERENCES product (book_id, product_id)
);
-- With all that is filtered by, so that a page reads one index only.
CREATE INDEX shelf_title ON shelf (book_id, title_key, product_id, for_sale, software, category,
    manufacturer, price, ways, on_sale, in_stock);
CREATE INDEX shelf_price ON shelf (book_id, price, product_id, for_sale, software, category,
    manufacturer, ways, on_sale, in_stock);

CREATE TABLE shelf_word (
    book_id BIGINT NOT NULL,
    product_id BYTEA NOT NULL,
    word TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (book_id, product_id, word)
);
CREATE INDEX shelf_word_found ON shelf_word (book_id, word, product_id);

-- How many products are for sale under each category and manufacturer.
CREATE TABLE shelf_facet (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    facet TEXT COLLATE "C" NOT NULL CHECK (facet IN ('category', 'manufacturer')),
    value TEXT COLLATE "C" NOT NULL,
    software BIGINT NOT NULL CHECK (software IN (0, 1)),
    products BIGINT NOT NULL,
    PRIMARY KEY (book_id, facet, value, software)
);

-- Products whose row on the shelf is to be made anew: the last piece was sold, or came back.
CREATE TABLE shelf_due (
    book_id BIGINT NOT NULL,
    product_id BYTEA NOT NULL,
    PRIMARY KEY (book_id, product_id)
);
INSERT INTO shelf_due (book_id, product_id) SELECT book_id, product_id FROM product;

CREATE TABLE product_image (
    book_id BIGINT NOT NULL,
    image_id BYTEA NOT NULL,
    product_id BYTEA NOT NULL,
    place BIGINT NOT NULL,
    alt TEXT COLLATE "C" NOT NULL,
    media TEXT COLLATE "C" NOT NULL CHECK (media IN ('image/png', 'image/jpeg', 'image/webp')),
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    size BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, image_id),
    FOREIGN KEY (book_id, product_id) REFERENCES product (book_id, product_id)
);
CREATE INDEX product_image_product ON product_image (book_id, product_id, place);

-- Apart, because lists of images do not need it.
CREATE TABLE product_image_data (
    book_id BIGINT NOT NULL,
    image_id BYTEA NOT NULL,
    content BYTEA NOT NULL,
    PRIMARY KEY (book_id, image_id)
);

-- Stock that was counted anew. had is empty for pieces that were not counted before.
CREATE TABLE stock_correction (
    book_id BIGINT NOT NULL,
    correction_id BYTEA NOT NULL,
    offer_id BYTEA NOT NULL,
    had BIGINT,
    has BIGINT NOT NULL CHECK (has >= 0),
    reason TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    corrected_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, correction_id),
    FOREIGN KEY (book_id, offer_id) REFERENCES offer (book_id, offer_id)
);
CREATE INDEX stock_correction_offer ON stock_correction (book_id, offer_id, correction_id);

-- A file that was looked through, and what became of it. running is 1 while a job works on it;
-- done counts the rows of catalog_import_row behind the job.
CREATE TABLE catalog_import (
    book_id BIGINT NOT NULL REFERENCES vendor (book_id),
    import_id BYTEA NOT NULL,
    file TEXT COLLATE "C" NOT NULL,
    format TEXT COLLATE "C" NOT NULL CHECK (format IN ('own', 'shop')),
    encoding TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('checking', 'checked', 'applying', 'applied', 'undoing', 'undone')),
    running BIGINT NOT NULL CHECK (running IN (0, 1)),
    lines BIGINT NOT NULL,
    new_products BIGINT NOT NULL,
    changed_products BIGINT NOT NULL,
    unchanged_products BIGINT NOT NULL,
    taken_off BIGINT NOT NULL,
    on_lists BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    steps BIGINT NOT NULL,
    done BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (book_id, import_id)
);
CREATE INDEX catalog_import_running ON catalog_import (book_id, import_id) WHERE running = 1;

-- What is to be done with each product, and what stood there before.
CREATE TABLE catalog_import_row (
    book_id BIGINT NOT NULL,
    import_id BYTEA NOT NULL,
    row_no BIGINT NOT NULL,
    line BIGINT NOT NULL,
    action TEXT COLLATE "C" NOT NULL CHECK (action IN ('new', 'changed', 'off', 'error')),
    subject TEXT COLLATE "C" NOT NULL,
    note TEXT COLLATE "C" NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    had TEXT COLLATE "C" NOT NULL,
    has TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (book_id, import_id, row_no),
    FOREIGN KEY (book_id, import_id) REFERENCES catalog_import (book_id, import_id)
);

-- How many order lists hold an offer.
CREATE INDEX order_list_offer ON order_list (book_id, offer_id);
