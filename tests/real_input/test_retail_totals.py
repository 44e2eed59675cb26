"""The totals script against figures worked out by hand."""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path

import retail_totals

HEADER = ",".join(retail_totals.COLUMNS)
SAMPLE = Path(__file__).resolve().parents[2] / "data" / "retail-sample.csv"

# Two orders of customer 7, one without a customer, and what cancels them.
SMALL = """\
100,A1,thing,10,2010-12-01 08:00:00,1.25,7.0,United Kingdom
100,A1,thing,3,2010-12-01 08:00:00,1.25,7.0,United Kingdom
100,a1,other,1,2010-12-01 08:00:00,1.25,7.0,United Kingdom
100,M,manual,1,2010-12-01 08:00:00,9.99,7.0,United Kingdom
101,B2,gone,-4,2010-12-01 09:00:00,2.0,7.0,United Kingdom
101,B2,gift,4,2010-12-01 09:00:00,0.0,7.0,United Kingdom
101,B2,nothing,0,2010-12-01 09:00:00,2.0,7.0,United Kingdom
102,POST,post,1,2010-12-02 08:00:00,18.0,,France
103,A1,thing,2,2010-12-02 09:00:00,1.2,7.0,United Kingdom
C104,A1,thing,-12,2010-12-03 08:00:00,1.25,7.0,United Kingdom
C104,A1,thing,-2,2010-12-03 08:00:00,1.25,7.0,United Kingdom
C104,A1,thing,-1,2010-12-03 08:00:00,1.25,7.0,United Kingdom
C104,POST,post,-1,2010-12-03 08:00:00,18.0,,France
C104,A1,thing,1,2010-12-03 08:00:00,1.25,7.0,United Kingdom
C105,bank charges,bank,-1,2010-12-03 09:00:00,5.0,,United Kingdom
100,A1,late row,1,2010-12-04 08:00:00,0.05,7.0,United Kingdom
"""

SMALL_TOTALS = {
    "rows": 16,
    # 100, 102 and 103; nothing of 101 could be entered.
    "orders": 3,
    # 12 of the 13, then 1 of the 2 wanted; the third row finds nothing left.
    "refunds": 2,
    "refused": {
        "no_sale": 2,
        "not_a_product": 2,
        "price_not_positive": 1,
        "quantity_negative": 1,
        "quantity_positive": 1,
        "quantity_zero": 1,
        "sale_too_small": 1,
    },
    # (10 + 3 + 1) * 125 + 5, 1800, 2 * 120
    "sales_pence": 1755 + 1800 + 240,
    "refunds_pence": 13 * 125,
    "days": {
        "2010-12-01": {"sales_pence": 1755, "refunds_pence": 0},
        "2010-12-02": {"sales_pence": 2040, "refunds_pence": 0},
        "2010-12-03": {"sales_pence": 0, "refunds_pence": 1625},
    },
    "customers": {
        "7": {"sales_pence": 1995, "refunds_pence": 1625},
        "invoice:102": {"sales_pence": 1800, "refunds_pence": 0},
    },
}

LEDGER = """\
entry_id,effective_at,code,reference,account,asset,amount
e1,2010-12-01T07:59:00Z,token_sale,,retail:wallet:c7,TOK,2000
e1,2010-12-01T07:59:00Z,token_sale,,retail:issued,TOK,-2000
e2,2010-12-01T08:00:00Z,order,100,retail:wallet:c7,TOK,-1755.000000
e2,2010-12-01T08:00:00Z,order,100,retail:revenue,TOK,1755.000000
e3,2010-12-02T08:00:00Z,order,102,retail:wallet:c8,TOK,-1800
e4,2010-12-02T09:00:00Z,order,103,retail:wallet:c7,TOK,-240
e5,2010-12-03T08:00:00Z,refund,C104,retail:wallet:c7,TOK,1500
e6,2010-12-03T08:00:00Z,refund,C104,retail:wallet:c7,TOK,125
"""


