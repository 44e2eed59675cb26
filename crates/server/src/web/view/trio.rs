//! Required, available, remaining (SHP-11, SHP-14): always the three, always in this order, and the
//! strip below that says it again.

use super::format::{Shown, tokens};
use scrip_ledger::Amount;

/// The three figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trio {
    /// RT.
    pub required: Shown,
    /// AT; none for an account that is not active.
    pub available: Option<Shown>,
    /// What the first two make.
    pub third: Third,
    /// The same as lengths; none while AT is not known.
    pub strip: Option<Strip>,
}

/// The third figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Third {
    /// AT - RT.
    Remaining(Shown),
    /// RT - AT: the order cannot be paid.
    Short(Shown),
    /// AT is not known.
    Unknown,
}

/// Lengths as SVG wants them, in percent: solid is yours, hatched is spoken for, dashed is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strip {
    /// Length of what is yours.
    pub solid: String,
    /// Length of what is spoken for; it begins where the solid part ends.
    pub spent: String,
    /// Begin and length of what is missing.
    pub lack: Option<(String, String)>,
    /// In words.
    pub label: String,
}

/// A part of a whole: what is left on a license or in a deposit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    /// Length of the part.
    pub part: String,
    /// How much is left: `640`.
    pub left: String,
    /// Of what, with its unit: `of 1,000 tokens left`.
    pub words: String,
}

impl Trio {
    /// From RT and AT.
    pub fn of(required: Amount, available: Option<Amount>) -> Trio {
        let short = available.and_then(|at| required.minus(at).ok());
        let third = match short {
            Some(short) if short.is_positive() => Third::Short(tokens(short)),
            Some(short) => short
                .negated()
                .map_or(Third::Unknown, |rest| Third::Remaining(tokens(rest))),
            None => Third::Unknown,
        };
        Trio {
            required: tokens(required),
            available: available.map(tokens),
            strip: available.and_then(|at| Strip::of(required, at)),
            third,
        }
    }

    /// True when the order cannot be paid.
    pub fn is_short(&self) -> bool {
        matches!(self.third, Third::Short(_))
    }
}

impl Strip {
    fn of(required: Amount, available: Amount) -> Option<Strip> {
        let at = available.units().max(0);
        let rt = required.units().max(0);
        let rest = available.minus(required).ok()?;
        if rest.units() >= 0 {
            let solid = share(rest.units(), at);
            return Some(Strip {
                spent: percent(1000 - solid),
                solid: percent(solid),
                lack: None,
                label: format!("{} of {} remain", tokens(rest).number, tokens(available)),
            });
        }
        let covered = share(at, rt);
        // A small gap, so that hatched and dashed do not touch.
        let begin = (covered + 8).min(992);
        Some(Strip {
            solid: percent(0),
            spent: percent(covered),
            lack: Some((percent(begin), percent(998 - begin))),
            label: format!(
                "{} cover part of {}; {} are missing",
                tokens(available),
                tokens(required).number,
                tokens(rest.negated().ok()?).number,
            ),
        })
    }
}

impl Meter {
    /// What is left of an amount of tokens.
    pub fn of_tokens(left: Amount, whole: Amount) -> Meter {
        Meter {
            part: percent(share(left.units(), whole.units())),
            left: tokens(left).number,
            words: format!("of {} left", tokens(whole)),
        }
    }
}

/// The share of a part in tenths of a percent. What is there is seen, and what is missing is
/// missed: neither is rounded away.
fn share(part: i64, whole: i64) -> i64 {
    if part <= 0 || whole <= 0 {
        return 0;
    }
    if part >= whole {
        return 1000;
    }
    let tenths = i128::from(part) * 1000 / i128::from(whole);
    i64::try_from(tenths).unwrap_or(1000).clamp(5, 995)
}

