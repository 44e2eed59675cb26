//! Giving the commands, invoice by invoice, in the order of the file.

use super::file::{Invoice, Item, Reason, Refusal};
use crate::failure::Failure;
use scrip_domain::actor::Actor;
use scrip_domain::catalog::{
    CatalogError, NewOffer, NewProduct, OfferKind, offer_by_sku, offer_put, product_put,
};
use scrip_domain::customer::{
    Customer, CustomerError, Details, customer_by_id, customer_by_reference, customer_register,
    reference_set,
};
use scrip_domain::id::OfferId;
use scrip_domain::order::{
    GoodsReturn, OrderError, OrderOutcome, OrderRequest, Refusal as OrderRefusal, Returned,
    ReturnedGoods, Wanted, goods_return, order_place, order_reference_taken,
    return_reference_taken,
};
use scrip_domain::token_sale::{
    NewTokenOrder, Outcome, TestCards, payment_session_open, token_buy,
};
use scrip_domain::vendor::{
    Role, Vendor, VendorError, staff_by_name, staff_create, token_price_at, vendor_by_slug,
};
use scrip_domain::{Amount, Node};
use scrip_engine::Read;
use scrip_ledger::Rounding;
use std::collections::HashMap;

/// The member of staff who enters the transactions.
pub const STAFF: &str = "Transaction import";
/// Top-ups are whole multiples of this much money, in hundredths.
const TOP_UP: i64 = 10_000;

/// Gives the commands for invoices.
pub struct Replayer<'a> {
    node: &'a Node,
    vendor: Vendor,
    actor: Actor,
    token_price: Amount,
    cards: TestCards,
    /// Offers by stock code, as far as seen.
    offers: HashMap<String, OfferId>,
    /// Invoices that were entered before.
    pub already_entered: u64,
    /// Cancelled rows that were refunded, wholly or in part.
    pub refunds: u64,
    /// Orders placed.
    pub orders: u64,
    /// Customers registered.
    pub registered: u64,
    /// Rows that were not entered.
    pub refusals: Vec<Refusal>,
}

impl<'a> Replayer<'a> {
    /// Begins at a vendor, as its import staff.
    pub fn new(node: &'a Node, slug: &str) -> Result<Self, Failure> {
        let slug = slug.to_owned();
        let (vendor, staff, token_price) = node.engine.write(move |tx| {
            let vendor = vendor_by_slug(tx, &slug)?;
            let staff = match staff_by_name(tx, &vendor, STAFF) {
                Err(VendorError::StaffUnknown(_)) => {
                    staff_create(tx, Actor::System, &vendor, STAFF, Role::Cashier)?
                }
                found => found?,
            };
            let now = tx.now();
            let price = token_price_at(tx, vendor.book_id, now)?;
            Ok::<_, VendorError>((vendor, staff, price))
        })?;
        Ok(Replayer {
            node,
            vendor,
            actor: Actor::Staff(staff.staff_id),
            token_price,
            cards: TestCards::default(),
            offers: HashMap::new(),
            already_entered: 0,
            refunds: 0,
            orders: 0,
            registered: 0,
            refusals: Vec::new(),
        })
    }

    /// The vendor.
    pub fn vendor(&self) -> &Vendor {
        &self.vendor
    }

    /// The price of one token.
    pub fn token_price(&self) -> Amount {
        self.token_price
    }

    /// Enters one invoice. Only a failure of the database is an error: what the rules refuse goes
    /// into the report.
    pub fn enter(&mut self, invoice: &Invoice) -> Result<(), Failure> {
        if invoice.items.is_empty() {
            return Ok(());
        }
        if invoice.cancels() {
            self.refund(invoice)
        } else {
            self.sell(invoice)
        }
    }

    fn refuse(&mut self, invoice: &Invoice, item: &Item, reason: Reason, detail: &str) {
        let detail = detail.to_owned();
        let refusal = Refusal {
            row: item.row,
            invoice: invoice.number.clone(),
            reason,
            detail,
        };
        self.refusals.push(refusal);
    }

    /// The price of an item in tokens, when they can express it.
    fn tokens(&self, price: Amount) -> Option<Amount> {
        let finer = self.vendor.currency.scale.checked_sub(2)?;
        let money = price.times(10_i64.checked_pow(finer)?).ok()?;
        let whole = 10_i64.checked_pow(self.vendor.token.scale)?;
        money
            .ratio(whole, self.token_price.units(), Rounding::Exact)
            .ok()
    }

    /// The items whose price tokens can express, with that price; the others are refused.
    fn priced(&mut self, invoice: &Invoice) -> Vec<(Item, Amount)> {
        let mut priced = Vec::with_capacity(invoice.items.len());
        for item in &invoice.items {
            match self.tokens(item.price) {
                Some(tokens) if tokens.times(item.quantity).is_ok() => {
                    priced.push((item.clone(), tokens));
                }
                _ => self.refuse(
                    invoice,
                    item,
                    Reason::PriceTooFine,
                    "tokens cannot express this amount",
                ),
            }
        }
        priced
    }

