//! What staff decide about the tokens of money that the processor took back: they take back what
//! is left of them, or leave them. A dispute that is won later gives taken tokens again.

use super::{CardEventError, Result, Reversal, ReversalKind, ReversalState, store};
use crate::actor::Actor;
use crate::audit;
use crate::books;
use crate::customer::{Customer, State, customer_by_id, fate};
use crate::id::{Payable, TokenOrderId};
use crate::order::by_card::card_order_by_id;
use crate::text::{self, named};
use crate::token_sale::{token_order_by_id, token_order_grant};
use crate::vendor::Vendor;
use scrip_engine::{Read, Tx, outbox};
use scrip_ledger::{
    AccountKind, Amount, Leg, Lot, Posting, Rounding, entry_post, grant_stored, lots_locked,
};
use serde_json::json;

named! {
    /// What becomes of the tokens.
    Decision, "the decision" {
        /// What is left of them leaves the account.
        Take = "take",
        /// They stay.
        Leave = "leave",
    }
}

/// A decision to be taken.
#[derive(Clone, Debug)]
pub struct NewDecision {
    /// The processor's name for what took the money.
    pub reversal: String,
    /// What becomes of the tokens.
    pub decision: Decision,
    /// Why, in words; the customer reads it where tokens are taken.
    pub reason: String,
}

/// Accounts that were merged one into the next at most.
const MERGES: usize = 8;

/// Whose tokens they are now: accounts that are merged take their tokens along.
fn holder(tx: &mut dyn Read, vendor: &Vendor, order: Payable) -> Result<Customer> {
    let book = vendor.book_id;
    let id = match order {
        Payable::Tokens(id) => token_order_by_id(tx, Actor::System, book, id)?.customer_id,
        Payable::Goods(id) => card_order_by_id(tx, Actor::System, book, id)?.customer_id,
    };
    let mut customer = customer_by_id(tx, book, id)?;
    for _ in 0..MERGES {
        match fate(tx, &customer)?.merged_into {
            Some(kept) => customer = customer_by_id(tx, book, kept)?,
            None => break,
        }
    }
    Ok(customer)
}

/// The order of tokens that the money had paid; none where it paid for goods, of which no tokens
/// came.
fn token_order(order: Payable) -> Option<TokenOrderId> {
    match order {
        Payable::Tokens(id) => Some(id),
        Payable::Goods(_) => None,
    }
}

/// The grant that the money had paid for.
fn grant_of(tx: &mut dyn Read, book: i64, order: Payable) -> Result<Option<i64>> {
    let grant = token_order(order).map(|id| token_order_grant(tx, book, id));
    Ok(grant.transpose()?.flatten())
}

/// The customer who has the tokens of an order, and the wallet's lots, locked.
pub(super) fn wallet_lots(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    order: Payable,
) -> Result<(Customer, Vec<Lot>)> {
    let customer = holder(tx, vendor, order)?;
    let lots = lots_locked(tx, vendor.book_id, customer.wallet)?;
    Ok((customer, lots))
}

/// Tokens that the money paid for: their part of the order, rounded down for the customer, less
/// what was taken for other money of the same order.
fn paid_for(
    reversal: &Reversal,
    others: &[Reversal],
    quantity: Amount,
    price: Amount,
) -> Result<Amount> {
    let all = if reversal.amount >= price {
        quantity
    } else {
        let (part, whole) = (reversal.amount.units(), price.units());
        quantity.ratio(part, whole, Rounding::Down)?
    };
    let others = others.iter().filter(|other| other.name != reversal.name);
    let mut taken = Amount::ZERO;
    for other in others {
        taken = taken.plus(other.taken.minus(other.returned)?)?;
    }
    let left = quantity.minus(taken)?;
    Ok(all.min(left))
}

