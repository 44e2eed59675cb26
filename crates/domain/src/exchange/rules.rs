//! What an exchange comes to (OPN-02, OPN-03, GOV-11).

use super::{ExchangeError, Result};
use crate::mall::{Owed, Terms, share};
use scrip_engine::Timestamp;
use scrip_ledger::{Amount, Lot, Origin, Piece, Rounding, TOKEN_SCALE};

/// What both tokens are worth, at one moment, in the mall's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rates {
    pub from: Amount,
    pub to: Amount,
}

/// What so many tokens come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Priced {
    /// The charge, which the issuer of the tokens keeps.
    pub charge: Amount,
    /// Tokens that the customer gets.
    pub receives: Amount,
    /// What is owed between the vendors for them.
    pub money: Owed,
}

/// One whole token in its smallest unit.
fn whole() -> Result<i64> {
    let whole = 10_i64.checked_pow(TOKEN_SCALE);
    whole.ok_or_else(|| scrip_ledger::Error::Overflow.into())
}

/// The charge on what the tokens are worth, at the terms agreed.
pub(super) fn charge(tokens: Amount, value: Amount, terms: &Terms) -> Result<Amount> {
    let worth = tokens.ratio(value.units(), whole()?, Rounding::Down)?;
    Ok(terms.charge_flat.plus(share(worth, terms.charge_ppm)?)?)
}

/// Amount B = (amount A x value A - charge) / value B. The worth of what is given is rounded
/// down, and so are the tokens received; what those are worth is rounded up, and never comes to
/// more than what was given for them. The difference is the residue, which is journaled.
pub(super) fn priced(tokens: Amount, rates: Rates, charge: Amount) -> Result<Priced> {
    let whole = whole()?;
    let worth = tokens.ratio(rates.from.units(), whole, Rounding::Down)?;
    if !worth.is_positive() {
        return Err(ExchangeError::TooFew);
    }
    let owed = worth.minus(charge)?;
    if !owed.is_positive() {
        return Err(ExchangeError::ChargeTooHigh);
    }
    let receives = owed.ratio(whole, rates.to.units(), Rounding::Down)?;
    if !receives.is_positive() {
        return Err(ExchangeError::TooFew);
    }
    let received = receives.ratio(rates.to.units(), whole, Rounding::Up)?;
    Ok(Priced {
        charge,
        receives,
        money: Owed {
            residue: owed.minus(received)?,
            kept: charge,
            ..Owed::passing(owed, received)
        },
    })
}

/// True for tokens that may leave their issuer: paid for, for everything, not expired. Free ones
/// stay unless the mall lets them go, restricted ones stay, and so do those that nobody has paid for
/// yet.
fn may_leave(lot: &Lot, now: Timestamp, free_leaves: bool) -> bool {
    let may = match lot.grant.origin {
        Origin::Paid => true,
        Origin::Free => free_leaves,
        Origin::Credit => false,
    };
    may && lot.usable(now) && lot.grant.restriction.is_none()
}

/// Tokens that may leave.
pub(super) fn leaving(lots: &[Lot], now: Timestamp, free_leaves: bool) -> Result<Amount> {
    let leaving = lots.iter().filter(|l| may_leave(l, now, free_leaves));
    Ok(Amount::sum(leaving.map(|l| l.remaining))?)
}

/// What is taken of a lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub piece: Piece,
    pub expires_at: Timestamp,
}

/// The pieces that make up the tokens, soonest expiry first, then the oldest.
pub(super) fn taken(
    lots: &[Lot],
    tokens: Amount,
    (now, free_leaves): (Timestamp, bool),
) -> Result<Vec<Taken>> {
    let leaving = lots.iter().filter(|l| may_leave(l, now, free_leaves));
    let mut lots: Vec<&Lot> = leaving.collect();
    lots.sort_by_key(|l| (l.grant.expires_at, l.grant.granted_at, l.grant.grant_id));
    let mut rest = tokens;
    let mut taken = Vec::new();
    for lot in lots {
        let amount = lot.remaining.min(rest);
        if amount.is_positive() {
            rest = rest.minus(amount)?;
            let grant = lot.grant.grant_id;
            taken.push(Taken {
                piece: Piece { grant, amount },
                expires_at: lot.grant.expires_at,
            });
        }
    }
    if rest.is_positive() {
        let has = tokens.minus(rest)?;
        return Err(ExchangeError::Insufficient {
            has: has.decimal(TOKEN_SCALE),
            wanted: tokens.decimal(TOKEN_SCALE),
        });
    }
    Ok(taken)
}

/// A grant that comes of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub expires_at: Timestamp,
    pub tokens: Amount,
    pub paid: Amount,
}

