//! Planning a payment and making it: what the customer holds, what of it the seller takes, which
//! pieces pay, and the entries of each part.

use super::rules::{self, Line, Paid, Pays, Purse};
use super::{CheckoutError, Left, Parties, Result, Split, store};
use crate::books::account;
use crate::customer::Customer;
use crate::gift::{Certificate, gift_spend, gifts_held, takes_gifts_of};
use crate::id::{CertificateId, OrderId};
use crate::mall::{
    LineKind, Mall, Member, MemberState, Owed, Sides, member_of, settle, share, terms_at, value_at,
};
use crate::open_token::{
    Holding, OpenKind, OpenToken, groups_shared, holdings_locked, issuer, listed, open_money,
    open_token, wallet,
};
use crate::order::elsewhere::Payment;
use crate::order::{QuoteLine, Refusal};
use crate::vendor::{Vendor, vendor_by_book};
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{
    AccountKind, Amount, Leg, Lot, NewGrant, Origin, Rounding, TOKEN_SCALE, grant_by_id, grant_open,
};
use std::collections::BTreeMap;

/// Tokens of one account that are to pay.
#[derive(Clone, Debug)]
pub(super) struct Draw {
    pub token: OpenToken,
    pub debtor: i64,
    pub account: i64,
    /// Grant and amount; of a certificate, all of it.
    pub pieces: Vec<(i64, Amount)>,
    /// What they pay.
    pub amount: Amount,
    /// What a certificate leaves over.
    pub surplus: Amount,
    pub certificate: Option<CertificateId>,
    /// When the last of it would have expired.
    pub expires_at: Timestamp,
}

/// A certificate that may pay.
struct Held {
    token: OpenToken,
    certificate: Certificate,
}

/// A payment by open tokens.
pub(super) struct OpenPayment<'a> {
    mall: &'a Mall,
    customer: &'a Customer,
    seller: &'a Member,
    vendor: &'a Vendor,
    /// The one type that is to pay.
    pub pays: Option<Pays>,
    at_till: bool,
    /// What the order costs, in the mall's currency.
    pub price: Amount,
    /// What one of the seller's tokens is worth.
    value: Option<Amount>,
    draws: Vec<Draw>,
    /// What the customer holds that is not expired, before it.
    held: Vec<(OpenKind, Amount)>,
    /// Who owes for what may pay, as read in this transaction.
    debtors: BTreeMap<i64, Member>,
    /// The number of the first part.
    pub first_part: i64,
}

