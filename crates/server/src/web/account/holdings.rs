//! What a customer holds, by kind, and what of it ends soon: for the account's page and for staff.

use super::super::session::Shop;
use super::super::view::format::{money, tokens};
use super::super::view::{Notice, Shown, Tone, When};
use scrip_domain::Amount;
use scrip_domain::statement::{Balance, LotKind, LotView};
use scrip_domain::vendor::money_for_tokens;
use scrip_engine::Timestamp;
use scrip_ledger::Rounding;

/// Tokens that end within so many seconds are warned about: two months.
const SOON_S: i64 = 60 * 24 * 3600;

/// One kind of tokens.
pub struct Kind {
    /// Its icon in `marks.svg`.
    pub icon: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// How these came to be there, and until when they last.
    pub about: String,
    /// How many.
    pub tokens: Shown,
}

/// What a customer holds.
pub struct Holdings {
    /// By kind; kinds of which there are none are left out.
    pub kinds: Vec<Kind>,
    /// What ends soon, soonest first.
    pub ending: Vec<Notice>,
    /// What can be spent, in money; none where it is too much for a sum.
    pub worth: Option<String>,
    /// What can be spent on sales only.
    pub restricted: Option<Shown>,
    /// What is set aside.
    pub held: Option<Shown>,
}

/// How a lot is shown: what may be spent on sales only is a kind of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    Paid,
    Credit,
    Free,
    Restricted,
}

impl Label {
    const ALL: [Label; 4] = [Label::Paid, Label::Credit, Label::Free, Label::Restricted];

    fn of(lot: &LotView) -> Label {
        match lot.kind {
            _ if lot.restricted => Label::Restricted,
            LotKind::Paid => Label::Paid,
            LotKind::Credit => Label::Credit,
            LotKind::Free => Label::Free,
        }
    }

    fn icon(self) -> &'static str {
        match self {
            Label::Paid => "k-paid",
            Label::Credit => "k-credit",
            Label::Free => "k-free",
            Label::Restricted => "k-only",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Label::Paid => "Paid",
            Label::Credit => "Credit",
            Label::Free => "Free",
            Label::Restricted => "Restricted",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Label::Paid => "bought and settled",
            Label::Credit => "given before they are paid for",
            Label::Free => "gifts, spent before bought ones",
            Label::Restricted => "for products on sale only",
        }
    }
}

impl Holdings {
    /// Of a balance, at a time.
    pub fn of(balance: &Balance, shop: &Shop, now: Timestamp) -> Holdings {
        let sum_of = |label| {
            let lots = balance.lots.iter().filter(|lot| Label::of(lot) == label);
            Amount::sum(lots.map(|lot| lot.remaining)).unwrap_or(balance.available)
        };
        let kinds = Label::ALL
            .into_iter()
            .map(|label| (label, sum_of(label)))
            .filter(|(_, sum)| sum.is_positive())
            .map(|(label, sum)| Kind {
                icon: label.icon(),
                name: label.name(),
                about: about(label, &balance.lots, now),
                tokens: tokens(sum),
            })
            .collect();
        let some = |amount: Amount| amount.is_positive().then(|| tokens(amount));
        Holdings {
            kinds,
            ending: ending(&balance.lots, now),
            worth: worth(balance.available, shop),
            restricted: some(sum_of(Label::Restricted)),
            held: some(balance.held),
        }
    }
}

/// What tokens cost now; none where that is too much for a sum.
pub fn worth(amount: Amount, shop: &Shop) -> Option<String> {
    let vendor = &shop.vendor;
    let sum = money_for_tokens(amount, shop.token_price, &vendor.token, Rounding::Down).ok()?;
    Some(money(sum, &vendor.currency))
}

fn about(label: Label, lots: &[LotView], now: Timestamp) -> String {
    let ends = lots
        .iter()
        .filter(|lot| Label::of(lot) == label)
        .filter_map(|lot| lot.expires_at)
        .min();
    match ends {
        Some(end) => format!("{}, until {}", label.about(), When::day_near(end, now)),
        None => label.about().to_owned(),
    }
}

/// One notice for all tokens of a kind that end on the same day. The lots come soonest first.
fn ending(lots: &[LotView], now: Timestamp) -> Vec<Notice> {
    let soon = now.plus_seconds(SOON_S);
    let mut days: Vec<(When, Label, Amount)> = Vec::new();
    for lot in lots {
        let Some(end) = lot.expires_at.filter(|end| *end <= soon) else {
            continue;
        };
        let (day, label) = (When::day_near(end, now), Label::of(lot));
        let same = days
            .iter_mut()
            .find(|(d, l, _)| d.words == day.words && *l == label);
        match same {
            Some((_, _, sum)) => *sum = sum.plus(lot.remaining).unwrap_or(*sum),
            None => days.push((day, label, lot.remaining)),
        }
    }
    days.into_iter()
        .map(|(day, label, sum)| {
            let shown = tokens(sum);
            let end = if shown.unit == "token" { "ends" } else { "end" };
            let (number, unit) = (&shown.number, shown.unit);
            let name = label.name().to_lowercase();
            let text = match label {
                Label::Restricted => "Orders of products on sale spend them first.",
                _ => "Orders spend them first.",
            };
            let headline = format!("{number} {name} {unit} {end} on {day}.");
            Notice::new(Tone::Warn, headline, text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Label, ending};
    use scrip_domain::Amount;
    use scrip_domain::statement::{LotKind, LotView};
    use scrip_engine::Timestamp;

    fn lot(kind: LotKind, restricted: bool, tokens: i64, ends: &str) -> LotView {
        LotView {
            kind,
            restricted,
            remaining: Amount::from_units(tokens * 1_000_000),
            expires_at: (!ends.is_empty()).then(|| Timestamp::parse(ends).unwrap()),
        }
    }

    /// TOK-07: what ends soon is said once for each day and kind.
    #[test]
    fn what_ends_soon_is_said() {
        let now = Timestamp::parse("2026-11-21T14:02:00Z").unwrap();
        let lots = [
            lot(LotKind::Free, false, 30, "2026-11-30T00:00:00Z"),
            lot(LotKind::Free, false, 10, "2026-11-30T12:00:00Z"),
            lot(LotKind::Free, true, 1, "2026-11-30T12:00:00Z"),
            lot(LotKind::Free, false, 5, "2027-01-02T00:00:00Z"),
            lot(LotKind::Free, false, 7, "2027-11-30T00:00:00Z"),
            lot(LotKind::Paid, false, 500, ""),
        ];
        let said: Vec<String> = ending(&lots, now).into_iter().map(|n| n.headline).collect();
        assert_eq!(
            said,
            [
                "40 free tokens end on 30 Nov.",
                "1 restricted token ends on 30 Nov.",
                "5 free tokens end on 2 Jan 2027.",
            ]
        );
    }

    #[test]
    fn what_is_for_sales_only_is_a_kind_of_its_own() {
        for kind in [LotKind::Paid, LotKind::Credit, LotKind::Free] {
            assert!(Label::of(&lot(kind, true, 1, "")) == Label::Restricted);
            assert!(Label::of(&lot(kind, false, 1, "")) != Label::Restricted);
        }
    }
}
