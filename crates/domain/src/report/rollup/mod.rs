//! What the journal adds up to, kept so that reports need not read it again.
//!
//! A pass takes the entries of new seals, in their order, and adds them to a few small tables. A
//! report reads those and adds what came since, by the same functions, in its own snapshot: so its
//! figures are right however far the pass is, and only slower where it is far behind.
//!
//! **Worth.** What customers hold of a grant is worth what was paid for the grant times the part
//! that they hold, rounded down to the smallest unit of the money. What a movement takes out is
//! worth the difference that it makes to that. So the parts of a grant always make up its price,
//! to the last unit.

mod add;
mod store;

use super::calendar::{Day, Zone, zone_of};
use crate::id::OfferId;
use crate::vendor::Vendor;
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{Amount, Origin, Result, sealed_after, unsealed};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

use add::Lookup;
pub use add::{BACK, BANDS, quarter_begin};

/// Which way tokens went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Way {
    /// Sold or given to customers.
    Issued = 0,
    /// Taken back from customers against money, or a mistake undone.
    Withdrawn = 1,
    /// Spent.
    Spent = 2,
    /// Given back for orders.
    Returned = 3,
    /// Expired.
    Expired = 4,
    /// An expiry undone.
    Restored = 5,
}

/// What counted in some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Completed orders.
    pub orders: i64,
    /// Refunds.
    pub refunds: i64,
    /// Money for goods that were paid without tokens.
    pub money: Amount,
    /// Tokens by way.
    pub tokens: [Amount; 6],
    /// The money that was paid for them.
    pub worth: [Amount; 6],
}

impl Flow {
    /// Tokens that went one way.
    pub fn tokens(&self, way: Way) -> Amount {
        self.tokens.get(way as usize).copied().unwrap_or_default()
    }

    /// What was paid for the tokens that went one way.
    pub fn worth(&self, way: Way) -> Amount {
        self.worth.get(way as usize).copied().unwrap_or_default()
    }

    /// What was paid for tokens that went one way, without what came back.
    pub fn net_worth(&self, way: Way, back: Way) -> Result<Amount> {
        self.worth(way).minus(self.worth(back))
    }

    /// Adds another one.
    pub fn add(&mut self, other: &Flow) -> Result<()> {
        self.orders = self.orders.saturating_add(other.orders);
        self.refunds = self.refunds.saturating_add(other.refunds);
        self.money = self.money.plus(other.money)?;
        for (mine, more) in self.tokens.iter_mut().zip(&other.tokens) {
            *mine = mine.plus(*more)?;
        }
        for (mine, more) in self.worth.iter_mut().zip(&other.worth) {
            *mine = mine.plus(*more)?;
        }
        Ok(())
    }
}

/// What was sold, or came back, of an offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Goods {
    /// Lines of orders.
    pub lines: i64,
    /// Pieces, as asked for.
    pub pieces: i64,
    /// Tokens.
    pub tokens: Amount,
}

impl Goods {
    /// Adds another one.
    pub fn add(&mut self, other: &Goods) -> Result<()> {
        self.lines = self.lines.saturating_add(other.lines);
        self.pieces = self.pieces.saturating_add(other.pieces);
        self.tokens = self.tokens.plus(other.tokens)?;
        Ok(())
    }
}

/// Tokens that customers hold, and what was paid for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Tokens.
    pub tokens: Amount,
    /// What was paid for them.
    pub worth: Amount,
}

impl Held {
    /// Adds another one.
    pub fn add(&mut self, other: &Held) -> Result<()> {
        self.tokens = self.tokens.plus(other.tokens)?;
        self.worth = self.worth.plus(other.worth)?;
        Ok(())
    }
}

/// (day or month, offer, band).
pub type GoodsKey = (i64, OfferId, i64);
/// (day of the grant, expiry in quarters of an hour, origin).
pub type HeldKey = (Day, i64, Origin);

