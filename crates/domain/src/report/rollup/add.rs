//! Adding entries up.

use super::super::calendar::{Day, Zone};
use super::store::{self, Bought};
use super::{Flow, Goods, Held, Tally, Way};
use crate::vendor::Vendor;
use scrip_engine::{Read, Timestamp};
use scrip_ledger::{
    AccountKind, Amount, Entry, GrantInfo, Result, Transfer, Whole, accounts_named,
};
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// Groups of customers by how many orders they have placed with this one: the first, from the
/// second, from the fourth, from the tenth on.
pub const BANDS: [i64; 4] = [1, 2, 4, 10];
/// The band of what came back: it is of no group.
pub const BACK: i64 = 0;

fn band(orders: i64) -> i64 {
    let reached = BANDS.into_iter().filter(|band| *band <= orders);
    reached.max().unwrap_or(1)
}

/// What entries name and do not say.
pub(super) struct Lookup<'a> {
    vendor: &'a Vendor,
    zone: &'a Zone,
    /// True where earlier entries are kept added up.
    usable: bool,
    grants: HashMap<i64, GrantInfo>,
    kinds: HashMap<i64, AccountKind>,
    orders: HashMap<Uuid, Bought>,
    refunds: HashMap<i64, Vec<(crate::id::OfferId, Goods)>>,
}

impl<'a> Lookup<'a> {
    pub fn new(vendor: &'a Vendor, zone: &'a Zone, usable: bool) -> Lookup<'a> {
        Lookup {
            vendor,
            zone,
            usable,
            grants: HashMap::new(),
            kinds: HashMap::new(),
            orders: HashMap::new(),
            refunds: HashMap::new(),
        }
    }

    /// Reads what some entries need, many rows at a time.
    fn prepare(&mut self, tx: &mut dyn Read, tally: &mut Tally, entries: &[Whole]) -> Result<()> {
        let book = self.vendor.book_id;
        let transfers = || entries.iter().flat_map(|(_, transfers)| transfers);
        let summed: BTreeSet<i64> = transfers()
            .flat_map(|t| {
                let debit = t.debit_link.is_none().then_some(t.debit);
                [debit, t.credit_link.is_none().then_some(t.credit)]
            })
            .flatten()
            .filter(|account| !self.kinds.contains_key(account))
            .collect();
        for (account, (kind, _)) in accounts_named(tx, book, &summed)? {
            self.kinds.insert(account, kind);
        }
        let grants: BTreeSet<i64> = transfers()
            .filter_map(|t| t.grant_id)
            .filter(|grant| !self.grants.contains_key(grant))
            .collect();
        if self.usable {
            tally.grants.extend(store::grants_held(tx, book, &grants)?);
        }
        self.grants.extend(store::grants(tx, book, &grants)?);
        let of = |code: &'static str| entries.iter().map(|e| &e.0).filter(move |e| e.code == code);
        let orders: Vec<Uuid> = of("order").map(|e| e.event_id).collect();
        self.orders = store::bought(tx, book, &orders)?;
        let refunds: Vec<i64> = of("refund").map(|e| e.entry_id).collect();
        self.refunds = store::came_back(tx, book, &refunds)?;
        if self.usable {
            let customers: HashSet<Uuid> = self
                .orders
                .values()
                .map(|bought| bought.customer)
                .filter(|customer| !tally.customers.contains_key(customer))
                .collect();
            tally
                .customers
                .extend(store::customers(tx, book, &customers)?);
        }
        Ok(())
    }
}

/// Entries for which rows are read at once.
const AT_ONCE: usize = 1_000;

/// Adds entries to a tally, in their order.
pub(super) fn entries(
    tx: &mut dyn Read,
    lookup: &mut Lookup<'_>,
    tally: &mut Tally,
    entries: &[Whole],
) -> Result<()> {
    for some in entries.chunks(AT_ONCE) {
        lookup.prepare(tx, tally, some)?;
        for (entry, transfers) in some {
            add(lookup, tally, entry, transfers)?;
        }
    }
    Ok(())
}

fn add(
    lookup: &Lookup<'_>,
    tally: &mut Tally,
    entry: &Entry,
    transfers: &[Transfer],
) -> Result<()> {
    let (day, hour) = lookup.zone.hour_of(entry.effective_at);
    let mut flow = Flow::default();
    // What a card paid is counted in pieces; its money is in the account of sales.
    let in_tokens = transfers.iter().any(|t| t.grant_id.is_some());
    match entry.code.as_str() {
        "order" => {
            flow.orders = 1;
            order(lookup, tally, day, entry.event_id, in_tokens)?;
        }
        "refund" => {
            flow.refunds = 1;
            let lines = lookup.refunds.get(&entry.entry_id);
            for (offer, back) in lines.into_iter().flatten() {
                sold(tally, day, *offer, BACK, &paid(back, in_tokens))?;
            }
        }
        _ => {}
    }
    for transfer in transfers {
        match transfer.grant_id.and_then(|id| lookup.grants.get(&id)) {
            Some(grant) => moved(lookup, tally, &mut flow, transfer, grant)?,
            None => money(lookup, &mut flow, transfer)?,
        }
    }
    if flow != Flow::default() {
        tally.flows.entry((day, hour)).or_default().add(&flow)?;
    }
    Ok(())
}

