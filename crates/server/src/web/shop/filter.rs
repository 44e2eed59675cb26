//! What a visitor looks for, as the address of a page of the shop says it: plain fields of a form
//! that is sent by GET, so that each view has an address of its own.

use crate::web::frame::link;
use crate::web::session::Shop;
use crate::web::view::{Field, Notice, Tone};
use scrip_domain::Amount;
use scrip_domain::catalog::OfferKind;
use scrip_domain::catalog::shelf::{Branch, Facet, ShelfFilter, Sort, Start};
use scrip_domain::id::ProductId;
use scrip_domain::order::gate::Sight;
use scrip_domain::policy::Part;
use scrip_domain::vendor::Sells;
use serde::Deserialize;

/// The kinds of sale to choose from.
const KINDS: [(&str, &str); 5] = [
    ("", "Any"),
    ("purchase", "Purchase"),
    ("time", "Rent by time"),
    ("uses", "Rent by uses"),
    ("processings", "Rent by processings"),
];

/// Which part of the shop is looked at. Fields of a form that were left empty are there, but empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Asked {
    /// Categories that are ticked.
    pub category: Vec<String>,
    /// Words to look for.
    pub q: String,
    /// A branch of the shop: `software` or `goods`.
    pub part: String,
    /// A kind of sale.
    pub kind: String,
    /// A manufacturer.
    pub maker: String,
    /// The lowest price.
    pub from: String,
    /// The highest price.
    pub to: String,
    /// Not empty for what can be had now.
    pub stock: String,
    /// Not empty for what is on sale.
    pub sale: String,
    /// The order.
    pub sort: String,
    /// The last product of the page before.
    pub after: Option<ProductId>,
    /// The first product of the page after.
    pub before: Option<ProductId>,
    /// How many products the pages before had, for the words of the pager.
    pub seen: Option<u32>,
    /// What is hidden from whoever looks: nothing is found or sorted by it.
    #[serde(skip)]
    hidden: Vec<Part>,
}

/// A word to choose in a list.
pub struct Word {
    /// What is sent.
    pub value: String,
    /// What it is called.
    pub label: String,
    /// True when it is chosen.
    pub on: bool,
}

/// The form above the products.
pub struct Finder {
    /// Where it is sent.
    pub at: String,
    /// What was looked for.
    pub q: String,
    /// Categories and the branch, which stay as they are.
    pub kept: Vec<(&'static str, String)>,
    /// Kinds of sale.
    pub kinds: Vec<Word>,
    /// Manufacturers; empty where there is no choice.
    pub makers: Vec<Word>,
    /// The lowest and the highest price; empty where prices are hidden.
    pub prices: Vec<Field>,
    /// True where it may be asked what can be had now.
    pub has_stock: bool,
    /// Only what can be had now.
    pub stock: bool,
    /// Only what is on sale.
    pub sale: bool,
    /// Orders.
    pub sorts: Vec<Word>,
    /// True when the filters are to be seen: one of them is set.
    pub is_open: bool,
    /// Everything, without filters.
    pub all: String,
}

/// Manufacturers in the list at most.
const MAKERS: usize = 200;

impl Asked {
    /// Without what would tell by the order or the choice of products what is hidden (SHP-04).
    pub fn seen_by(mut self, sight: &Sight) -> Asked {
        self.hidden = sight.hidden().to_vec();
        for part in sight.hidden() {
            match part {
                Part::Prices => {
                    self.from.clear();
                    self.to.clear();
                    if matches!(self.sort(), Sort::Cheapest | Sort::Dearest) {
                        self.sort.clear();
                    }
                }
                Part::Stock => self.stock.clear(),
                Part::Manufacturer => self.maker.clear(),
                Part::Description | Part::Images | Part::Download => {}
            }
        }
        self
    }

    fn sees(&self, part: Part) -> bool {
        !self.hidden.contains(&part)
    }

    /// The branch.
    pub fn branch(&self) -> Option<Branch> {
        Branch::parse(&self.part).ok()
    }

    /// True where nothing is licensed or rented, so that nobody is asked how (SHP-06).
    fn is_goods(&self, shop: &Shop) -> bool {
        match (shop.front.sells, self.branch()) {
            (Sells::Both, branch) => branch == Some(Branch::Goods),
            (sells, _) => sells == Sells::Goods,
        }
    }

    /// True when something but the branch narrows what is shown.
    pub fn is_filtered(&self) -> bool {
        !self.category.is_empty() || !self.q.trim().is_empty() || self.is_narrowed()
    }

    /// True when one of the filters behind the word is set.
    fn is_narrowed(&self) -> bool {
        [
            &self.kind,
            &self.maker,
            &self.from,
            &self.to,
            &self.stock,
            &self.sale,
        ]
        .iter()
        .any(|field| !field.is_empty())
    }