/// Changes that some entries make.
#[derive(Debug, Default)]
struct Tally {
    flows: BTreeMap<(Day, i64), Flow>,
    goods: BTreeMap<GoodsKey, Goods>,
    held: BTreeMap<HeldKey, Held>,
    /// What customers hold of a grant after them.
    grants: HashMap<i64, Amount>,
    /// How many orders a customer has placed after them.
    customers: HashMap<Uuid, i64>,
}

/// How far a book is added up.
struct Mark {
    seal_no: i64,
    /// False where nothing is kept, or for another time zone.
    usable: bool,
}

fn mark(tx: &mut dyn Read, book: i64, zone: &Zone) -> Result<Mark> {
    let stored = store::mark(tx, book)?.filter(|(_, of)| of == zone.name());
    Ok(Mark {
        seal_no: stored.as_ref().map_or(0, |s| s.0),
        usable: stored.is_some(),
    })
}

/// The band of orders that moved nothing: no entry leads to them, so they make nobody's number
/// of orders.
const FREE: i64 = -1;

/// Entries that a pass takes at once.
const AT_ONCE: usize = 4_000;

/// What is worked out of new seals, to be written.
pub struct Pass {
    book: i64,
    zone: Zone,
    before: Mark,
    seal_no: i64,
    tally: Tally,
}

/// Works out what the next seals of a vendor add; `None` when there are none.
pub fn pass_next(tx: &mut dyn Read, vendor: &Vendor) -> Result<Option<Pass>> {
    let book = vendor.book_id;
    let zone = zone_of(tx, book)?;
    let before = mark(tx, book, &zone)?;
    let Some(run) = sealed_after(tx, book, before.seal_no, AT_ONCE)? else {
        return Ok(None);
    };
    let mut tally = Tally::default();
    let mut lookup = Lookup::new(vendor, &zone, before.usable);
    add::entries(tx, &mut lookup, &mut tally, &run.entries)?;
    // What is written is the sum, not what is added.
    if before.usable {
        store::add_stored(tx, book, &mut tally)?;
    }
    Ok(Some(Pass {
        book,
        zone,
        before,
        seal_no: run.seal_no,
        tally,
    }))
}

/// Writes a pass. False when another process was quicker: then nothing is written.
pub fn pass_write(tx: &mut Tx<'_>, pass: &Pass) -> Result<bool> {
    tx.lock_name(&format!("report {}", pass.book))?;
    let now = mark(tx, pass.book, &pass.zone)?;
    if (now.seal_no, now.usable) != (pass.before.seal_no, pass.before.usable) {
        return Ok(false);
    }
    if !pass.before.usable {
        store::forget(tx, pass.book)?;
    }
    store::write(tx, pass.book, &pass.tally)?;
    store::set_mark(tx, pass.book, pass.seal_no, pass.zone.name())?;
    Ok(true)
}

/// What a report reads: what is kept, and what came since.
pub struct Figures {
    book: i64,
    /// The vendor's time zone.
    pub zone: Zone,
    usable: bool,
    since: Tally,
}

/// The figures of a vendor as of this snapshot.
pub fn figures(tx: &mut dyn Read, vendor: &Vendor) -> Result<Figures> {
    let book = vendor.book_id;
    let zone = zone_of(tx, book)?;
    let mut mark = mark(tx, book, &zone)?;
    let mut since = Tally::default();
    let mut lookup = Lookup::new(vendor, &zone, mark.usable);
    while let Some(run) = sealed_after(tx, book, mark.seal_no, AT_ONCE)? {
        add::entries(tx, &mut lookup, &mut since, &run.entries)?;
        mark.seal_no = run.seal_no;
    }
    let tail = unsealed(tx, book)?;
    add::entries(tx, &mut lookup, &mut since, &tail)?;
    Ok(Figures {
        book,
        zone,
        usable: mark.usable,
        since,
    })
}

impl Figures {
    /// The book.
    pub(super) fn book(&self) -> i64 {
        self.book
    }

