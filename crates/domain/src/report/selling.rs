//! What was sold: by period, hour and weekday, by product, category and kind; to whom, in groups
//! that name nobody (ADV-08).

use super::calendar::Span;
use super::rollup::{BACK, BANDS, Figures, Flow, Goods};
use super::store;
use crate::id::OfferId;
use scrip_engine::Read;
use scrip_ledger::{Amount, Result};
use std::collections::BTreeMap;

/// What was sold in a span, by time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selling {
    /// All of it.
    pub total: Flow,
    /// By period of the span, each of them.
    pub periods: Vec<Flow>,
    /// By hour of the day, 24 of them.
    pub hours: Vec<Flow>,
    /// By day of the week from Monday on, 7 of them.
    pub weekdays: Vec<Flow>,
}

/// What was sold in a span, by the time from which it counts.
pub fn selling(tx: &mut dyn Read, figures: &Figures, span: &Span) -> Result<Selling> {
    let periods = span.periods();
    let mut selling = Selling {
        total: Flow::default(),
        periods: vec![Flow::default(); periods.len()],
        hours: vec![Flow::default(); 24],
        weekdays: vec![Flow::default(); 7],
    };
    let mut add = |day: super::calendar::Day, hour: i64, flow: &Flow| {
        let hour = usize::try_from(hour).unwrap_or(0);
        let places = [
            selling.periods.get_mut(Span::place(&periods, day)),
            selling.hours.get_mut(hour),
            selling.weekdays.get_mut(day.weekday()),
        ];
        for sum in places.into_iter().flatten() {
            sum.add(flow)?;
        }
        selling.total.add(flow)
    };
    figures.flows(tx, Some(span.from()), span.to(), &mut add)?;
    let order = Flow {
        orders: 1,
        ..Flow::default()
    };
    for at in figures.orders_free(tx, span.from(), span.to())? {
        let (day, hour) = figures.zone.hour_of(at);
        add(day, hour, &order)?;
    }
    Ok(selling)
}

/// What was sold of something, and what came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sold {
    /// Sold.
    pub sold: Goods,
    /// Came back.
    pub back: Goods,
}

impl Sold {
    fn add(&mut self, other: &Sold) -> Result<()> {
        self.sold.add(&other.sold)?;
        self.back.add(&other.back)
    }

    /// Tokens kept.
    pub fn net(&self) -> Result<Amount> {
        self.sold.tokens.minus(self.back.tokens)
    }
}

/// What is sold under a stock-keeping unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Article {
    /// Stock-keeping unit.
    pub sku: String,
    /// The product's name.
    pub title: String,
    /// What sets it apart from the product's others.
    pub variant: String,
    /// The product's category now.
    pub category: String,
    /// What the customer gets.
    pub kind: String,
}

/// What was sold in a span, by article, category and kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assortment {
    /// All of it.
    pub total: Sold,
    /// By article: most tokens first.
    pub articles: Vec<(Article, Sold)>,
    /// By category: most tokens first.
    pub categories: Vec<(String, Sold)>,
    /// By kind: most tokens first.
    pub kinds: Vec<(String, Sold)>,
}

/// What was sold in a span, by what it is.
pub fn assortment(tx: &mut dyn Read, figures: &Figures, span: &Span) -> Result<Assortment> {
    let mut all = Assortment::default();
    let mut offers: BTreeMap<OfferId, Sold> = BTreeMap::new();
    for ((offer, band), goods) in figures.goods(tx, span.from(), span.to())? {
        let sold = offers.entry(offer).or_default();
        let side = if band == BACK {
            &mut sold.back
        } else {
            &mut sold.sold
        };
        side.add(&goods)?;
    }
    let (mut categories, mut kinds) = (BTreeMap::new(), BTreeMap::new());
    let known = store::articles(tx, figures.book(), offers.keys().copied())?;
    for (offer, sold) in offers {
        let article = known.get(&offer).cloned().unwrap_or_default();
        all.total.add(&sold)?;
        for (map, key) in [
            (&mut categories, &article.category),
            (&mut kinds, &article.kind),
        ] {
            let sum: &mut Sold = map.entry(key.clone()).or_default();
            sum.add(&sold)?;
        }
        all.articles.push((article, sold));
    }
    all.articles = most_first(all.articles);
    all.categories = most_first(categories.into_iter().collect());
    all.kinds = most_first(kinds.into_iter().collect());
    Ok(all)
}

fn most_first<K>(mut list: Vec<(K, Sold)>) -> Vec<(K, Sold)> {
    list.sort_by_key(|(_, sold)| {
        let sold = &sold.sold;
        std::cmp::Reverse((sold.tokens, sold.pieces))
    });
    list
}

/// Orders of customers who had placed so many with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The least number of orders placed with this one: 1 for the first.
    pub from: i64,
    /// What they bought.
    pub bought: Goods,
    /// The same by category: most tokens first.
    pub categories: Vec<(String, Goods)>,
}

/// What customers bought with their first order, and with later ones: of groups, not of people.
/// Orders of free articles alone are left out, and so is what came back.
pub fn preferences(tx: &mut dyn Read, figures: &Figures, span: &Span) -> Result<Vec<Group>> {
    let goods = figures.goods(tx, span.from(), span.to())?;
    let offers = goods.keys().map(|(offer, _)| *offer);
    let known = store::articles(tx, figures.book(), offers)?;
    let mut groups = Vec::with_capacity(BANDS.len());
    for from in BANDS {
        let mut group = Group {
            from,
            ..Group::default()
        };
        let mut categories: BTreeMap<&str, Goods> = BTreeMap::new();
        for ((offer, _), goods) in goods.iter().filter(|((_, band), _)| *band == from) {
            let category = known.get(offer).map_or("", |a| a.category.as_str());
            categories.entry(category).or_default().add(goods)?;
            group.bought.add(goods)?;
        }
        let named = categories.into_iter().map(|(c, g)| (c.to_owned(), g));
        group.categories = named.collect();
        group
            .categories
            .sort_by_key(|(_, goods)| std::cmp::Reverse((goods.tokens, goods.pieces)));
        groups.push(group);
    }
    Ok(groups)
}
