#!/usr/bin/env python3
"""Totals of a retail file, worked out from the file alone.

This is the second opinion on `scrip replay`: it shares no code with Scrip and
keeps no accounts, only what each customer has bought and not yet brought back.

    retail_totals.py FILE.csv[.gz]                      print the totals as JSON
    retail_totals.py FILE --compare REPLAY.json         compare with a replay
    retail_totals.py FILE --ledger EXPORT.csv           compare with an export

Rows are read in order. All rows of one invoice are one invoice, wherever they
stand. Money is whole pence throughout.
"""

import argparse
import csv
import gzip
import json
import sys
from collections import Counter, defaultdict
from decimal import Decimal

NOT_PRODUCTS = {"AMAZONFEE", "BANK CHARGES", "M", "D", "S", "B"}
COLUMNS = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
]


class Row:
    """One record of the file; `number` counts the header as record 1."""

    def __init__(self, number, record):
        self.number = number
        self.invoice = record["InvoiceNo"]
        self.code = record["StockCode"]
        self.quantity = int(record["Quantity"])
        self.day = record["InvoiceDate"][:10]
        self.price_pence = whole_pence(record["UnitPrice"], number)
        self.customer = record["CustomerID"].removesuffix(".0")
        self.is_cancellation = self.invoice.startswith("C")


def whole_pence(pounds, number):
    pence = Decimal(pounds) * 100
    if pence != pence.to_integral_value():
        raise ValueError(f"row {number}: {pounds} GBP is no whole number of pence")
    return int(pence)


def read_rows(path):
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != COLUMNS:
            raise ValueError(f"{path}: the columns are {reader.fieldnames}, not {COLUMNS}")
        return [Row(number, record) for number, record in enumerate(reader, start=2)]


def refusal(row):
    """Why a row cannot be entered at all, or None."""
    if row.code.upper() in NOT_PRODUCTS:
        return "not_a_product"
    if row.price_pence <= 0:
        return "price_not_positive"
    if row.quantity == 0:
        return "quantity_zero"
    if row.is_cancellation and row.quantity > 0:
        return "quantity_positive"
    if not row.is_cancellation and row.quantity < 0:
        return "quantity_negative"
    return None


class Totals:
    def __init__(self):
        self.rows = 0
        self.orders = 0
        self.refunds = 0
        self.refused = Counter()
        self.sales_pence = 0
        self.refunds_pence = 0
        self.days = defaultdict(lambda: {"sales_pence": 0, "refunds_pence": 0})
        self.customers = defaultdict(lambda: {"sales_pence": 0, "refunds_pence": 0})
        # (customer, code, price) -> what each sold line still has, oldest first
        self._sold = defaultdict(list)

    def enter_invoice(self, rows):
        # The day is the invoice's, so that of its first row.
        day = rows[0].day
        accepted = []
        for row in rows:
            reason = refusal(row)
            if reason is None:
                accepted.append(row)
            else:
                self.refused[reason] += 1
        for row in accepted:
            if row.is_cancellation:
                self._cancel(row, day)
            else:
                self._sell(row, day)
        if accepted and not rows[0].is_cancellation:
            self.orders += 1

    def _sell(self, row, day):
        customer = row.customer or f"invoice:{row.invoice}"
        self._book("sales_pence", row.quantity * row.price_pence, day, customer)
        if row.customer:
            self._sold[row.customer, row.code, row.price_pence].append(row.quantity)

    def _cancel(self, row, day):
        wanted = -row.quantity
        lines = self._sold.get((row.customer, row.code, row.price_pence), [])
        if not row.customer or not lines:
            self.refused["no_sale"] += 1
            return
        while wanted > 0 and lines:
            taken = min(wanted, lines[-1])
            wanted -= taken
            lines[-1] -= taken
            if lines[-1] == 0:
                lines.pop()
        if wanted > 0:
            self.refused["sale_too_small"] += 1
        self.refunds += 1
        quantity = -row.quantity - wanted
        self._book("refunds_pence", quantity * row.price_pence, day, row.customer)

    def _book(self, kind, pence, day, customer):
        setattr(self, kind, getattr(self, kind) + pence)
        self.days[day][kind] += pence
        self.customers[customer][kind] += pence

    def as_json(self):
        return {
            "rows": self.rows,
            "orders": self.orders,
            "refunds": self.refunds,
            "refused": dict(sorted(self.refused.items())),
            "sales_pence": self.sales_pence,
            "refunds_pence": self.refunds_pence,
            "days": dict(sorted(self.days.items())),
            "customers": dict(sorted(self.customers.items())),
        }


