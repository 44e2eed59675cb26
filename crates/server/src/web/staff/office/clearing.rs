//! Who owes whom: what will move, what passed between members, royalties (GOV-06, GOV-09, MSP-06).

use super::super::super::frame::{form_key, page};
use super::super::super::session::{Shop, StaffMember};
use super::super::super::view::format::{count, percent};
use super::super::super::view::{Shell, When};
use super::picture::{Picture, picture};
use super::{AtMall, Office, Party, cash, office, parties, run_by, shell};
use crate::error::{Failed, Result};
use crate::http::body::{Path, Query};
use crate::report::StatementDays;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::mall::{
    Clears, LineKind, Mall, Member, Traffic, clearings, deposit, mall_kept, members, position,
    terms_at, traffic,
};
use scrip_domain::vendor::Hue;
use scrip_engine::ReadTx;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A cell of the matrix.
struct Cell {
    text: String,
    is_own: bool,
}

/// What one party owed the others in the span.
struct Row {
    name: String,
    hue: Hue,
    standing: &'static str,
    class: &'static str,
    is_off: bool,
    cells: Vec<Cell>,
    pays: String,
    net: String,
    is_up: bool,
}

/// What the mall kept of a member.
struct Royalty {
    name: String,
    hue: Hue,
    lines: String,
    rate: String,
    royalty: String,
    tolls: String,
    from: &'static str,
    left: Option<(String, bool)>,
}

#[derive(Template)]
#[template(path = "staff/office/clearing.html")]
struct ClearingPage {
    shell: Shell,
    office: Office,
    when: String,
    clears: &'static str,
    last: Option<(i64, When)>,
    crossed: String,
    moves: String,
    kept: String,
    picture: Option<Picture>,
    from: String,
    to: String,
    here: String,
    heads: Vec<String>,
    rows: Vec<Row>,
    gets: Vec<String>,
    pays: String,
    net: String,
    royalties: Vec<Royalty>,
    royalty: String,
    key: String,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Days {
    from: Option<String>,
    to: Option<String>,
    done: Option<String>,
}

type Found<T> = std::result::Result<T, Failed>;

/// The matrix: what each party owed each other one; what the mall keeps of a line is owed to it.
struct Matrix {
    books: Vec<i64>,
    owed: BTreeMap<(i64, i64), Amount>,
}

impl Matrix {
    fn new(mall: &Mall, books: Vec<i64>, passed: &[Traffic]) -> Found<Matrix> {
        let mut owed: BTreeMap<(i64, i64), Amount> = BTreeMap::new();
        for one in passed {
            let to = (one.debtor, one.creditor);
            if one.creditor != mall.book_id {
                let cell = owed.entry(to).or_default();
                *cell = cell.plus(one.received)?;
            }
            if one.debtor != mall.book_id {
                let cell = owed.entry((one.debtor, mall.book_id)).or_default();
                *cell = cell.plus(one.owed.minus(one.received)?)?;
            }
        }
        Ok(Matrix { books, owed })
    }

    fn cell(&self, from: i64, to: i64) -> Amount {
        self.owed.get(&(from, to)).copied().unwrap_or_default()
    }

    fn pays(&self, from: i64) -> Found<Amount> {
        Ok(Amount::sum(
            self.books.iter().map(|to| self.cell(from, *to)),
        )?)
    }

    fn gets(&self, to: i64) -> Found<Amount> {
        Ok(Amount::sum(
            self.books.iter().map(|from| self.cell(*from, to)),
        )?)
    }