    fn sell(&mut self, invoice: &Invoice) -> Result<(), Failure> {
        let (book, number) = (self.vendor.book_id, invoice.number.clone());
        let taken = self
            .node
            .engine
            .read(|tx| order_reference_taken(tx, book, &number))
            .map_err(|e: OrderError| Failure::from(e))?;
        if taken {
            self.already_entered += 1;
            return Ok(());
        }
        let items = self.priced(invoice);
        let items = self.with_offers(invoice, items)?;
        if items.is_empty() {
            return Ok(());
        }
        let customer = self.customer(invoice)?;
        let request = OrderRequest {
            customer_id: customer.customer_id,
            lines: items
                .iter()
                .map(|(item, price, offer)| Wanted {
                    offer_id: *offer,
                    quantity: item.quantity,
                    quoted: None,
                    entered: Some(*price),
                })
                .collect(),
            reference: number,
            effective_at: Some(invoice.at.0),
        };
        let mut outcome = self.place(&request)?;
        // Once for the account's minimum, once for what is short.
        for _ in 0..2 {
            let Ok(OrderOutcome::Refused { refusal, .. }) = &outcome else {
                break;
            };
            let Some(short) = self.shortage(refusal) else {
                break;
            };
            outcome = match self.top_up(invoice, &customer, short)? {
                Ok(()) => self.place(&request)?,
                Err(text) => Err(text),
            };
        }
        let refused = match outcome {
            Ok(OrderOutcome::Completed(_)) => {
                self.orders += 1;
                return Ok(());
            }
            Ok(OrderOutcome::Refused { refusal, .. }) => refusal.to_string(),
            Err(text) => text,
        };
        for (item, _, _) in &items {
            self.refuse(invoice, item, Reason::OrderRefused, &refused);
        }
        Ok(())
    }

    /// Places an order; what the rules refuse altogether is a text.
    fn place(&self, request: &OrderRequest) -> Result<Result<OrderOutcome, String>, Failure> {
        let (actor, book, request) = (self.actor, self.vendor.book_id, request.clone());
        let placed = self
            .node
            .engine
            .write(move |tx| order_place(tx, actor, book, &request));
        within_rules(placed)
    }

    /// Buys tokens for what is missing, by test card, at the invoice's time.
    /// What the rules refuse is a text.
    fn top_up(
        &self,
        invoice: &Invoice,
        customer: &Customer,
        short: Amount,
    ) -> Result<Result<(), String>, Failure> {
        let step = self.tokens(Amount::from_units(TOP_UP)).unwrap_or(short);
        let steps = short.ratio(1, step.units(), Rounding::Up)?;
        let Ok(quantity) = step.times(steps.units()) else {
            return Ok(Err("so many tokens cannot be bought at once".into()));
        };
        let (actor, payer) = (self.actor, customer.clone());
        let session = self
            .node
            .engine
            .write(move |tx| payment_session_open(tx, actor, &payer))?;
        let order = NewTokenOrder {
            customer: customer.customer_id,
            session,
            quantity,
            pack: None,
            card: "test_ok".into(),
            reference: format!("top-up {}", invoice.number),
            effective_at: Some(invoice.at),
        };
        let bought = token_buy(self.node, &self.cards, actor, &self.vendor, order);
        Ok(within_rules(bought)?.and_then(|outcome| match outcome {
            Outcome::Cleared { .. } => Ok(()),
            other => Err(format!("the top-up was not cleared: {other:?}")),
        }))
    }

    /// Tokens to buy before an order can go through: what is short, or the account's minimum.
    fn shortage(&self, refusal: &OrderRefusal) -> Option<Amount> {
        match refusal {
            OrderRefusal::Shortage { short, .. } => Some(*short),
            OrderRefusal::Inactive { .. } => Some(self.vendor.minimum_tokens),
            _ => None,
        }
    }

    /// Who buys: registered at first sight; without a number, one pseudonymous account per
    /// invoice.
    fn customer(&mut self, invoice: &Invoice) -> Result<Customer, Failure> {
        let reference = customer_reference(invoice);
        if let Some(customer) = self.known(&reference)? {
            return Ok(customer);
        }
        let (vendor, vault) = (self.vendor.clone(), self.node.vault.clone());
        let customer = self.node.engine.write(move |tx| {
            let registered = customer_register(tx, &vault, &vendor, &Details::default())?;
            let customer = customer_by_id(tx, vendor.book_id, registered.customer_id)?;
            reference_set(tx, &customer, &reference)?;
            Ok::<_, CustomerError>(customer)
        })?;
        self.registered += 1;
        Ok(customer)
    }