/// Tokens that may be taken back for a reversal now: those that its money paid for, as far as
/// they are left in the account.
fn takeable(
    tx: &mut dyn Read,
    vendor: &Vendor,
    reversal: &Reversal,
    lots: &[Lot],
) -> Result<(Option<i64>, Amount)> {
    let book = vendor.book_id;
    let Some(id) = token_order(reversal.order) else {
        return Ok((None, Amount::ZERO));
    };
    let Some(grant) = token_order_grant(tx, book, id)? else {
        return Ok((None, Amount::ZERO));
    };
    let order = token_order_by_id(tx, Actor::System, book, id)?;
    let others = store::of_order(tx, book, reversal.order)?;
    let most = paid_for(reversal, &others, order.quantity, order.price)?;
    let lot = lots.iter().find(|lot| lot.grant.grant_id == grant);
    let left = lot.map_or(Amount::ZERO, |lot| lot.remaining);
    Ok((Some(grant), most.min(left)))
}

/// What staff are shown before they decide: who has the tokens, and how many could be taken back.
pub fn reversal_tokens(
    tx: &mut scrip_engine::ReadTx<'_>,
    vendor: &Vendor,
    reversal: &Reversal,
) -> Result<(Customer, Amount)> {
    let customer = holder(tx, vendor, reversal.order)?;
    let lots = scrip_ledger::lots_available(tx, vendor.book_id, customer.wallet)?;
    let (_, tokens) = takeable(tx, vendor, reversal, &lots)?;
    Ok((customer, tokens))
}

/// Takes the tokens back, or notes that they stay. Once for each reversal.
pub fn reversal_decide(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    new: &NewDecision,
) -> Result<Reversal> {
    if !actor.for_vendor() {
        return Err(CardEventError::Forbidden);
    }
    let note = text::line("the reason", &new.reason, 200)?;
    let book = vendor.book_id;
    let unknown = || CardEventError::Unknown(new.reversal.chars().take(60).collect());
    let order = store::by_name(tx, book, &new.reversal)?
        .ok_or_else(unknown)?
        .order;
    let (customer, lots) = wallet_lots(tx, vendor, order)?;
    store::lock_order(tx, book, order)?;
    let mut reversal = store::by_name(tx, book, &new.reversal)?.ok_or_else(unknown)?;
    if reversal.decision.is_some() {
        return Err(CardEventError::DecidedBefore);
    }
    if new.decision == Decision::Take {
        if reversal.kind == ReversalKind::Dispute && reversal.state == ReversalState::Won {
            return Err(CardEventError::CameBack);
        }
        let (grant, tokens) = takeable(tx, vendor, &reversal, &lots)?;
        let grant = grant.filter(|_| tokens.is_positive());
        let grant = grant.ok_or(CardEventError::NothingLeft)?;
        let moved = Moved::of(tx, vendor, &lots, grant, tokens, Decision::Take)?;
        moved.post(tx, vendor, &customer, &actor.to_string(), &note)?;
        reversal.taken = tokens;
        let subject = customer.customer_id.to_string();
        outbox::add(tx, book, "customer.adjusted", &subject, "{}")?;
    }
    reversal.decision = Some(new.decision);
    reversal.decided_by = actor.to_string();
    reversal.decided_at = Some(tx.now());
    reversal.note = note;
    store::set_decision(tx, book, &reversal)?;
    let detail = json!({
        "reversal": reversal.name,
        "decision": new.decision,
        "tokens": reversal.taken.decimal(vendor.token.scale),
    });
    let subject = order.to_string();
    audit::note(tx, book, actor, "card.dispute_decided", &subject, &detail)?;
    Ok(reversal)
}

/// Tokens of one grant that leave or come into an account, and the money that was paid for them.
struct Moved {
    grant: i64,
    tokens: Amount,
    money: Amount,
    way: Decision,
}

