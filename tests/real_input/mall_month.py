#!/usr/bin/env python3
"""A month of real retail, spread over the five members of a mall, recounted.

Plays the sales of a retail file through a running node: each customer has a home
among four shops, each invoice is sold by one of them, and is paid with the home's
own tokens, or with universal, manufacturer's, group tokens or a gift certificate,
whatever the customer holds; the fifth member is a manufacturer. Royalties, service
charges, commissions and tolls are taken; one shop settles from a deposit, another
one by transfer. At the end the mall clears. This script shares no code with Scrip:
it adds up the CSV statements of all members with whole numbers, and compares them
with the retail file, with the clearing, and with what hledger makes of the six
exported books.

    mall_month.py SCRIP FILE.csv[.gz] [URL]     ends with 1 and says what differs

URL is an empty PostgreSQL database; a SQLite file of its own unless given.
"""

import csv
import io
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from decimal import Decimal
from pathlib import Path

from retail_totals import NOT_PRODUCTS, read_rows

SHOPS = ["north", "east", "south", "west"]
MAKER = "maker"
MEMBERS = [*SHOPS, MAKER]
CURRENCY = "GBP"
SCALE = 8
CENT = 10 ** (SCALE - 2)


def units(text):
    """An amount in its smallest unit."""
    value = Decimal(text).scaleb(SCALE)
    if value != value.to_integral_value():
        raise ValueError(f"{text} has more than {SCALE} decimals")
    return int(value)


