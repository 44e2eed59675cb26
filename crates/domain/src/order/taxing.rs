//! The tax of the lines of an order. A vendor without rates costs a purchase nothing here: that it
//! has none was loaded with the buyer.

use super::{OrderDetailLine, Quote, QuoteLine, Result, store};
use crate::customer::Buyer;
use crate::policy::policy;
use crate::tax::{LineTax, TaxRate, TaxSum, contained, share, sums, worth};
use crate::vendor::token_price_at;
use scrip_engine::{Read, Timestamp};
use scrip_ledger::Amount;

/// The lines with the tax that is in them, at the rates that hold now.
pub(super) fn taxed(
    tx: &mut dyn Read,
    buyer: &Buyer,
    mut lines: Vec<QuoteLine>,
) -> Result<Vec<QuoteLine>> {
    if !buyer.is_taxed {
        return Ok(lines);
    }
    let book = buyer.customer.book_id;
    let rates = policy(tx, book)?.tax.rates();
    let offers = lines.iter().map(|line| line.offer_id);
    let categories = store::categories_of(tx, book, offers)?;
    for line in &mut lines {
        let category = categories.get(&line.offer_id).map_or("", String::as_str);
        if let Some(rate) = TaxRate::of(&rates, category) {
            line.tax = Some(LineTax {
                name: rate.name.clone(),
                rate: rate.rate,
                amount: contained(line.amount, rate.rate)?,
            });
        }
    }
    Ok(lines)
}

impl Quote {
    /// The taxes in it, one sum for each rate.
    pub fn taxes(&self) -> scrip_ledger::Result<Vec<TaxSum>> {
        sums(self.lines.iter().map(|l| (l.amount, l.tax.as_ref())))
    }
}

/// The tax of one rate in an order that was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderTax {
    /// In tokens.
    pub sum: TaxSum,
    /// What the lines of this rate were worth in money, with the tax: tokens at their price at the
    /// time from which the order counts, or their part of what a card paid.
    pub money: Amount,
    /// The tax in that.
    pub money_tax: Amount,
    /// Tokens of these lines that were given back since.
    pub back: Amount,
    /// The tax in them.
    pub tax_back: Amount,
}

/// The taxes of an order, one for each rate.
pub(super) fn taxes_of(
    tx: &mut dyn Read,
    book: i64,
    lines: &[OrderDetailLine],
    at: Timestamp,
    card: Option<Amount>,
) -> Result<Vec<OrderTax>> {
    let sums = sums(lines.iter().map(|l| (l.amount, l.tax.as_ref())))?;
    if sums.is_empty() {
        return Ok(Vec::new());
    }
    let each = token_price_at(tx, book, at)?;
    let mut taxes = Vec::with_capacity(sums.len());
    for sum in sums {
        let of_rate = |tax: &LineTax| tax.name == sum.name && tax.rate == sum.rate;
        let (mut money, mut back, mut tax_back) = (Amount::ZERO, Amount::ZERO, Amount::ZERO);
        let total = Amount::sum(lines.iter().map(|line| line.amount))?;
        let mut before = Amount::ZERO;
        for line in lines {
            if line.tax.as_ref().is_some_and(of_rate) {
                if let Some(price) = card {
                    money = money.plus(share(price, before, line.amount, total)?)?;
                }
                back = back.plus(line.refunded)?;
                tax_back = tax_back.plus(line.refunded_tax)?;
            }
            before = before.plus(line.amount)?;
        }
        if card.is_none() {
            money = worth(sum.gross, each)?;
        }
        taxes.push(OrderTax {
            money_tax: contained(money, sum.rate)?,
            sum,
            money,
            back,
            tax_back,
        });
    }
    Ok(taxes)
}
