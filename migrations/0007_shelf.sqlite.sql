-- Finding products, their images, and imports that can be undone.

-- How a product reaches its buyer; 'usual' is what the vendor sells: downloads or parcels.
ALTER TABLE product ADD COLUMN delivery TEXT NOT NULL DEFAULT 'usual'
    CHECK (delivery IN ('usual', 'download', 'shipped', 'in_person'));
-- Names of what a buyer chooses (Size, Colour), a line each, and each offer's values in their order.
ALTER TABLE product ADD COLUMN options TEXT NOT NULL DEFAULT '';
ALTER TABLE offer ADD COLUMN options TEXT NOT NULL DEFAULT '';

-- A vendor that sells software and goods; storefront.sells is then what it sells besides software.
ALTER TABLE storefront ADD COLUMN sells_both INTEGER NOT NULL DEFAULT 0 CHECK (sells_both IN (0, 1));

-- What pages of products look for and sort by, one narrow row for each product. ways: 1, 2,
-- 4, 8 for the kinds of offers, and 16 always.
CREATE TABLE shelf (
    book_id INTEGER NOT NULL,
    product_id BLOB NOT NULL,
    title_key TEXT NOT NULL,
    category TEXT NOT NULL,
    manufacturer TEXT NOT NULL,
    price INTEGER NOT NULL,
    ways INTEGER NOT NULL,
    on_sale INTEGER NOT NULL CHECK (on_sale IN (0, 1)),
    in_stock INTEGER NOT NULL CHECK (in_stock IN (0, 1)),
    software INTEGER NOT NULL CHECK (software IN (0, 1)),
    for_sale INTEGER NOT NULL CHECK (for_sale IN (0, 1)),
    PRIMARY KEY (book_id, product_id),
    FOREIGN KEY (book_id, product_id) REFERENCES product (book_id, product_id)
) STRICT, WITHOUT ROWID;
-- With all that is filtered by, so that a page reads one index only.
CREATE INDEX shelf_title ON shelf (book_id, title_key, product_id, for_sale, software, category,
    manufacturer, price, ways, on_sale, in_stock);
CREATE INDEX shelf_price ON shelf (book_id, price, product_id, for_sale, software, category,
    manufacturer, ways, on_sale, in_stock);

CREATE TABLE shelf_word (
    book_id INTEGER NOT NULL,
    product_id BLOB NOT NULL,
    word TEXT NOT NULL,
    PRIMARY KEY (book_id, product_id, word)
) STRICT, WITHOUT ROWID;
CREATE INDEX shelf_word_found ON shelf_word (book_id, word, product_id);

-- How many products are for sale under each category and manufacturer.
CREATE TABLE shelf_facet (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    facet TEXT NOT NULL CHECK (facet IN ('category', 'manufacturer')),
    value TEXT NOT NULL,
    software INTEGER NOT NULL CHECK (software IN (0, 1)),
    products INTEGER NOT NULL,
    PRIMARY KEY (book_id, facet, value, software)
) STRICT, WITHOUT ROWID;

-- Products whose row on the shelf is to be made anew: the last piece was sold, or came back.
CREATE TABLE shelf_due (
    book_id INTEGER NOT NULL,
    product_id BLOB NOT NULL,
    PRIMARY KEY (book_id, product_id)
) STRICT, WITHOUT ROWID;
INSERT INTO shelf_due (book_id, product_id) SELECT book_id, product_id FROM product;

CREATE TABLE product_image (
    book_id INTEGER NOT NULL,
    image_id BLOB NOT NULL,
    product_id BLOB NOT NULL,
    place INTEGER NOT NULL,
    alt TEXT NOT NULL,
    media TEXT NOT NULL CHECK (media IN ('image/png', 'image/jpeg', 'image/webp')),
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    size INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, image_id),
    FOREIGN KEY (book_id, product_id) REFERENCES product (book_id, product_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX product_image_product ON product_image (book_id, product_id, place);

-- Apart, because lists of images do not need it.
CREATE TABLE product_image_data (
    book_id INTEGER NOT NULL,
    image_id BLOB NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (book_id, image_id)
) STRICT;

-- Stock that was counted anew. had is empty for pieces that were not counted before.
CREATE TABLE stock_correction (
    book_id INTEGER NOT NULL,
    correction_id BLOB NOT NULL,
    offer_id BLOB NOT NULL,
    had INTEGER,
    has INTEGER NOT NULL CHECK (has >= 0),
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    corrected_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, correction_id),
    FOREIGN KEY (book_id, offer_id) REFERENCES offer (book_id, offer_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX stock_correction_offer ON stock_correction (book_id, offer_id, correction_id);

-- A file that was looked through, and what became of it. running is 1 while a job works on it;
-- done counts the rows of catalog_import_row behind the job.
CREATE TABLE catalog_import (
    book_id INTEGER NOT NULL REFERENCES vendor (book_id),
    import_id BLOB NOT NULL,
    file TEXT NOT NULL,
    format TEXT NOT NULL CHECK (format IN ('own', 'shop')),
    encoding TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('checking', 'checked', 'applying', 'applied', 'undoing', 'undone')),
    running INTEGER NOT NULL CHECK (running IN (0, 1)),
    lines INTEGER NOT NULL,
    new_products INTEGER NOT NULL,
    changed_products INTEGER NOT NULL,
    unchanged_products INTEGER NOT NULL,
    taken_off INTEGER NOT NULL,
    on_lists INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    done INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (book_id, import_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX catalog_import_running ON catalog_import (book_id, import_id) WHERE running = 1;

-- What is to be done with each product, and what stood there before.
CREATE TABLE catalog_import_row (
    book_id INTEGER NOT NULL,
    import_id BLOB NOT NULL,
    row_no INTEGER NOT NULL,
    line INTEGER NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('new', 'changed', 'off', 'error')),
    subject TEXT NOT NULL,
    note TEXT NOT NULL,
    content TEXT NOT NULL,
    had TEXT NOT NULL,
    has TEXT NOT NULL,
    PRIMARY KEY (book_id, import_id, row_no),
    FOREIGN KEY (book_id, import_id) REFERENCES catalog_import (book_id, import_id)
) STRICT, WITHOUT ROWID;

-- How many order lists hold an offer.
CREATE INDEX order_list_offer ON order_list (book_id, offer_id);
