"""The recount of a mall's month: the arithmetic, and that a difference is found."""

import unittest
from pathlib import Path
from unittest import mock

import mall_month
from mall_month import Differs

SAMPLE = Path(__file__).parents[2] / "data" / "retail-sample.csv"

HEAD = (
    "event,time,what,debtor,creditor,owed,received,fraction,royalty,taken_at_once,settled_by,"
    "kept_by_debtor,you_owe"
)


def statement(owed, you_owe):
    line = f"e1,2026-12-01T00:00:00Z,sale,north,east,{owed},9.7,0,0.1,0,invoice,0.2,{you_owe}"
    total = f"total,,,,,{owed},9.7,0,0.1,0,,0.2,{you_owe}"
    return "\r\n".join([HEAD, line, total, "lines,1", ""])


EMPTY = "\r\n".join([HEAD, "total,,,,,0,0,0,0,0,,0,0", "lines,0", ""])


class Books:
    """A program that prints these statements."""

    def __init__(self, **statements):
        self.statements = statements

    def run(self, *words):
        return self.statements.get(words[words.index("--vendor") + 1], EMPTY)


class MallMonth(unittest.TestCase):
    def test_amounts_are_whole_numbers(self):
        self.assertEqual(mall_month.units("-1.00000001"), -100_000_001)
        with self.assertRaises(ValueError):
            mall_month.units("0.000000001")

    def test_whole_pence_are_cut_toward_nothing(self):
        for value, whole in ((1_999_999, 1_000_000), (-1_999_999, -1_000_000), (0, 0)):
            self.assertEqual(mall_month.toward_zero(value, mall_month.CENT), whole)

    def test_the_sample_has_sales(self):
        sales = mall_month.invoices(SAMPLE)
        self.assertGreater(len(sales), 30)
        for _customer, lines in sales.values():
            self.assertTrue(all(pence > 0 for pence in lines.values()))

    def test_a_true_month_is_taken(self):
        books = Books(north=statement("9.8", "9.8"), east=statement("9.8", "-9.7"))
        sold = dict.fromkeys(mall_month.SHOPS, 0) | {"east": 1000}
        owes, events = mall_month.recount(books, sold)
        self.assertEqual(owes["north"], mall_month.units("9.8"))
        self.assertEqual(len(events), 1)

    def test_differences_are_found(self):
        sold = dict.fromkeys(mall_month.SHOPS, 0) | {"east": 1000}
        for north, east, pence in (
            (statement("9.8", "9.8"), statement("9.9", "-9.7"), 1000),
            (statement("9.8", "9.7"), statement("9.8", "-9.7"), 1000),
            (statement("9.9", "9.9"), statement("9.9", "-9.7"), 1000),
            (statement("9.8", "9.8"), statement("9.8", "-9.7"), 1001),
        ):
            with self.assertRaises(Differs):
                mall_month.recount(Books(north=north, east=east), sold | {"east": pence})

    def test_balances_of_hledger_are_read(self):
        with mock.patch.object(mall_month, "SCALE", 8):
            self.assertEqual(mall_month.amount("-1,234.50000000 GBP"), -123_450_000_000)
            self.assertEqual(mall_month.amount("0"), 0)


if __name__ == "__main__":
    unittest.main()