    /// What passed between two different members.
    fn crossed(&self, mall: &Mall) -> Found<Amount> {
        let between = self
            .owed
            .iter()
            .filter(|((from, to), _)| from != to && *from != mall.book_id && *to != mall.book_id);
        Ok(Amount::sum(between.map(|(_, amount)| *amount))?)
    }
}

/// What there is on the page, of a span.
struct Made {
    mall: Mall,
    all: Vec<Member>,
    looks: BTreeMap<i64, Party>,
    positions: BTreeMap<i64, Amount>,
    passed: Vec<Traffic>,
    royalties: Vec<Royalty>,
    royalty: Amount,
    kept: Amount,
    last: Option<(i64, When)>,
    days: StatementDays,
}

fn made(tx: &mut ReadTx<'_>, shop: &Shop, slug: &str, days: &Days) -> Found<Made> {
    let mall = run_by(tx, &shop.vendor, slug)?;
    let asked = (days.from.clone(), days.to.clone());
    let days = StatementDays::asked(tx, shop.vendor.book_id, asked)?;
    let (from, to) = days.bounds;
    let passed = traffic(tx, &mall, from, to)?;
    let all = members(tx, &mall)?;
    let mut positions = BTreeMap::new();
    for member in &all {
        positions.insert(member.book_id, position(tx, member)?);
    }
    let looks = parties(tx, shop, &mall, &all)?;
    let (royalties, royalty) = royalties(tx, &mall, &all, &looks, &passed)?;
    let last = clearings(tx, &mall, 1)?.pop();
    Ok(Made {
        kept: mall_kept(tx, &mall)?,
        last: last.map(|c| (c.number, When::minute(c.closed_at))),
        days,
        mall,
        all,
        looks,
        positions,
        passed,
        royalties,
        royalty,
    })
}

/// Of whom the mall kept what: of sales the seller's part, of charges the debtor's.
fn royalties(
    tx: &mut ReadTx<'_>,
    mall: &Mall,
    all: &[Member],
    looks: &BTreeMap<i64, Party>,
    passed: &[Traffic],
) -> Found<(Vec<Royalty>, Amount)> {
    use scrip_engine::Read;
    let now = tx.now();
    let (mut rows, mut sum) = (Vec::new(), Amount::ZERO);
    for member in all {
        let own = member.book_id;
        let (mut lines, mut royalty, mut tolls) = (0_i64, Amount::ZERO, Amount::ZERO);
        for one in passed {
            match one.kind {
                LineKind::Sale if one.creditor == own => {
                    lines = lines.saturating_add(one.lines);
                    royalty = royalty.plus(one.royalty)?;
                }
                LineKind::Reversal if one.debtor == own => royalty = royalty.plus(one.royalty)?,
                LineKind::Royalty if one.debtor == own => {
                    lines = lines.saturating_add(one.lines);
                    royalty = royalty.plus(one.royalty)?;
                }
                LineKind::Toll if one.debtor == own => tolls = tolls.plus(one.royalty)?,
                _ => {}
            }
        }
        sum = sum.plus(royalty)?;
        let Some(look) = looks.get(&own) else {
            continue;
        };
        let held = deposit(tx, member)?;
        let left = held.map(|d| (cash(mall, d.remaining), d.remaining < d.low_water));
        rows.push(Royalty {
            name: look.name.clone(),
            hue: look.hue,
            lines: count(lines),
            rate: percent(terms_at(tx, member, now)?.royalty_ppm),
            royalty: cash(mall, royalty),
            tolls: cash(mall, tolls),
            from: member.settles.name(),
            left,
        });
    }
    Ok((rows, sum))
}

impl Made {
    /// Who pays in, who is paid, by what each owes now; the mall keeps the rest.
    fn picture(&self) -> Found<(Option<Picture>, Amount)> {
        let (mut pay, mut get) = (Vec::new(), Vec::new());
        for (book, owes) in &self.positions {
            let Some(party) = self.looks.get(book) else {
                continue;
            };
            if owes.is_positive() {
                pay.push((party.clone(), *owes));
            } else if !owes.is_zero() {
                get.push((party.clone(), owes.negated()?));
            }
        }
        let sum = |side: &[(Party, Amount)]| Amount::sum(side.iter().map(|(_, a)| *a));
        let (paid, got) = (sum(&pay)?, sum(&get)?);
        let kept = paid.minus(got)?;
        if kept.is_positive() {
            let own = Party {
                name: self.mall.name.clone(),
                hue: Hue::Ink,
                href: String::new(),
                standing: "",
                class: "",
            };
            get.push((own, kept));
        }
        let cash = |amount| cash(&self.mall, amount);
        Ok((picture(pay, get, cash), paid))
    }