class RetailTotals(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.retail = self.write("retail.csv", HEADER + "\n" + SMALL)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def run_script(self, *arguments):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = retail_totals.main([str(argument) for argument in arguments])
        return status, output.getvalue()

    def test_small_file_gives_the_totals_worked_out_by_hand(self):
        status, output = self.run_script(self.retail)
        self.assertEqual(status, 0)
        self.assertEqual(json.loads(output), SMALL_TOTALS)

    def test_sample_has_customers_that_can_be_checked_by_hand(self):
        totals = retail_totals.totals_of(retail_totals.read_rows(SAMPLE))
        customers = totals["customers"]
        # 72 at 2.10 and 96 at 1.85, then the 72 come back.
        self.assertEqual(
            customers["14409"], {"sales_pence": 15120 + 17760, "refunds_pence": 15120}
        )
        # 60 at 4.65, of which 2 and 3 come back.
        self.assertEqual(customers["17924"], {"sales_pence": 27900, "refunds_pence": 2325})
        # One hair band at 0.85 was sold; 47 are cancelled.
        self.assertEqual(customers["15514"]["refunds_pence"], 85)
        # Twelve of the 24 cancelled were sold, at 1.25.
        self.assertEqual(customers["14829"]["refunds_pence"], 1500)
        self.assertNotIn("invoice:536414", customers)
        self.assertEqual(totals["refused"]["sale_too_small"], 2)
        for kind in ("sales_pence", "refunds_pence"):
            self.assertEqual(totals[kind], sum(day[kind] for day in totals["days"].values()))
            self.assertEqual(totals[kind], sum(one[kind] for one in customers.values()))

    def test_compare_accepts_equal_totals_and_further_keys(self):
        replay = dict(SMALL_TOTALS, seconds=1.5, already_entered=0, refusals=[])
        path = self.write("replay.json", json.dumps(replay))
        self.assertEqual(self.run_script(self.retail, "--compare", path)[0], 0)

    def test_compare_names_each_difference(self):
        replay = json.loads(json.dumps(SMALL_TOTALS))
        replay["customers"]["7"]["sales_pence"] += 1
        replay["customers"]["8"] = {"sales_pence": 2, "refunds_pence": 0}
        replay["refused"]["no_sale"] = 1
        replay["orders"] = 3.0
        del replay["days"]
        path = self.write("replay.json", json.dumps(replay))
        status, output = self.run_script(self.retail, "--compare", path)
        self.assertEqual(status, 1)
        self.assertEqual(
            output.splitlines(),
            [
                f"replay: no 'days' in {path}",
                "replay orders: expected 3, found 3.0",
                "replay refused no_sale: expected 2, found 1",
                "replay customers 7 sales_pence: expected 1995, found 1996",
                "replay customers 8 sales_pence: expected 0, found 2",
            ],
        )

    def test_ledger_is_added_up_per_day(self):
        path = self.write("ledger.csv", LEDGER)
        self.assertEqual(self.run_script(self.retail, "--ledger", path)[0], 0)
        path = self.write("ledger.csv", LEDGER.replace(",125\n", ",124.999999\n"))
        status, output = self.run_script(self.retail, "--ledger", path)
        self.assertEqual(status, 1)
        self.assertIn("2010-12-03 refunds_pence: expected 1625, found 1624.999999", output)

    def test_ledger_without_wallets_is_no_agreement(self):
        path = self.write("ledger.csv", LEDGER.replace(":wallet:", ":purse:"))
        self.assertEqual(self.run_script(self.retail, "--ledger", path)[0], 1)

    def test_fractions_of_a_penny_are_not_rounded_away(self):
        row = "100,A1,thing,1,2010-12-01 08:00:00,1.255,7.0,United Kingdom\n"
        path = self.write("fraction.csv", HEADER + "\n" + row)
        with self.assertRaisesRegex(ValueError, "row 2: 1.255 GBP"):
            retail_totals.read_rows(path)


if __name__ == "__main__":
    unittest.main()
