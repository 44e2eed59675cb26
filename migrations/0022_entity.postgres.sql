-- What kind of business a book belongs to, and how many tokens make an account active by country:
-- one country on each line, as `DE 100`.
ALTER TABLE vendor ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT 'vendor'
    CHECK (kind IN ('vendor', 'manufacturer', 'credit_institution'));
ALTER TABLE vendor ADD COLUMN minimums TEXT COLLATE "C" NOT NULL DEFAULT '';