fn percent(tenths: i64) -> String {
    match tenths % 10 {
        0 => format!("{}%", tenths / 10),
        part => format!("{}.{part}%", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::{Meter, Strip, Third, Trio, share};
    use scrip_ledger::{Amount, TOKEN_SCALE};

    fn amount(text: &str) -> Amount {
        Amount::parse(text, TOKEN_SCALE).unwrap()
    }

    fn trio(required: &str, available: &str) -> Trio {
        Trio::of(amount(required), Some(amount(available)))
    }

    fn strip(required: &str, available: &str) -> Strip {
        trio(required, available).strip.unwrap()
    }

    fn third(trio: &Trio) -> String {
        match &trio.third {
            Third::Remaining(shown) => format!("remaining {shown}"),
            Third::Short(shown) => format!("short by {shown}"),
            Third::Unknown => "unknown".to_owned(),
        }
    }

    /// SHP-11
    #[test]
    fn the_three_figures_follow_the_list() {
        let both = trio("180", "500");
        assert_eq!(both.required.to_string(), "180 tokens");
        assert_eq!(both.available.as_ref().unwrap().to_string(), "500 tokens");
        assert_eq!(third(&both), "remaining 320 tokens");
        assert_eq!(third(&trio("100", "500")), "remaining 400 tokens");
        assert_eq!(third(&trio("500", "500")), "remaining 0 tokens");
        assert!(!both.is_short());
    }

    /// SHP-14
    #[test]
    fn a_shortfall_is_said_as_such() {
        let short = trio("700", "500");
        assert_eq!(third(&short), "short by 200 tokens");
        assert!(short.is_short());
        assert_eq!(third(&trio("1", "0")), "short by 1 token");
        assert_eq!(third(&trio("10", "-5")), "short by 15 tokens");
    }

    /// SHP-11: AT is for active accounts only.
    #[test]
    fn without_at_only_the_required_is_known() {
        let unknown = Trio::of(amount("10"), None);
        assert_eq!(
            (third(&unknown).as_str(), &unknown.strip),
            ("unknown", &None)
        );
    }

    #[test]
    fn the_strip_is_as_long_as_the_figures_say() {
        let enough = strip("180", "500");
        assert_eq!((&*enough.solid, &*enough.spent), ("64%", "36%"));
        assert_eq!(enough.label, "320 of 500 tokens remain");
        let rounded = strip("610", "860");
        assert_eq!((&*rounded.solid, &*rounded.spent), ("29%", "71%"));
        let none = strip("0", "500");
        assert_eq!((&*none.solid, &*none.spent), ("100%", "0%"));
        let all = strip("500", "500");
        assert_eq!((&*all.solid, &*all.spent), ("0%", "100%"));
        let short = strip("700", "500");
        assert_eq!((&*short.solid, &*short.spent), ("0%", "71.4%"));
        let lack = ("72.2%".to_owned(), "27.6%".to_owned());
        assert_eq!(short.lack, Some(lack));
        assert_eq!(short.label, "500 tokens cover part of 700; 200 are missing");
        let empty = strip("0", "0");
        assert_eq!((&*empty.solid, &*empty.spent), ("0%", "100%"));
    }

    #[test]
    fn extremes_neither_overflow_nor_vanish() {
        let most = Amount::from_units(i64::MAX);
        let little = Amount::from_units(1);
        let almost = Trio::of(little, Some(most)).strip.unwrap();
        assert_eq!((&*almost.solid, &*almost.spent), ("99.5%", "0.5%"));
        let hardly = Trio::of(most, Some(little)).strip.unwrap();
        assert_eq!(hardly.spent, "0.5%");
        let least = Amount::from_units(i64::MIN);
        assert_eq!(Trio::of(most, Some(least)).third, Third::Unknown);
        assert_eq!(share(i64::MAX, i64::MAX), 1000);
        assert_eq!(share(-1, 10), 0);
    }

    #[test]
    fn a_meter_shows_what_is_left() {
        let tokens = Meter::of_tokens(amount("180"), amount("1000"));
        assert_eq!(
            (&*tokens.part, &*tokens.words),
            ("18%", "of 1,000 tokens left")
        );
        let nothing = Meter::of_tokens(amount("0"), amount("0"));
        assert_eq!(nothing.part, "0%");
    }
}