    /// The members among which something passed, and the mall where it kept something.
    fn books(&self) -> Vec<i64> {
        let in_it = |book: i64| {
            let touches = |t: &Traffic| t.debtor == book || t.creditor == book;
            self.passed.iter().any(touches)
        };
        let members = self.all.iter().map(|m| m.book_id);
        let mut books: Vec<i64> = members.filter(|book| in_it(*book)).collect();
        books.push(self.mall.book_id);
        books
    }

    fn name(&self, book: i64) -> String {
        match self.looks.get(&book) {
            Some(party) => party.name.clone(),
            None => "The mall".to_owned(),
        }
    }

    fn rows(&self, matrix: &Matrix) -> Found<Vec<Row>> {
        let rows = matrix.books.iter().map(|from| {
            let cells = matrix.books.iter().map(|to| Cell {
                text: cash(&self.mall, matrix.cell(*from, *to)),
                is_own: from == to,
            });
            let net = matrix.gets(*from)?.minus(matrix.pays(*from)?)?;
            let look = self.looks.get(from);
            Ok(Row {
                name: self.name(*from),
                hue: look.map_or(Hue::Ink, |look| look.hue),
                standing: look.map_or("", |look| look.standing),
                class: look.map_or("", |look| look.class),
                is_off: look.is_some_and(|look| look.class != "status good"),
                cells: cells.collect(),
                pays: cash(&self.mall, matrix.pays(*from)?),
                is_up: !net.is_positive() && !net.is_zero(),
                net: cash(&self.mall, net),
            })
        });
        rows.collect()
    }
}

/// `GET /shops/{slug}/staff/office/{mall}`.
pub(super) async fn page_of(
    State(app): State<App>,
    member: StaffMember,
    Path(AtMall { mall }): Path<AtMall>,
    Query(days): Query<Days>,
) -> Result<Response> {
    let (shop, asked) = (member.shop.clone(), days.clone());
    let made = app.read(move |tx| made(tx, &shop, &mall, &asked)).await?;
    let matrix = Matrix::new(&made.mall, made.books(), &made.passed)?;
    let (picture, moves) = made.picture()?;
    let (from, to) = made.days.ends();
    let books = matrix.books.iter();
    let gets = books.map(|to| Ok(cash(&made.mall, matrix.gets(*to)?)));
    let pays = matrix.books.iter().map(|from| matrix.pays(*from));
    let pays = Amount::sum(pays.collect::<Found<Vec<_>>>()?)?;
    let all_get = matrix.books.iter().map(|to| matrix.gets(*to));
    let net = Amount::sum(all_get.collect::<Found<Vec<_>>>()?)?.minus(pays)?;
    page(&ClearingPage {
        shell: shell(&member, &made.mall, days.done),
        when: made.days.words(),
        clears: match made.mall.clears {
            Clears::ByHand => "clears when you say so",
            Clears::Day => "clears after each day",
            Clears::Week => "clears after each week",
            Clears::Month => "clears after each month",
        },
        crossed: cash(&made.mall, matrix.crossed(&made.mall)?),
        moves: cash(&made.mall, moves),
        kept: cash(&made.mall, made.kept),
        picture,
        here: super::office_at(&member.shop, &made.mall.slug, ""),
        heads: matrix.books.iter().map(|book| made.name(*book)).collect(),
        rows: made.rows(&matrix)?,
        gets: gets.collect::<Found<_>>()?,
        pays: cash(&made.mall, pays),
        net: cash(&made.mall, net),
        royalty: cash(&made.mall, made.royalty),
        office: office(&member, &made.mall, ""),
        royalties: made.royalties,
        last: made.last,
        from,
        to,
        key: form_key(),
    })
}