def totals_of(rows):
    invoices = {}
    for row in rows:
        invoices.setdefault(row.invoice, []).append(row)
    totals = Totals()
    totals.rows = len(rows)
    for invoice_rows in invoices.values():
        totals.enter_invoice(invoice_rows)
    return totals.as_json()


def differences(name, ours, theirs):
    """Lines that say where `theirs` differs. Absent and zero are the same."""
    if isinstance(ours, dict) or isinstance(theirs, dict):
        ours, theirs = ours or {}, theirs or {}
        if not (isinstance(ours, dict) and isinstance(theirs, dict)):
            return [f"{name}: expected {ours}, found {theirs}"]
        found = []
        for key in sorted(set(ours) | set(theirs)):
            found += differences(f"{name} {key}", ours.get(key), theirs.get(key))
        return found
    # `True == 1` and `1.0 == 1` in Python; neither is an amount of pence.
    is_whole = theirs is None or type(theirs) is int
    if not is_whole or (ours or 0) != (theirs or 0):
        return [f"{name}: expected {ours or 0}, found {theirs!r}"]
    return []


def compare_replay(ours, path):
    with open(path, encoding="utf-8") as file:
        theirs = json.load(file)
    found = [f"replay: no {key!r} in {path}" for key in ours if key not in theirs]
    for key in ours:
        if key in theirs:
            found += differences(f"replay {key}", ours[key], theirs[key])
    return found


def compare_ledger(ours, path):
    """Tokens that left and came back to wallets, by day, against our days."""
    days = defaultdict(lambda: {"sales_pence": Decimal(0), "refunds_pence": Decimal(0)})
    found = []
    with open(path, encoding="utf-8", newline="") as file:
        for number, posting in enumerate(csv.DictReader(file), start=2):
            if ":wallet:" not in posting["account"]:
                continue
            amount = Decimal(posting["amount"])
            day = posting["effective_at"][:10]
            if posting["code"] == "order":
                days[day]["sales_pence"] -= amount
                if amount > 0:
                    found.append(f"ledger row {number}: an order adds {amount} to a wallet")
            elif posting["code"] == "refund":
                days[day]["refunds_pence"] += amount
                if amount < 0:
                    found.append(f"ledger row {number}: a refund takes {-amount} from a wallet")
    if not days:
        found.append(f"ledger: no order or refund touches a wallet in {path}")
    for day in sorted(set(days) | set(ours["days"])):
        for kind in ("sales_pence", "refunds_pence"):
            expected = ours["days"].get(day, {}).get(kind, 0)
            actual = days[day][kind] if day in days else Decimal(0)
            if expected != actual:
                found.append(f"ledger days {day} {kind}: expected {expected}, found {actual}")
    return found


def main(arguments):
    parser = argparse.ArgumentParser(description="Totals of a retail file.")
    parser.add_argument("file", help="retail CSV, plain or .gz")
    parser.add_argument("--compare", metavar="JSON", help="what `scrip replay --json` printed")
    parser.add_argument("--ledger", metavar="CSV", help="what `scrip export --format csv` wrote")
    options = parser.parse_args(arguments)
    ours = totals_of(read_rows(options.file))
    if not options.compare and not options.ledger:
        json.dump(ours, sys.stdout, indent=2)
        print()
        return 0
    found = []
    if options.compare:
        found += compare_replay(ours, options.compare)
    if options.ledger:
        found += compare_ledger(ours, options.ledger)
    for line in found:
        print(line)
    if not found:
        print(
            f"agrees: {ours['rows']} rows, {ours['orders']} orders, {ours['refunds']} refunds, "
            f"{ours['sales_pence']} pence sold, {ours['refunds_pence']} pence refunded"
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