/// Splits what is received by the expiry of what was given, so that nothing lives longer for
/// having been exchanged. Shares are rounded down as they add up; the last one makes it whole.
pub(super) fn parts(taken: &[Taken], priced: &Priced, latest: Timestamp) -> Result<Vec<Part>> {
    let given = Amount::sum(taken.iter().map(|t| t.piece.amount))?;
    let mut parts: Vec<Part> = Vec::new();
    let mut so_far = (Amount::ZERO, Amount::ZERO, Amount::ZERO);
    for one in taken {
        let sum = so_far.0.plus(one.piece.amount)?;
        let of = |whole: Amount| whole.ratio(sum.units(), given.units(), Rounding::Down);
        let (tokens, paid) = (of(priced.receives)?, of(priced.money.received)?);
        let part = Part {
            expires_at: one.expires_at.min(latest),
            tokens: tokens.minus(so_far.1)?,
            paid: paid.minus(so_far.2)?,
        };
        so_far = (sum, tokens, paid);
        match parts.last_mut().filter(|p| p.expires_at == part.expires_at) {
            Some(last) => {
                last.tokens = last.tokens.plus(part.tokens)?;
                last.paid = last.paid.plus(part.paid)?;
            }
            None => parts.push(part),
        }
    }
    // A share of nothing is no grant; its money goes with the next one.
    let mut whole: Vec<Part> = Vec::new();
    let mut money = Amount::ZERO;
    for part in parts {
        money = money.plus(part.paid)?;
        if part.tokens.is_positive() {
            whole.push(Part {
                paid: std::mem::take(&mut money),
                ..part
            });
        }
    }
    if let Some(last) = whole.last_mut() {
        last.paid = last.paid.plus(money)?;
    }
    Ok(whole)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use scrip_ledger::{CURRENCY_SCALE, GrantInfo};
    use std::sync::Arc;

    fn money(text: &str) -> Amount {
        Amount::parse(text, CURRENCY_SCALE).unwrap()
    }

    fn tokens(text: &str) -> Amount {
        Amount::parse(text, TOKEN_SCALE).unwrap()
    }

    fn rates(from: &str, to: &str) -> Rates {
        Rates {
            from: money(from),
            to: money(to),
        }
    }

    /// OPN-02, OPN-03, OPN-04: 100 A at 10 cents, a charge of 10 cents, B at 4 cents.
    #[test]
    fn the_example_of_the_specification() {
        let priced = priced(tokens("100"), rates("0.10", "0.04"), money("0.10")).unwrap();
        assert_eq!(priced.receives, tokens("247.5"));
        assert_eq!(priced.money.received, money("9.90"));
        assert_eq!(priced.money.residue, Amount::ZERO);
    }

    /// OPN-02: what does not divide is a residue, not a loss.
    #[test]
    fn what_does_not_divide_is_residue() {
        let priced = priced(tokens("1"), rates("0.10", "0.03"), Amount::ZERO).unwrap();
        assert_eq!(priced.receives, tokens("3.333333"));
        assert_eq!(priced.money.owed, money("0.10"));
        assert_eq!(priced.money.received, money("0.09999999"));
        assert_eq!(priced.money.residue, money("0.00000001"));
    }

    /// OPN-03: flat and by share, and none that eats up everything.
    #[test]
    fn charges_are_flat_and_by_share() {
        let terms = Terms {
            charge_flat: money("0.05"),
            charge_ppm: 5_000,
            ..Terms::default()
        };
        let charge = charge(tokens("100"), money("0.10"), &terms).unwrap();
        assert_eq!(charge, money("0.10"));
        assert!(matches!(
            priced(tokens("1"), rates("0.10", "0.10"), charge),
            Err(ExchangeError::ChargeTooHigh)
        ));
        let dust = Amount::from_units(1);
        assert!(matches!(
            priced(tokens("0.00001"), rates("0.001", "10000"), Amount::ZERO),
            Err(ExchangeError::TooFew)
        ));
        assert!(matches!(
            priced(dust, rates("0.001", "0.10"), Amount::ZERO),
            Err(ExchangeError::TooFew)
        ));
    }

    fn lot(grant_id: i64, amount: &str, expires_at: i64) -> Lot {
        Lot {
            grant: Arc::new(GrantInfo {
                grant_id,
                asset_id: 1,
                origin: Origin::Paid,
                restriction: None,
                expires_at: Timestamp(expires_at),
                quantity: tokens(amount),
                paid: Amount::ZERO,
                paid_asset_id: None,
                granted_at: Timestamp(0),
            }),
            remaining: tokens(amount),
        }
    }

    fn changed(lot: Lot, change: impl FnOnce(&mut GrantInfo)) -> Lot {
        let mut grant = (*lot.grant).clone();
        change(&mut grant);
        Lot {
            grant: Arc::new(grant),
            ..lot
        }
    }

    /// GOV-11, OPN-02: free, restricted, unpaid and expired tokens stay at home.
    #[test]
    fn what_was_not_paid_for_stays() {
        let now = Timestamp(100);
        let lots = [
            lot(1, "60", 1_000),
            changed(lot(2, "40", 1_000), |g| g.origin = Origin::Free),
            changed(lot(3, "40", 1_000), |g| g.origin = Origin::Credit),
            changed(lot(4, "40", 1_000), |g| g.restriction = Some("sale".into())),
            lot(5, "40", 100),
        ];
        assert_eq!(leaving(&lots, now, false).unwrap(), tokens("60"));
        assert!(taken(&lots, tokens("60"), (now, false)).is_ok());
        let more = taken(&lots, tokens("60.000001"), (now, false));
        assert!(matches!(more, Err(ExchangeError::Insufficient { .. })));
    }

    /// TOK-07: what expires first goes first, and what comes of it expires no later.
    #[test]
    fn nothing_lives_longer_for_having_been_exchanged() {
        let lots = [lot(1, "10", 900), lot(2, "10", 500), lot(3, "10", 700)];
        let taken = taken(&lots, tokens("25"), (Timestamp(100), false)).unwrap();
        let order: Vec<i64> = taken.iter().map(|t| t.piece.grant).collect();
        assert_eq!(order, [2, 3, 1]);
        let priced = priced(tokens("25"), rates("0.10", "0.05"), Amount::ZERO).unwrap();
        let parts = parts(&taken, &priced, Timestamp(800)).unwrap();
        let found: Vec<(i64, String)> = parts
            .iter()
            .map(|p| (p.expires_at.0, p.tokens.decimal(TOKEN_SCALE)))
            .collect();
        let expected = [(500, "20"), (700, "20"), (800, "10")];
        let expected: Vec<(i64, String)> =
            expected.iter().map(|(at, n)| (*at, (*n).into())).collect();
        assert_eq!(found, expected);
    }

    proptest! {
        /// OPN-02, MIC-07: nothing is created, and nothing lost beyond what is journaled.
        #[test]
        fn exchanges_create_nothing(
            given in 1_i64..1_000_000_000_000_000,
            from in 1_i64..1_000_000_000,
            to in 1_i64..1_000_000_000,
            charge in 0_i64..1_000_000,
        ) {
            let rates = Rates { from: Amount::from_units(from), to: Amount::from_units(to) };
            let given = Amount::from_units(given);
            let Ok(priced) = priced(given, rates, Amount::from_units(charge)) else {
                return Ok(());
            };
            let money = priced.money;
            prop_assert!(money.residue >= Amount::ZERO);
            prop_assert_eq!(money.received.plus(money.residue).unwrap(), money.owed);
            let worth = i128::from(given.units()) * i128::from(from) / 1_000_000;
            prop_assert_eq!(worth, i128::from(money.owed.units()) + i128::from(charge));
            // Tokens received are worth no more than what is owed for them.
            let got = i128::from(priced.receives.units()) * i128::from(to);
            prop_assert!(got <= i128::from(money.owed.units()) * 1_000_000);
            // One more of the smallest unit would be.
            prop_assert!(got + i128::from(to) > i128::from(money.owed.units()) * 1_000_000);
        }

        /// The parts are the whole, in tokens and in money, and none is empty.
        #[test]
        fn parts_make_the_whole(
            lots in prop::collection::vec((1_i64..1_000_000_000, 200_i64..210), 1..8),
            from in 1_i64..100_000_000,
            to in 1_i64..100_000_000,
        ) {
            let mut held = Vec::new();
            for ((amount, expires_at), id) in lots.iter().zip(1..) {
                held.push(changed(lot(id, "1", *expires_at), |_| ()));
                held.last_mut().unwrap().remaining = Amount::from_units(*amount);
            }
            let all = leaving(&held, Timestamp(100), false).unwrap();
            let taken = taken(&held, all, (Timestamp(100), false)).unwrap();
            let rates = Rates { from: Amount::from_units(from), to: Amount::from_units(to) };
            let Ok(priced) = priced(all, rates, Amount::ZERO) else { return Ok(()) };
            let parts = parts(&taken, &priced, Timestamp(205)).unwrap();
            let sum = |of: fn(&Part) -> Amount| Amount::sum(parts.iter().map(of)).unwrap();
            prop_assert_eq!(sum(|p| p.tokens), priced.receives);
            prop_assert_eq!(sum(|p| p.paid), priced.money.received);
            prop_assert!(parts.iter().all(|p| p.tokens.is_positive()));
        }
    }
}