impl Moved {
    /// The money is what the worth of the account's lot changes by, so that what is deferred stays
    /// the worth of what customers hold.
    fn of(
        tx: &mut Tx<'_>,
        vendor: &Vendor,
        lots: &[Lot],
        grant: i64,
        tokens: Amount,
        way: Decision,
    ) -> Result<Moved> {
        let info = grant_stored(tx, vendor.book_id, grant)?;
        let lot = lots.iter().find(|lot| lot.grant.grant_id == grant);
        let before = lot.map_or(Amount::ZERO, |lot| lot.remaining);
        let (less, more) = match way {
            Decision::Take => (before.minus(tokens)?, before),
            Decision::Leave => (before, before.plus(tokens)?),
        };
        Ok(Moved {
            grant,
            tokens,
            money: info.worth(more)?.minus(info.worth(less)?)?,
            way,
        })
    }

    fn post(
        &self,
        tx: &mut Tx<'_>,
        vendor: &Vendor,
        customer: &Customer,
        actor: &str,
        reference: &str,
    ) -> Result<()> {
        let charges = books::account(tx, vendor, AccountKind::Charges)?;
        let (wallet, issued) = (customer.wallet, vendor.accounts.issued);
        let deferred = vendor.accounts.deferred;
        let (code, tokens, money) = match self.way {
            Decision::Take => ("card_take_back", (wallet, issued), (deferred, charges)),
            Decision::Leave => ("card_give_again", (issued, wallet), (charges, deferred)),
        };
        let leg = |(debit, credit), amount, grant| Leg {
            debit,
            credit,
            amount,
            grant,
        };
        let mut legs = vec![leg(tokens, self.tokens, Some(self.grant))];
        if self.money.is_positive() {
            legs.push(leg(money, self.money, None));
        }
        let (effective_at, event_id) = (tx.now(), tx.new_id()?);
        entry_post(
            tx,
            &Posting {
                book_id: vendor.book_id,
                event_id,
                code,
                actor,
                reference,
                effective_at,
                legs: &legs,
            },
        )?;
        Ok(())
    }
}

/// The money came back: tokens that were taken for it are given again, unless their time is over
/// or the account was closed.
pub(super) fn give_again(tx: &mut Tx<'_>, vendor: &Vendor, reversal: &Reversal) -> Result<()> {
    if !reversal.taken.is_positive() {
        return Ok(());
    }
    let (customer, lots) = wallet_lots(tx, vendor, reversal.order)?;
    let grant = grant_of(tx, vendor.book_id, reversal.order)?;
    let Some(grant) = grant.filter(|_| customer.state != State::Closed) else {
        return Ok(());
    };
    if grant_stored(tx, vendor.book_id, grant)?.expires_at <= tx.now() {
        return Ok(());
    }
    let (tokens, way) = (reversal.taken, Decision::Leave);
    let moved = Moved::of(tx, vendor, &lots, grant, tokens, way)?;
    let (by, why) = (Actor::System.to_string(), "the dispute was won");
    moved.post(tx, vendor, &customer, &by, why)?;
    store::set_returned(tx, vendor.book_id, &reversal.name, tokens)?;
    let subject = customer.customer_id.to_string();
    outbox::add(tx, vendor.book_id, "customer.adjusted", &subject, "{}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::reversal::tests::reversal;
    use super::paid_for;
    use scrip_ledger::Amount;

    /// TOK-09: part of the money is part of the tokens, rounded down, and never taken twice.
    #[test]
    fn part_of_the_money_is_part_of_the_tokens() {
        let units = Amount::from_units;
        for (money, taken_before, given_again, expected) in [
            (900, 0, 0, 1000),
            (1000, 0, 0, 1000),
            (450, 0, 0, 500),
            (1, 0, 0, 1),
            (450, 700, 0, 300),
            (450, 700, 700, 500),
            (900, 1000, 0, 0),
        ] {
            let mut other = reversal("du_0", units(1));
            (other.taken, other.returned) = (units(taken_before), units(given_again));
            let this = reversal("du_1", units(money));
            let all = [other, this.clone()];
            let found = paid_for(&this, &all, units(1000), units(900)).unwrap();
            assert_eq!(found, units(expected), "{money} {taken_before}");
        }
    }
}