    /// Hands on what counts from a day on, before another one, hour by hour in no order; an hour
    /// may come twice.
    pub fn flows(
        &self,
        tx: &mut dyn Read,
        from: Option<Day>,
        to: Day,
        each: &mut dyn FnMut(Day, i64, &Flow) -> Result<()>,
    ) -> Result<()> {
        if self.usable {
            let low = from.map_or(0, Day::number);
            for (day, hour, flow) in store::flows(tx, self.book, low, to.number())? {
                each(day, hour, &flow)?;
            }
        }
        let within = |day: &Day| from.is_none_or(|from| *day >= from) && *day < to;
        let since = self.since.flows.iter().filter(|((day, _), _)| within(day));
        since
            .into_iter()
            .try_for_each(|((day, hour), flow)| each(*day, *hour, flow))
    }

    /// Completed orders that moved nothing, which no flow counts: when they count.
    pub fn orders_free(&self, tx: &mut dyn Read, from: Day, to: Day) -> Result<Vec<Timestamp>> {
        let (from, to) = (self.zone.begin(from), self.zone.begin(to));
        let found = store::orders_free(tx, self.book, from, to)?;
        Ok(found.into_iter().map(|(_, at)| at).collect())
    }

    /// What was sold from a day on, before another one, by offer and band.
    pub fn goods(
        &self,
        tx: &mut dyn Read,
        from: Day,
        to: Day,
    ) -> Result<BTreeMap<(OfferId, i64), Goods>> {
        let mut found: BTreeMap<(OfferId, i64), Goods> = BTreeMap::new();
        if self.usable {
            for (low, high) in ranges(from, to) {
                for (key, goods) in store::goods(tx, self.book, low, high)? {
                    found.entry(key).or_default().add(&goods)?;
                }
            }
        }
        let (low, high) = (from.number(), to.number());
        for ((period, offer, band), goods) in &self.since.goods {
            // Days, not months.
            if (low..high).contains(period) {
                found.entry((*offer, *band)).or_default().add(goods)?;
            }
        }
        store::goods_free(
            tx,
            self.book,
            &self.zone,
            (from, to),
            &mut |offer, goods| {
                let sum = found.entry((offer, FREE)).or_default();
                sum.lines = sum.lines.saturating_add(goods.lines);
                sum.pieces = sum.pieces.saturating_add(goods.pieces);
                Ok(())
            },
        )?;
        Ok(found)
    }

    /// What customers hold now.
    pub fn held(&self, tx: &mut dyn Read) -> Result<BTreeMap<HeldKey, Held>> {
        let mut held = if self.usable {
            store::held(tx, self.book)?
        } else {
            BTreeMap::new()
        };
        for (key, more) in &self.since.held {
            held.entry(*key).or_default().add(more)?;
        }
        held.retain(|_, h| *h != Held::default());
        Ok(held)
    }
}

/// Ranges of periods that make up some days: whole months as such, the days at both ends one by
/// one.
fn ranges(from: Day, to: Day) -> Vec<(i64, i64)> {
    use super::calendar::Step;
    let first = match Step::Month.begin(from) {
        begin if begin == from => from,
        _ => Step::Month.next(from),
    };
    let last = Step::Month.begin(to);
    if first >= last {
        return vec![(from.number(), to.number())];
    }
    vec![
        (from.number(), first.number()),
        (first.month(), last.month()),
        (last.number(), to.number()),
    ]
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn whole_months_are_read_as_months() {
        let of = |a: &str, b: &str| ranges(a.parse().unwrap(), b.parse().unwrap());
        let year = of("2026-01-01", "2027-01-01");
        assert_eq!(
            year,
            [
                (20_260_101, 20_260_101),
                (202_601, 202_701),
                (20_270_101, 20_270_101)
            ]
        );
        let odd = of("2026-01-15", "2026-03-02");
        assert_eq!(
            odd,
            [
                (20_260_115, 20_260_201),
                (202_602, 202_603),
                (20_260_301, 20_260_302)
            ]
        );
        assert_eq!(
            of("2026-01-15", "2026-02-20"),
            [(20_260_115, 20_260_220)],
            "no whole month"
        );
    }
}