    /// What the rules look for, and what of it could not be understood.
    pub fn filter(&self, shop: &Shop, limit: usize) -> (ShelfFilter, Option<Notice>) {
        let mut odd = Vec::new();
        let mut price = |name: &str, text: &str| {
            let text = text.trim().replace(',', ".");
            if text.is_empty() {
                return None;
            }
            let price = Amount::parse(&text, shop.vendor.token.scale).ok();
            if price.is_none() {
                odd.push(format!("{name} is a number of tokens such as 25 or 2.5."));
            }
            price
        };
        let price_from = price("The lowest price", &self.from);
        let price_to = price("The highest price", &self.to);
        let kind = OfferKind::ALL.into_iter().find(|k| k.name() == self.kind);
        if kind.is_none() && !self.kind.is_empty() {
            odd.push("The kind of sale is not known.".to_owned());
        }
        let start = match (self.after, self.before) {
            (Some(after), _) => Start::After(after),
            (None, Some(before)) => Start::Before(before),
            (None, None) => Start::Beginning,
        };
        let filter = ShelfFilter {
            search: self.q.clone(),
            categories: self.category.clone(),
            manufacturer: Some(self.maker.clone()).filter(|maker| !maker.is_empty()),
            kind,
            price_from,
            price_to,
            in_stock: !self.stock.is_empty(),
            on_sale: !self.sale.is_empty(),
            branch: self.branch(),
            sort: self.sort(),
            start,
            limit,
            ..ShelfFilter::default()
        };
        let notice = (!odd.is_empty()).then(|| {
            let text = odd.join(" ");
            Notice::new(Tone::Warn, "Not all of the filter was understood.", text)
        });
        (filter, notice)
    }

    fn sort(&self) -> Sort {
        Sort::parse(&self.sort).unwrap_or(match self.q.trim().is_empty() {
            true => Sort::Entered,
            false => Sort::Match,
        })
    }

    /// The same view from its beginning, with these categories.
    pub fn query<'a>(&'a self, categories: &[&'a str]) -> Vec<(&'a str, &'a str)> {
        let mut query: Vec<(&str, &str)> = categories.iter().map(|c| ("category", *c)).collect();
        let fields = [
            ("part", &self.part),
            ("q", &self.q),
            ("kind", &self.kind),
            ("maker", &self.maker),
            ("from", &self.from),
            ("to", &self.to),
            ("stock", &self.stock),
            ("sale", &self.sale),
            ("sort", &self.sort),
        ];
        let set = fields.into_iter().filter(|(_, value)| !value.is_empty());
        query.extend(set.map(|(name, value)| (name, value.as_str())));
        query
    }

    /// The form.
    pub fn finder(&self, shop: &Shop, makers: &[Facet]) -> Finder {
        let sorts = [
            (
                "",
                if self.q.trim().is_empty() {
                    "As entered"
                } else {
                    "Best match"
                },
            ),
            ("name", "Name"),
            ("cheapest", "Lowest price"),
            ("dearest", "Highest price"),
            ("newest", "Newest"),
        ];
        let word = |chosen: &str, value: &str, label: &str| Word {
            value: value.to_owned(),
            label: label.to_owned(),
            on: value == chosen,
        };
        let maker = |(name, count): &Facet| word(&self.maker, name, &format!("{name} ({count})"));
        let mut makers: Vec<Word> = makers.iter().take(MAKERS).map(maker).collect();
        let is_choice = makers.len() >= 2 || !self.maker.is_empty();
        if !is_choice || !self.sees(Part::Manufacturer) {
            makers.clear();
        } else {
            if !self.maker.is_empty() && !makers.iter().any(|maker| maker.on) {
                makers.insert(0, word(&self.maker, &self.maker, &self.maker));
            }
            makers.insert(0, word(&self.maker, "", "Any"));
        }
        let part = [("part", self.part.as_str())];
        let part = if self.part.is_empty() {
            &part[..0]
        } else {
            &part[..]
        };
        let mut kept: Vec<_> = self
            .category
            .iter()
            .map(|c| ("category", c.clone()))
            .collect();
        kept.extend(
            part.iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        let price = |name, label, value: &String| {
            Field::number(name, label).value(value).optional().max(30)
        };
        Finder {
            at: shop.at("/shop"),
            q: self.q.clone(),
            kept,
            kinds: match self.is_goods(shop) {
                true => Vec::new(),
                false => KINDS.map(|(v, l)| word(&self.kind, v, l)).into(),
            },
            makers,
            prices: match self.sees(Part::Prices) {
                true => vec![
                    price("from", "Tokens from", &self.from),
                    price("to", "Tokens to", &self.to),
                ],
                false => Vec::new(),
            },
            has_stock: self.sees(Part::Stock),
            stock: !self.stock.is_empty(),
            sale: !self.sale.is_empty(),
            sorts: sorts
                .into_iter()
                .filter(|(v, _)| self.sees(Part::Prices) || !matches!(*v, "cheapest" | "dearest"))
                .map(|(v, l)| word(&self.sort, v, l))
                .collect(),
            is_open: self.is_narrowed(),
            all: link(&shop.at("/shop"), part),
        }
    }
}
