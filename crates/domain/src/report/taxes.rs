//! The tax in what was sold, less that in what came back, by period and rate.
//!
//! Tokens are worth their price at the time from which the order counts, as in the cash figure; what
//! comes back is worth what it was worth when it was sold. An order that a card paid is worth what
//! the card paid, and moves no tokens. Money is worked out from sums, and so rounded once.

use super::calendar::{Span, Zone};
use super::store;
use crate::tax::{contained, worth};
use scrip_engine::{ReadTx, Timestamp};
use scrip_ledger::{Amount, Result};
use std::collections::BTreeMap;

/// A line of an order, or what came back of it.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// From when on the sale, or the return, counts.
    pub(super) at: Timestamp,
    /// From when on the order counts: its tokens are worth their price then.
    pub(super) sold_at: Timestamp,
    /// What the tax is called.
    pub(super) name: String,
    /// In basis points.
    pub(super) rate: i64,
    /// Tokens of the line; zero where a card paid.
    pub(super) tokens: Amount,
    /// The tax in them.
    pub(super) tax: Amount,
    /// The line's share of what a card paid.
    pub(super) money: Amount,
    /// True for what came back.
    pub(super) is_back: bool,
}

/// What was sold at a rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taxed {
    /// Tokens kept: sold and not given back, with tax.
    pub tokens: Amount,
    /// The tax in them.
    pub tax: Amount,
    /// What was sold, in money, with tax.
    pub sold: Amount,
    /// What came back.
    pub back: Amount,
    /// What was kept, with tax.
    pub kept: Amount,
    /// The tax in that.
    pub money_tax: Amount,
}

impl Taxed {
    /// What was kept, without tax.
    pub fn net(&self) -> Result<Amount> {
        self.kept.minus(self.money_tax)
    }

    /// Adds another one.
    pub fn add(&mut self, other: &Taxed) -> Result<()> {
        for (mine, more) in [
            (&mut self.tokens, other.tokens),
            (&mut self.tax, other.tax),
            (&mut self.sold, other.sold),
            (&mut self.back, other.back),
            (&mut self.kept, other.kept),
            (&mut self.money_tax, other.money_tax),
        ] {
            *mine = mine.plus(more)?;
        }
        Ok(())
    }
}

/// Sums before they are money: by the price that tokens had.
#[derive(Default)]
struct Raw {
    tokens: BTreeMap<Amount, [Amount; 2]>,
    tax: [Amount; 2],
    cards: [Amount; 2],
}

impl Raw {
    fn add(&mut self, line: &Line, price: Amount) -> Result<()> {
        let way = usize::from(line.is_back);
        let sums = [
            self.tokens.entry(price).or_default().get_mut(way),
            self.tax.get_mut(way),
            self.cards.get_mut(way),
        ];
        let amounts = [line.tokens, line.tax, line.money];
        for (sum, amount) in sums.into_iter().flatten().zip(amounts) {
            *sum = sum.plus(amount)?;
        }
        Ok(())
    }

    fn taxed(&self, rate: i64) -> Result<Taxed> {
        let [mut sold, mut back] = self.cards;
        let mut tokens = Amount::ZERO;
        for (price, [out, home]) in &self.tokens {
            sold = sold.plus(worth(*out, *price)?)?;
            back = back.plus(worth(*home, *price)?)?;
            tokens = tokens.plus(*out)?.minus(*home)?;
        }
        let [tax, tax_back] = self.tax;
        let kept = sold.minus(back)?;
        Ok(Taxed {
            tokens,
            tax: tax.minus(tax_back)?,
            sold,
            back,
            kept,
            money_tax: contained(kept, rate)?,
        })
    }
}

/// A tax: its rate in basis points, and what it is called.
pub type Rate = (i64, String);

/// For each period of a span, what was sold at each rate.
pub fn taxes(
    tx: &mut ReadTx<'_>,
    book: i64,
    zone: &Zone,
    span: &Span,
) -> Result<Vec<BTreeMap<Rate, Taxed>>> {
    let prices = store::token_prices(tx, book)?;
    let periods = span.periods();
    let mut raw: Vec<BTreeMap<Rate, Raw>> = Vec::new();
    raw.resize_with(periods.len(), BTreeMap::new);
    let (from, to) = (zone.begin(span.from()), zone.begin(span.to()));
    for line in store::taxed_lines(tx, book, from, to)? {
        let place = Span::place(&periods, zone.day_of(line.at));
        let price = prices.range(..=line.sold_at).next_back();
        let price = price.map_or(Amount::ZERO, |(_, price)| *price);
        if let Some(rates) = raw.get_mut(place) {
            let rate = rates.entry((line.rate, line.name.clone())).or_default();
            rate.add(&line, price)?;
        }
    }
    let of = |((rate, name), raw): ((i64, String), Raw)| {
        let taxed = raw.taxed(rate)?;
        Ok(((rate, name), taxed))
    };
    raw.into_iter()
        .map(|rates| rates.into_iter().map(of).collect())
        .collect()
}