def toward_zero(value, step):
    return (abs(value) // step) * step * (1 if value >= 0 else -1)


class Differs(Exception):
    pass


def same(what, ours, theirs):
    if ours != theirs:
        raise Differs(f"{what}: recounted {ours}, Scrip says {theirs}")


class Program:
    """The command line, on one database."""

    def __init__(self, scrip, folder, url):
        self.scrip = scrip
        self.at = ["--database", url or f"sqlite:{folder}/month.db", "--key-file", f"{folder}/key"]

    def run(self, *words):
        command = [self.scrip, *words, *self.at]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Differs(f"{' '.join(words)} failed: {done.stderr.strip()}")
        return done.stdout


class Node:
    """The running program, and its API."""

    def __init__(self, program, keys):
        command = [program.scrip, "serve", "--listen", "127.0.0.1:0", "--cards", "test"]
        command += program.at
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        ready = self.process.stdout.readline()
        if not ready.startswith("ready "):
            raise Differs(f"the node did not start: {ready!r}")
        self.url = ready.split()[1]
        self.keys = keys

    def call(self, member, method, path, body=None, expect=(200, 201, 204)):
        headers = {
            "Authorization": f"Bearer {self.keys[member]}",
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            if error.code in expect:
                return error.code
            raise Differs(f"{method} {path}: {error.code} {error.read().decode()}") from error
        return json.loads(text) if text else None

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)


def prepare(program):
    keys = {}
    for member in MEMBERS:
        kind = "manufacturer" if member == MAKER else "vendor"
        create = ["vendor", "create", "--kind", kind, "--name", member.title()]
        create += ["--slug", member, "--currency", CURRENCY]
        program.run(*create, "--token-price", "0.01", "--minimum-tokens", "0")
        scopes = "customers:write,tokens:write,orders:write,catalog:write,vendor:write"
        create = ["api-key", "create", "--vendor", member, "--name", "month"]
        made = program.run(*create, "--scope", f"{scopes},reports:read,vendor:read", "--json")
        keys[member] = json.loads(made)["key"]
    mall = ["--mall", "plaza"]
    program.run("mall", "create", "--slug", "plaza", "--name", "Plaza", "--currency", CURRENCY)
    for member in MEMBERS:
        program.run("mall", "join", *mall, "--vendor", member)
        terms = ["--service", "2", "--royalty", "1.25", "--commission", "5"]
        program.run("mall", "terms", "--vendor", member, *terms)
    program.run("mall", "toll", *mall, "information", "0.0005")
    program.run("mall", "toll", *mall, "reimbursement", "0.00025")
    program.run("mall", "group", "create", *mall, "--slug", "arcade", "--name", "Arcade")
    for member in ("north", "east"):
        program.run("mall", "group", "join", *mall, "--group", "arcade", "--vendor", member)
    program.run("mall", "deposit", "--vendor", "south", "10000000", "--low", "100")
    program.run("mall", "settling", "--vendor", "south", "deposit")
    program.run("mall", "settling", "--vendor", "west", "transfer")
    return keys


def shelves(node):
    """A penny's worth of the manufacturer's things, and of all others, at each shop."""
    for shop in SHOPS:
        for sku in ("made", "other"):
            node.call(shop, "PUT", f"/v1/products/{sku}", {"title": sku})
            offer = {"kind": "purchase", "price": "1"}
            node.call(shop, "PUT", f"/v1/products/{sku}/offers/{sku}", offer)
        for issuer in SHOPS:
            if issuer != shop:
                node.call(shop, "PUT", f"/v1/mall/gift-acceptance/{issuer}")
    node.call(MAKER, "PUT", "/v1/mall/products/made", {"cap_percent": "0"})


def invoices(path):
    """The sales of the file: invoice, customer, pence of made and of other things."""
    sales = {}
    for row in read_rows(path):
        if row.is_cancellation or row.code in NOT_PRODUCTS or row.quantity <= 0:
            continue
        pence = row.quantity * row.price_pence
        if pence <= 0:
            continue
        sku = "made" if row.code.startswith("22") else "other"
        sale = sales.setdefault(row.invoice, (row.customer or "guest", {}))
        sale[1][sku] = sale[1].get(sku, 0) + pence
    return sales


class Buyer:
    def __init__(self, node, name, place):
        self.node = node
        self.home = SHOPS[place % len(SHOPS)]
        made = node.call(self.home, "POST", "/v1/customers", {"person": {"name": f"C {name}"}})
        self.id = made["customer_id"]

    def issue(self, issuer, kind, pence, **more):
        tokens = f"{pence // 100}.{pence % 100:02}"
        body = {"customer_id": self.id, "kind": kind, "tokens": tokens, "origin": "paid", **more}
        if issuer != self.home:
            body["home"] = self.home
        self.node.call(issuer, "POST", "/v1/open-tokens", body)

    def gift(self, issuer, pence):
        face = f"{pence // 100}.{pence % 100:02}"
        new = {"face": face, "count": 1, "origin": "paid"}
        printed = self.node.call(issuer, "POST", "/v1/gift-certificates", new)
        code = printed["items"][0]["code"]
        self.node.call(self.home, "POST", f"/v1/customers/{self.id}/gift-certificates", {"code": code})

    def buys(self, seller, lines, way):
        """Pays in one of five ways; true where open tokens paid."""
        total = sum(lines.values())
        wanted = [{"sku": sku, "quantity": pence} for sku, pence in sorted(lines.items())]
        if way == 0 and seller == self.home:
            body = {"tokens": str(total), "card": "test_ok"}
            self.node.call(self.home, "POST", f"/v1/customers/{self.id}/token-orders", body)
            self.node.call(self.home, "POST", "/v1/orders", {"customer_id": self.id, "lines": wanted})
            return False
        if way == 1 and seller in ("north", "east") and self.home in ("north", "east"):
            self.issue(self.home, "group", total, group="arcade")
        elif way == 2 and total < 500_000:  # a certificate is worth 10,000 at most
            self.gift(self.home, total + 137)
        elif way == 3 and lines.get("made"):
            self.issue(MAKER, "m1", lines["made"])
            if lines.get("other"):
                self.issue(self.home, "universal", lines["other"])
        else:
            self.issue(self.home, "universal", total)
        path = f"/v1/customers/{self.id}/open-orders"
        self.node.call(self.home, "POST", path, {"at": seller, "lines": wanted})
        return True


def play(node, sales):
    """What open tokens paid at each shop, in pence; what own tokens paid."""
    buyers, open_at, closed_at = {}, dict.fromkeys(SHOPS, 0), dict.fromkeys(SHOPS, 0)
    for number, (_invoice, (customer, lines)) in enumerate(sales.items()):
        if customer not in buyers:
            buyers[customer] = Buyer(node, customer, len(buyers))
        seller = SHOPS[(number * 7 + number // 5) % len(SHOPS)]
        by_open = buyers[customer].buys(seller, lines, number % 5)
        to = open_at if by_open else closed_at
        to[seller] += sum(lines.values())
    return open_at, closed_at


def settled(node):
    """Waits until the mall has heard of everything: its positions rest."""
    def owes():
        return [node.call(m, "GET", "/v1/mall")["owes"]["amount"] for m in MEMBERS]

    before, quiet = None, 0
    for _ in range(600):
        now = owes()
        quiet = quiet + 1 if now == before else 0
        if quiet >= 6:
            return
        before = now
        time.sleep(0.5)
    raise Differs("the mall does not come to rest")


def lines_of(program, member):
    text = program.run("mall", "statement", "--vendor", member, "--from", "2000-01-01T00:00:00Z")
    rows = list(csv.reader(io.StringIO(text)))
    head, body = rows[0], rows[1:]
    lines = [dict(zip(head, row)) for row in body if row[0] not in ("total", "lines")]
    totals = next(row for row in body if row[0] == "total")
    count = next(row for row in body if row[0] == "lines")
    same(f"lines of {member}", len(lines), int(count[1]))
    for place, name in enumerate(head):
        if name in ("owed", "received", "fraction", "royalty", "taken_at_once", "kept_by_debtor", "you_owe"):
            same(f"total {name} of {member}", sum(units(line[name]) for line in lines), units(totals[place]))
    return lines


def recount(program, open_at):
    """Each member's position and what the mall kept, from the statements alone."""
    owes, events = dict.fromkeys(MEMBERS, 0), {}
    for member in MEMBERS:
        for line in lines_of(program, member):
            known = events.setdefault(line["event"], line)
            for name in ("what", "debtor", "creditor", "owed", "received", "taken_at_once"):
                same(f"{name} of event {line['event']}", known[name], line[name])
            own = 0
            if line["debtor"] == member:
                own += units(line["owed"])
            if line["creditor"] == member:
                own -= units(line["received"])
            same(f"what {member} owes by {line['event']}", own, units(line["you_owe"]))
            owes[member] += own
    kept, paid = 0, dict.fromkeys(SHOPS, 0)
    for line in events.values():
        owed, once = units(line["owed"]), units(line["taken_at_once"])
        royalty, fraction = units(line["royalty"]), units(line["fraction"])
        same(f"parts of event {line['event']}", owed + once, units(line["received"]) + royalty + fraction)
        kept += royalty + fraction - once
        if line["what"] == "sale":
            paid[line["creditor"]] += owed + once + units(line["kept_by_debtor"])
    for shop in SHOPS:
        same(f"what open tokens paid at {shop}", paid[shop], open_at[shop] * CENT)
    same("all positions and what the mall kept", sum(owes.values()) - kept, 0)
    return owes, events


def cleared(program, owes):
    clearing = json.loads(program.run("mall", "clear", "--mall", "plaza", "--json"))
    said = {p["vendor"]: p for p in clearing["positions"]}
    for member in MEMBERS:
        whole = toward_zero(owes[member], CENT)
        same(f"net of {member}", owes[member], units(said[member]["net"]))
        same(f"whole pence of {member}", whole, units(said[member]["paid"]))
        same(f"carried of {member}", owes[member] - whole, units(said[member]["carried"]))


def hledger(path):
    """The balance of each account, by hledger."""
    check = subprocess.run(["hledger", "check", "-f", path], capture_output=True, text=True, check=False)
    if check.returncode != 0:
        raise Differs(f"hledger refuses {path}: {check.stderr}")
    command = ["hledger", "balance", "-f", path, "--flat", "--no-total", "--empty", "-O", "csv"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {row["account"]: row["balance"] for row in csv.DictReader(io.StringIO(text))}


def amount(text):
    """The one amount of a balance, in the smallest unit of money."""
    number = re.search(r"-?[0-9][0-9,]*(?:\.[0-9]+)?", text)
    return units(number.group(0).replace(",", "")) if number else 0


def due(balances, ends):
    found = [text for name, text in balances.items() if name.endswith(ends)]
    return sum(amount(text) for text in found)


def exported(program, folder, owes):
    for book in [*MEMBERS, "plaza"]:
        path = f"{folder}/{book}.journal"
        program.run("export", "--vendor", book, "--format", "hledger", "-o", path)
    mall = hledger(f"{folder}/plaza.journal")
    for member in MEMBERS:
        own = hledger(f"{folder}/{member}.journal")
        # What is owed stands as a credit in the member's book, as a debit in the mall's.
        same(f"hledger's due of {member}", owes[member], -due(own, f":Due:{CURRENCY}-plaza"))
        same(f"hledger's due from {member}", owes[member], due(mall, f":Due:{CURRENCY}-{member}"))


def main():
    scrip, path, *url = sys.argv[1:]
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        program = Program(str(Path(scrip).resolve()), folder, url[0] if url else None)
        node = Node(program, prepare(program))
        try:
            shelves(node)
            sales = invoices(path)
            open_at, closed_at = play(node, sales)
            settled(node)
        finally:
            node.stop()
        owes, events = recount(program, open_at)
        exported(program, folder, owes)
        cleared(program, owes)
        program.run("verify")
    kinds = sum(1 for line in events.values() if line["what"] == "sale")
    print(
        f"mall_month: {len(sales)} invoices, {sum(open_at.values()) / 100:.2f} by open tokens in "
        f"{kinds} parts, {sum(closed_at.values()) / 100:.2f} by own tokens; {len(events)} lines, "
        f"statements, clearing and hledger agree ({time.monotonic() - started:.0f} s)"
    )


if __name__ == "__main__":
    try:
        main()
    except Differs as wrong:
        sys.exit(f"mall_month: {wrong}")