    fn known(&self, reference: &str) -> Result<Option<Customer>, Failure> {
        let book = self.vendor.book_id;
        let found: Result<_, CustomerError> = self
            .node
            .engine
            .read(|tx| customer_by_reference(tx, book, reference));
        Ok(found?)
    }

    /// Finds or makes the offer of each item. A code that cannot be one refuses its row.
    fn with_offers(
        &mut self,
        invoice: &Invoice,
        items: Vec<(Item, Amount)>,
    ) -> Result<Vec<(Item, Amount, OfferId)>, Failure> {
        let mut found = Vec::with_capacity(items.len());
        for (item, price) in items {
            let known = self.offers.get(&item.code).copied();
            let offer = match known {
                Some(offer) => Ok(offer),
                None => self.offer(&item, price)?,
            };
            match offer {
                Ok(offer) => {
                    self.offers.insert(item.code.clone(), offer);
                    found.push((item, price, offer));
                }
                Err(text) => self.refuse(invoice, &item, Reason::Malformed, &text),
            }
        }
        Ok(found)
    }

    fn offer(&self, item: &Item, price: Amount) -> Result<Result<OfferId, String>, Failure> {
        let (vendor, item) = (self.vendor.clone(), item.clone());
        let made = self.node.engine.write(move |tx| {
            if let Some(offer) = offer_by_sku(tx, vendor.book_id, &item.code)? {
                return Ok(offer);
            }
            let title = if item.description.is_empty() {
                &item.code
            } else {
                &item.description
            };
            let product = NewProduct {
                handle: item.code.clone(),
                title: title.clone(),
                ..NewProduct::default()
            };
            let (product, _) = product_put(tx, &vendor, &product)?;
            let offer = NewOffer {
                sku: item.code.clone(),
                variant: String::new(),
                kind: OfferKind::Purchase,
                price,
                on_sale: false,
                active: true,
                stock: None,
                tiers: Vec::new(),
                options: Vec::new(),
            };
            Ok::<_, CatalogError>(offer_put(tx, &vendor, product, &offer)?.0)
        });
        within_rules(made)
    }

    fn refund(&mut self, invoice: &Invoice) -> Result<(), Failure> {
        let (book, number) = (self.vendor.book_id, invoice.number.clone());
        let taken = self
            .node
            .engine
            .read(|tx| return_reference_taken(tx, book, &number))
            .map_err(|e: OrderError| Failure::from(e))?;
        if taken {
            self.already_entered += 1;
            return Ok(());
        }
        let items = self.priced(invoice);
        let customer = if invoice.customer.is_empty() {
            None
        } else {
            self.known(&customer_reference(invoice))?
        };
        match self.return_goods(invoice, customer, &items)? {
            Err(text) => {
                for (item, _) in &items {
                    self.refuse(invoice, item, Reason::OrderRefused, &text);
                }
            }
            Ok(returned) => {
                for ((item, _), returned) in items.iter().zip(returned) {
                    self.note_return(invoice, item, returned.quantity);
                }
            }
        }
        Ok(())
    }

    fn note_return(&mut self, invoice: &Invoice, item: &Item, pieces: i64) {
        if pieces > 0 {
            self.refunds += 1;
        }
        if pieces == 0 {
            let detail = "this customer has no earlier sale of this item at this price";
            self.refuse(invoice, item, Reason::NoSale, detail);
        } else if pieces < item.quantity {
            let detail = format!("only {pieces} of {} pieces were sold", item.quantity);
            self.refuse(invoice, item, Reason::SaleTooSmall, &detail);
        }
    }

    fn return_goods(
        &self,
        invoice: &Invoice,
        customer: Option<Customer>,
        items: &[(Item, Amount)],
    ) -> Result<Result<Vec<Returned>, String>, Failure> {
        let (actor, vendor) = (self.actor, self.vendor.clone());
        let goods = GoodsReturn {
            reference: invoice.number.clone(),
            goods: items
                .iter()
                .map(|(item, price)| ReturnedGoods {
                    sku: item.code.clone(),
                    unit_price: *price,
                    quantity: item.quantity,
                })
                .collect(),
            effective_at: invoice.at,
        };
        let returned = self
            .node
            .engine
            .write(move |tx| goods_return(tx, actor, &vendor, customer.as_ref(), &goods));
        within_rules(returned)
    }
}

/// The name by which a customer of the file is found again.
fn customer_reference(invoice: &Invoice) -> String {
    if invoice.customer.is_empty() {
        format!("invoice:{}", invoice.number)
    } else {
        invoice.customer.clone()
    }
}

/// Parts what the rules refuse (a text for the report) from what ends the run.
fn within_rules<T, E>(result: Result<T, E>) -> Result<Result<T, String>, Failure>
where
    Failure: From<E>,
{
    match result.map_err(Failure::from) {
        Ok(value) => Ok(Ok(value)),
        Err(Failure::Refused(text)) => Ok(Err(text)),
        Err(other) => Err(other),
    }
}
