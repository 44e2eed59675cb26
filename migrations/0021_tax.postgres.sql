-- The tax that is in the price of a line, as it was when the line was sold.

-- True where the vendor's policy has a rate. Here, because every purchase reads this row: without a
-- rate it reads nothing more.
ALTER TABLE vendor ADD COLUMN is_taxed BIGINT NOT NULL DEFAULT 0 CHECK (is_taxed IN (0, 1));
-- Empty for no tax; the rate is in basis points.
ALTER TABLE order_line ADD COLUMN tax_name TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE order_line ADD COLUMN tax_rate BIGINT NOT NULL DEFAULT 0;
ALTER TABLE order_line ADD COLUMN tax BIGINT NOT NULL DEFAULT 0;
ALTER TABLE refund_line ADD COLUMN tax BIGINT NOT NULL DEFAULT 0;