/// What was sold, with tokens only where tokens paid.
fn paid(goods: &Goods, in_tokens: bool) -> Goods {
    let tokens = if in_tokens {
        goods.tokens
    } else {
        Amount::ZERO
    };
    Goods { tokens, ..*goods }
}

fn order(
    lookup: &Lookup<'_>,
    tally: &mut Tally,
    day: Day,
    order: Uuid,
    in_tokens: bool,
) -> Result<()> {
    let Some(bought) = lookup.orders.get(&order) else {
        return Ok(());
    };
    let placed = tally.customers.entry(bought.customer).or_default();
    *placed = placed.saturating_add(1);
    let band = band(*placed);
    for (offer, goods) in &bought.lines {
        sold(tally, day, *offer, band, &paid(goods, in_tokens))?;
    }
    Ok(())
}

fn sold(
    tally: &mut Tally,
    day: Day,
    offer: crate::id::OfferId,
    band: i64,
    goods: &Goods,
) -> Result<()> {
    for period in [day.number(), day.month()] {
        let sum = tally.goods.entry((period, offer, band)).or_default();
        sum.add(goods)?;
    }
    Ok(())
}

/// Tokens of a grant moved: what customers hold of it changes where one side is theirs and the
/// other is not.
fn moved(
    lookup: &Lookup<'_>,
    tally: &mut Tally,
    flow: &mut Flow,
    transfer: &Transfer,
    grant: &GrantInfo,
) -> Result<()> {
    let held = tally.grants.get(&grant.grant_id).copied();
    let before = held.unwrap_or_default();
    let kind = |account| lookup.kinds.get(&account).copied();
    let (way, after) = match (transfer.debit_link, transfer.credit_link) {
        (Some(_), None) => {
            let way = match kind(transfer.credit) {
                Some(AccountKind::Issued) => Way::Withdrawn,
                Some(AccountKind::Expired) => Way::Expired,
                _ => Way::Spent,
            };
            (way, before.minus(transfer.amount)?)
        }
        (None, Some(_)) => {
            let way = match kind(transfer.debit) {
                Some(AccountKind::Issued) => Way::Issued,
                Some(AccountKind::Expired) => Way::Restored,
                _ => Way::Returned,
            };
            (way, before.plus(transfer.amount)?)
        }
        _ => return Ok(()),
    };
    let change = Held {
        tokens: after.minus(before)?,
        worth: worth(lookup.vendor, grant, after)?.minus(worth(lookup.vendor, grant, before)?)?,
    };
    tally.grants.insert(grant.grant_id, after);
    let key = (
        lookup.zone.day_of(grant.granted_at),
        quarter(grant.expires_at),
        grant.origin,
    );
    tally.held.entry(key).or_default().add(&change)?;
    let positive = |amount: Amount| {
        if amount < Amount::ZERO {
            amount.negated()
        } else {
            Ok(amount)
        }
    };
    let at = way as usize;
    if let (Some(tokens), Some(worth)) = (flow.tokens.get_mut(at), flow.worth.get_mut(at)) {
        *tokens = tokens.plus(transfer.amount)?;
        *worth = worth.plus(positive(change.worth)?)?;
    }
    Ok(())
}

/// What was paid, in the vendor's currency, for so many tokens of a grant.
fn worth(vendor: &Vendor, grant: &GrantInfo, tokens: Amount) -> Result<Amount> {
    if grant.paid_asset_id == Some(vendor.currency.asset_id) {
        grant.worth(tokens)
    } else {
        Ok(Amount::ZERO)
    }
}

/// Money that was paid for goods, or given back for them.
fn money(lookup: &Lookup<'_>, flow: &mut Flow, transfer: &Transfer) -> Result<()> {
    let is_sales = |account| lookup.kinds.get(&account) == Some(&AccountKind::Sales);
    if is_sales(transfer.credit) {
        flow.money = flow.money.plus(transfer.amount)?;
    }
    if is_sales(transfer.debit) {
        flow.money = flow.money.minus(transfer.amount)?;
    }
    Ok(())
}

const QUARTER_US: i64 = 15 * 60 * 1_000_000;

/// The quarter of an hour in which a time is: every time zone's days begin with one.
pub(super) fn quarter(at: Timestamp) -> i64 {
    if at == Timestamp::NEVER {
        return i64::MAX;
    }
    at.0.div_euclid(QUARTER_US)
}

/// When a quarter of an hour begins.
pub fn quarter_begin(quarter: i64) -> Timestamp {
    Timestamp(quarter.saturating_mul(QUARTER_US))
}

#[cfg(test)]
mod tests {
    use super::{band, quarter, quarter_begin};
    use scrip_engine::Timestamp;

    #[test]
    fn a_customer_moves_up_with_the_orders() {
        let found: Vec<i64> = [0, 1, 2, 3, 4, 9, 10, 11, i64::MAX].map(band).to_vec();
        assert_eq!(found, [1, 1, 2, 2, 4, 4, 10, 10, 10]);
    }

    #[test]
    fn never_stays_never() {
        assert_eq!(quarter_begin(quarter(Timestamp::NEVER)), Timestamp::NEVER);
        let at = Timestamp::parse("2026-11-21T11:59:59Z").unwrap();
        let begin = Timestamp::parse("2026-11-21T11:45:00Z").unwrap();
        assert_eq!(quarter_begin(quarter(at)), begin);
    }
}