impl<'a> OpenPayment<'a> {
    pub fn new(parties: &'a Parties, at_till: bool) -> OpenPayment<'a> {
        OpenPayment {
            mall: &parties.mall,
            customer: &parties.customer,
            seller: &parties.seller,
            vendor: &parties.seller_vendor,
            pays: None,
            at_till,
            price: Amount::ZERO,
            value: None,
            draws: Vec::new(),
            held: Vec::new(),
            debtors: BTreeMap::new(),
            first_part: 1,
        }
    }

    /// Of an order that was paid before: its lines cost what they did.
    pub fn again(parties: &'a Parties, value: Amount, first_part: i64) -> OpenPayment<'a> {
        OpenPayment {
            value: Some(value),
            first_part,
            ..OpenPayment::new(parties, false)
        }
    }

    /// What pays.
    pub fn split(&self) -> Vec<Split> {
        let draws = self.draws.iter();
        let split = draws.map(|draw| Split {
            kind: draw.token.kind,
            debtor: draw.debtor,
            amount: draw.amount,
            surplus: draw.surplus,
        });
        split.collect()
    }

    /// What is left of each kind once it is paid.
    pub fn left(&self) -> Result<Vec<Left>> {
        let mut left = self.held.clone();
        for draw in &self.draws {
            let gone = draw.amount.plus(draw.surplus)?.negated()?;
            left.push((draw.token.kind, gone));
            if draw.surplus.is_positive() && !self.at_till {
                left.push((OpenKind::Universal, draw.surplus));
            }
        }
        summed(&left)
    }

    /// Decides what pays, or why nothing can.
    pub fn planned(&mut self, tx: &mut Tx<'_>, lines: &[QuoteLine]) -> Result<Option<Refusal>> {
        let lines = self.priced(tx, lines)?;
        self.price = Amount::sum(lines.iter().map(|line| line.price))?;
        self.draws.clear();
        let paying: Vec<Line> = lines
            .into_iter()
            .filter(|l| l.price.is_positive())
            .collect();
        if paying.is_empty() {
            return Err(CheckoutError::NothingToPay);
        }
        let holdings = holdings_locked(tx, self.mall, self.customer)?;
        let gifts = self.gifts(tx)?;
        self.held = held(&holdings, &gifts, tx.now())?;
        let (holdings, gifts) = self.taken_here(tx, holdings, gifts)?;
        let purse = purse(&holdings, &gifts)?;
        let Some(paid) = rules::decide(&paying, &purse, self.mall.combines, self.pays)? else {
            return Ok(Some(Refusal::OpenShort {
                required: self.price,
                available: purse.total()?,
            }));
        };
        self.draws = draws(&paying, &paid, holdings, &gifts)?;
        Ok(None)
    }

    /// The lines in the mall's currency, rounded up, and whose list each is on.
    fn priced(&mut self, tx: &mut Tx<'_>, lines: &[QuoteLine]) -> Result<Vec<Line>> {
        let now = tx.now();
        let value = match self.value {
            Some(value) => value,
            None => {
                let value = value_at(tx, self.seller, now)?;
                value.ok_or_else(|| CheckoutError::NoValue(self.seller.name.clone()))?
            }
        };
        self.value = Some(value);
        let whole = 10_i64.checked_pow(TOKEN_SCALE);
        let whole = whole.ok_or(scrip_ledger::Error::Overflow)?;
        let skus: Vec<&str> = lines.iter().map(|line| line.sku.as_str()).collect();
        let on_lists = listed(tx, self.mall, &skus)?;
        let each = lines.iter().map(|line| {
            let price = line.amount.ratio(value.units(), whole, Rounding::Up)?;
            let on_list = on_lists.iter().find(|listed| listed.sku == line.sku);
            Ok(Line {
                price,
                maker: on_list.map(|listed| listed.maker_book),
                cap: match on_list {
                    Some(listed) => share(price, listed.cap_ppm)?,
                    None => Amount::ZERO,
                },
            })
        });
        each.collect()
    }

    /// The certificates that the customer holds.
    fn gifts(&self, tx: &mut Tx<'_>) -> Result<Vec<Held>> {
        let customer = self.customer;
        let all = gifts_held(tx, self.mall, customer.book_id, customer.customer_id)?;
        let mut held = Vec::new();
        for certificate in all {
            let of = (certificate.issuer, 0);
            let token = open_token(tx, self.mall, OpenKind::Gift, of)?;
            held.push(Held { token, certificate });
        }
        Ok(held)
    }

    /// What of it the seller takes: debtors that are not cut off or barred (GOV-10, GOV-12), groups
    /// to which both belong (GOV-08), certificates of issuers that it honours (GOV-07), and nothing
    /// that its issuer gave, M2 aside, unless the mall lets it leave (GOV-11).
    fn taken_here(
        &mut self,
        tx: &mut Tx<'_>,
        mut holdings: Vec<Holding>,
        gifts: Vec<Held>,
    ) -> Result<(Vec<Holding>, Vec<Held>)> {
        let mut passes: BTreeMap<i64, bool> = BTreeMap::new();
        let mut groups: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        let issuers = gifts.iter().map(|gift| gift.certificate.issuer);
        for debtor in holdings.iter().map(|h| h.debtor).chain(issuers) {
            if passes.contains_key(&debtor) {
                continue;
            }
            let own = debtor == self.seller.book_id;
            let member = match own {
                true => Some(self.seller.clone()),
                false => member_of(tx, debtor)?,
            };
            let may = |m: &Member| m.state == MemberState::Active && !m.is_barred;
            passes.insert(debtor, own || member.as_ref().is_some_and(may));
            if let Some(member) = member {
                self.debtors.insert(debtor, member);
            }
            let shared = groups_shared(tx, self.mall, (debtor, self.seller.book_id))?;
            groups.insert(debtor, shared);
        }
        let now = tx.now();
        let leaves = |debtor: i64, kind: OpenKind, origin: Origin| {
            debtor == self.seller.book_id
                || self.mall.free_leaves
                || kind == OpenKind::M2
                || origin != Origin::Free
        };
        holdings.retain(|h| {
            let in_group = || {
                groups
                    .get(&h.debtor)
                    .is_some_and(|g| g.contains(&h.token.group_no))
            };
            let in_group = h.token.kind != OpenKind::Group || in_group();
            passes.get(&h.debtor) == Some(&true) && in_group
        });
        for h in &mut holdings {
            let (debtor, kind) = (h.debtor, h.token.kind);
            h.lots
                .retain(|lot| lot.usable(now) && leaves(debtor, kind, lot.grant.origin));
        }
        let mut honoured = Vec::new();
        for gift in gifts {
            let issuer = gift.certificate.issuer;
            let origin = grant_by_id(tx, self.mall.book_id, gift.certificate.grant)?.origin;
            let may = passes.get(&issuer) == Some(&true) && leaves(issuer, OpenKind::Gift, origin);
            if may && takes_gifts_of(tx, self.mall, self.seller.book_id, issuer)? {
                honoured.push(gift);
            }
        }
        Ok((holdings, honoured))
    }

    /// One part: tokens leave the account in the mall's book, money is owed between the books.
    fn part(&self, tx: &mut Tx<'_>, order: OrderId, number: i64, draw: &Draw) -> Result<()> {
        let now = tx.now();
        let debtor_vendor = vendor_by_book(tx, draw.debtor)?;
        let gone = || CheckoutError::NoValue(debtor_vendor.name.clone());
        let debtor = self.debtors.get(&draw.debtor).ok_or_else(gone)?;
        let accounts = issuer(tx, self.mall, &draw.token, debtor)?;
        if let Some(certificate) = draw.certificate
            && !gift_spend(tx, self.mall, certificate)?
        {
            return Err(CheckoutError::GiftGone);
        }
        let mut spent = Vec::new();
        let mut worth = Amount::ZERO;
        for (grant, amount) in &draw.pieces {
            worth = worth.plus(grant_by_id(tx, self.mall.book_id, *grant)?.worth(*amount)?)?;
            spent.push(Leg {
                debit: draw.account,
                credit: accounts.spent,
                amount: *amount,
                grant: Some(*grant),
            });
        }
        let in_cash = draw.surplus.is_positive() && self.at_till;
        let mut surplus_account = None;
        if draw.surplus.is_positive() && !in_cash {
            let (leg, kept) = self.surplus(tx, debtor, draw, worth)?;
            worth = worth.minus(kept)?;
            surplus_account = Some(leg.credit);
            spent.push(leg);
        }
        let money = self.owed(tx, debtor, draw, in_cash, now)?;
        let debtor_money = open_money(tx, &debtor_vendor)?;
        let released = money_leg(debtor_money.deferred, debtor_money.earned, worth);
        let seller_money = open_money(tx, self.vendor)?;
        let change = match in_cash {
            true => {
                let bank = account(tx, self.vendor, AccountKind::Bank)?;
                money_leg(seller_money.sales, bank, draw.surplus)
            }
            false => Vec::new(),
        };
        let event_id = tx.new_id()?;
        let sides = Sides {
            event_id,
            kind: LineKind::Sale,
            actor: &order.to_string(),
            debtor: (debtor, &released),
            creditor: (self.seller, &change, seller_money.sales),
            mall: &spent,
        };
        settle(tx, self.mall, &sides, &money)?;
        let part = store::OpenPart {
            number,
            kind: draw.token.kind,
            asset_id: draw.token.asset_id,
            debtor: draw.debtor,
            account: draw.account,
            amount: draw.amount,
            surplus: draw.surplus,
            surplus_account,
            service: money.kept,
            royalty: money.royalty,
            event_id,
            reversed_by: None,
        };
        store::insert_part(tx, self.seller.book_id, order, &part)
    }

    /// P - s is owed, the mall keeps r, the seller gets P - s - r (OPN-09). Change in cash is owed
    /// with it, free of charges (OPN-16).
    fn owed(
        &self,
        tx: &mut Tx<'_>,
        debtor: &Member,
        draw: &Draw,
        in_cash: bool,
        now: Timestamp,
    ) -> Result<Owed> {
        let service = match (debtor.book_id == self.seller.book_id, draw.token.kind) {
            (true, _) => 0,
            (false, OpenKind::Gift) => terms_at(tx, debtor, now)?.commission_ppm,
            (false, _) => terms_at(tx, debtor, now)?.service_ppm,
        };
        let service = share(draw.amount, service)?;
        let after = draw.amount.minus(service)?;
        let royalty = terms_at(tx, self.seller, now)?.royalty_ppm;
        // The seller is owed something, whatever was agreed with whom.
        let most = after.minus(Amount::from_units(1))?;
        let royalty = share(draw.amount, royalty)?.min(most);
        let change = match in_cash {
            true => draw.surplus,
            false => Amount::ZERO,
        };
        let owed = after.plus(change)?;
        Ok(Owed {
            kept: service,
            royalty,
            ..Owed::passing(owed, owed.minus(royalty)?)
        })
    }

    /// What a certificate leaves over becomes universal tokens that its issuer owes. Returns the
    /// movement, and the money that stays deferred for them.
    fn surplus(
        &self,
        tx: &mut Tx<'_>,
        debtor: &Member,
        draw: &Draw,
        worth: Amount,
    ) -> Result<(Leg, Amount)> {
        let of = (self.mall.book_id, 0);
        let universal = open_token(tx, self.mall, OpenKind::Universal, of)?;
        let owes = issuer(tx, self.mall, &universal, debtor)?;
        let to = wallet(tx, self.mall, &universal, debtor.book_id, self.customer)?;
        let face = draw.amount.plus(draw.surplus)?;
        let kept = worth.ratio(draw.surplus.units(), face.units(), Rounding::Down)?;
        let origin = match kept.is_positive() {
            true => Origin::Paid,
            false => Origin::Free,
        };
        let new = NewGrant {
            asset_id: universal.asset_id,
            origin,
            restriction: None,
            expires_at: draw.expires_at,
            quantity: draw.surplus,
            paid: kept,
            paid_asset_id: kept.is_positive().then_some(self.mall.currency.asset_id),
            granted_at: tx.now(),
        };
        let leg = Leg {
            debit: owes.issued,
            credit: to,
            amount: draw.surplus,
            grant: Some(grant_open(tx, self.mall.book_id, &new)?),
        };
        Ok((leg, kept))
    }
}

impl Payment for OpenPayment<'_> {
    type Error = CheckoutError;

    fn plan(&mut self, tx: &mut Tx<'_>, lines: &[QuoteLine]) -> Result<Option<Refusal>> {
        self.planned(tx, lines)
    }

    fn pay(&mut self, tx: &mut Tx<'_>, order: OrderId) -> Result<()> {
        if self.first_part == 1 {
            let row = store::OpenOrder {
                order_id: order,
                mall_book: self.mall.book_id,
                home_book: self.customer.book_id,
                customer_id: self.customer.customer_id,
                price: self.price,
                value: self.value.unwrap_or_default(),
                is_reversed: false,
                switches: 0,
            };
            store::insert(tx, self.seller.book_id, &row)?;
        }
        for (draw, number) in self.draws.iter().zip(self.first_part..) {
            self.part(tx, order, number, draw)?;
        }
        Ok(())
    }
}

fn money_leg(debit: i64, credit: i64, amount: Amount) -> Vec<Leg> {
    let leg = Leg {
        debit,
        credit,
        amount,
        grant: None,
    };
    amount.is_positive().then_some(leg).into_iter().collect()
}

/// Sums by kind, in the order of kinds; kinds of which nothing is left stay, so that it is told.
pub(super) fn summed(amounts: &[(OpenKind, Amount)]) -> Result<Vec<Left>> {
    let mut left: Vec<Left> = Vec::new();
    for kind in OpenKind::ALL {
        let of_kind: Vec<Amount> = amounts
            .iter()
            .filter(|(k, _)| k == kind)
            .map(|(_, amount)| *amount)
            .collect();
        if !of_kind.is_empty() {
            left.push(Left {
                kind: *kind,
                amount: Amount::sum(of_kind)?,
            });
        }
    }
    Ok(left)
}

fn held(holdings: &[Holding], gifts: &[Held], now: Timestamp) -> Result<Vec<(OpenKind, Amount)>> {
    let mut held = Vec::new();
    for holding in holdings {
        held.push((holding.token.kind, holding.usable(now)?));
    }
    let faces = gifts.iter().map(|g| (OpenKind::Gift, g.certificate.face));
    held.extend(faces);
    Ok(held)
}

fn sum_lots(holding: &Holding) -> Result<Amount> {
    Ok(Amount::sum(holding.lots.iter().map(|l| l.remaining))?)
}

fn purse(holdings: &[Holding], gifts: &[Held]) -> Result<Purse> {
    let mut purse = Purse::default();
    for holding in holdings {
        let to = match holding.token.kind {
            OpenKind::M1 => purse.m1.entry(holding.token.owner_book).or_default(),
            OpenKind::M2 => purse.m2.entry(holding.token.owner_book).or_default(),
            OpenKind::Group => &mut purse.group,
            OpenKind::Universal => &mut purse.universal,
            OpenKind::Gift => continue,
        };
        *to = to.plus(sum_lots(holding)?)?;
    }
    purse.gift = Amount::sum(gifts.iter().map(|gift| gift.certificate.face))?;
    Ok(purse)
}

/// The pieces that pay: of each kind what expires soonest first, and a draw for each account.
fn draws(
    lines: &[Line],
    paid: &[Paid],
    mut holdings: Vec<Holding>,
    gifts: &[Held],
) -> Result<Vec<Draw>> {
    let mut needs: BTreeMap<(OpenKind, i64), Amount> = BTreeMap::new();
    for (line, parts) in lines.iter().zip(paid) {
        for (kind, amount) in parts {
            let owner = match kind {
                OpenKind::M1 | OpenKind::M2 => line.maker.unwrap_or_default(),
                OpenKind::Universal | OpenKind::Group | OpenKind::Gift => 0,
            };
            let need = needs.entry((*kind, owner)).or_default();
            *need = need.plus(*amount)?;
        }
    }
    let mut draws: Vec<Draw> = Vec::new();
    for ((kind, owner), need) in needs {
        match kind {
            OpenKind::Gift => gift_draws(gifts, need, &mut draws)?,
            _ => wallet_draws(&mut holdings, (kind, owner), need, &mut draws)?,
        }
    }
    Ok(draws)
}

fn wallet_draws(
    holdings: &mut [Holding],
    (kind, owner): (OpenKind, i64),
    need: Amount,
    draws: &mut Vec<Draw>,
) -> Result<()> {
    let fits = |h: &Holding| h.token.kind == kind && (owner == 0 || h.token.owner_book == owner);
    let mut lots: Vec<(&Holding, &Lot)> = holdings
        .iter()
        .filter(|h| fits(h))
        .flat_map(|h| h.lots.iter().map(move |lot| (h, lot)))
        .collect();
    lots.sort_by_key(|(_, lot)| {
        let grant = &lot.grant;
        (
            grant.expires_at,
            grant.origin,
            grant.granted_at,
            grant.grant_id,
        )
    });
    let mut open = need;
    for (holding, lot) in lots {
        let amount = lot.remaining.min(open);
        if !amount.is_positive() {
            continue;
        }
        open = open.minus(amount)?;
        let piece = (lot.grant.grant_id, amount);
        match draws.iter_mut().find(|d| d.account == holding.account) {
            Some(draw) => {
                draw.amount = draw.amount.plus(amount)?;
                draw.pieces.push(piece);
            }
            None => draws.push(Draw {
                token: holding.token.clone(),
                debtor: holding.debtor,
                account: holding.account,
                pieces: vec![piece],
                amount,
                surplus: Amount::ZERO,
                certificate: None,
                expires_at: lot.grant.expires_at,
            }),
        }
    }
    Ok(())
}

/// Certificates pay whole; the surplus is that of the last one.
fn gift_draws(gifts: &[Held], need: Amount, draws: &mut Vec<Draw>) -> Result<()> {
    let faces: Vec<Amount> = gifts.iter().map(|gift| gift.certificate.face).collect();
    let mut open = need;
    for place in rules::certificates(&faces, need)? {
        let Some(gift) = gifts.get(place) else {
            continue;
        };
        let certificate = &gift.certificate;
        let amount = certificate.face.min(open);
        open = open.minus(amount)?;
        draws.push(Draw {
            token: gift.token.clone(),
            debtor: certificate.issuer,
            account: certificate.account,
            pieces: vec![(certificate.grant, certificate.face)],
            amount,
            surplus: certificate.face.minus(amount)?,
            certificate: Some(certificate.id),
            expires_at: certificate.expires_at,
        });
    }
    Ok(())
}
