//! Which tokens pay for which lines (FIG. 20A and 20B; OPN-18, OPN-19).

use super::{CheckoutError, Result};
use crate::open_token::OpenKind;
use crate::order::flow::flow;
use crate::text::named;
use scrip_ledger::Amount;
use std::collections::BTreeMap;

named! {
    /// The types among which FIG. 20 chooses.
    Pays, "the type of token that pays" {
        /// The manufacturer's: M1, or M2 with universal ones beside it (OPN-12).
        Manufacturer = "manufacturer",
        /// The group's.
        Group = "group",
        /// Gift certificates.
        Gift = "gift",
        /// Universal.
        Universal = "universal",
    }
}

/// A line to be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// In the mall's currency; above zero.
    pub price: Amount,
    /// Whose list it is on (s2151).
    pub maker: Option<i64>,
    /// What M2 tokens may pay of it.
    pub cap: Amount,
}

/// What a customer holds that the seller takes, by what it may pay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Purse {
    pub m1: BTreeMap<i64, Amount>,
    pub m2: BTreeMap<i64, Amount>,
    /// Of groups to which both belong (s2155).
    pub group: Amount,
    /// The faces of certificates that the seller takes (s2160).
    pub gift: Amount,
    pub universal: Amount,
}

impl Purse {
    fn of(held: &BTreeMap<i64, Amount>, line: &Line) -> Amount {
        let held = line.maker.and_then(|maker| held.get(&maker));
        held.copied().unwrap_or_default()
    }

    fn holds(&self, pays: Pays, line: &Line) -> bool {
        let held = match pays {
            Pays::Manufacturer => {
                Purse::of(&self.m1, line).is_positive() || Purse::of(&self.m2, line).is_positive()
            }
            Pays::Group => self.group.is_positive(),
            Pays::Gift => self.gift.is_positive(),
            Pays::Universal => self.universal.is_positive(),
        };
        // M2 tokens are for what is on the list, and so are M1.
        held && (pays != Pays::Manufacturer || line.maker.is_some())
    }

    /// All that could pay anything.
    pub(super) fn total(&self) -> Result<Amount> {
        let makers = self.m1.values().chain(self.m2.values()).copied();
        let rest = [self.group, self.gift, self.universal];
        Ok(Amount::sum(makers.chain(rest))?)
    }
}

/// A row of FIG. 20A: on or off the list, which tokens are looked for. No leads to the next row of
/// its kind, the last of them to s2161.
struct Row {
    on_list: bool,
    holds: Pays,
}

/// OPN-18.
const FIG_20A: [Row; 5] = [
    // 1  s2151, s2152
    row(true, Pays::Manufacturer),
    // 2  s2154
    row(true, Pays::Universal),
    // 3  s2155, s2156: the purse has tokens of shared groups only
    row(false, Pays::Group),
    // 4  s2160: the purse has certificates that the seller takes only
    row(false, Pays::Gift),
    // 5  s2158, s2154
    row(false, Pays::Universal),
];

const fn row(on_list: bool, holds: Pays) -> Row {
    Row { on_list, holds }
}

/// The candidate of a line; `None` leads to s2161.
pub(super) fn candidate(line: &Line, purse: &Purse) -> Option<Pays> {
    let rows = FIG_20A.iter().filter(|r| r.on_list == line.maker.is_some());
    let mut rows = rows.map(|row| row.holds);
    rows.find(|pays| purse.holds(*pays, line))
}

/// The order of preference of OPN-19.
const PREFERRED: [Pays; 4] = [Pays::Manufacturer, Pays::Group, Pays::Gift, Pays::Universal];

/// What pays a line.
pub(super) type Paid = Vec<(OpenKind, Amount)>;

/// The ways in which one type can pay a line, the preferred first.
#[derive(Clone, Copy)]
enum Way {
    M1,
    M2,
    Group,
    Gift,
    Universal,
}

fn ways(pays: Pays) -> &'static [Way] {
    match pays {
        Pays::Manufacturer => &[Way::M1, Way::M2],
        Pays::Group => &[Way::Group],
        Pays::Gift => &[Way::Gift],
        Pays::Universal => &[Way::Universal],
    }
}

/// What M2 tokens pay of a line: up to the cap, and never all of it, because universal tokens must
/// be beside them.
fn m2_part(line: &Line, held: Amount) -> Result<Amount> {
    let below = line.price.minus(Amount::from_units(1))?;
    Ok(line.cap.min(held).min(below).max(Amount::ZERO))
}

/// Takes a line out of the purse in one way; `None` where that does not cover it.
fn take(line: &Line, purse: &Purse, way: Way) -> Result<Option<(Purse, Paid)>> {
    let mut left = purse.clone();
    let mut parts = Paid::new();
    let mut draw = |from: &mut Amount, kind, amount: Amount| -> Result<bool> {
        if amount > *from {
            return Ok(false);
        }
        *from = from.minus(amount)?;
        if amount.is_positive() {
            parts.push((kind, amount));
        }
        Ok(true)
    };
    let covered = match (way, line.maker) {
        (Way::M1, Some(maker)) => {
            let from = left.m1.entry(maker).or_default();
            draw(from, OpenKind::M1, line.price)?
        }
        (Way::M2, Some(maker)) => {
            let from = left.m2.entry(maker).or_default();
            let part = m2_part(line, *from)?;
            part.is_positive()
                && draw(from, OpenKind::M2, part)?
                && draw(
                    &mut left.universal,
                    OpenKind::Universal,
                    line.price.minus(part)?,
                )?
        }
        (Way::M1 | Way::M2, None) => false,
        (Way::Group, _) => draw(&mut left.group, OpenKind::Group, line.price)?,
        (Way::Gift, _) => draw(&mut left.gift, OpenKind::Gift, line.price)?,
        (Way::Universal, _) => draw(&mut left.universal, OpenKind::Universal, line.price)?,
    };
    Ok(covered.then_some((left, parts)))
}

/// Attempts before a search is given up: more than any order of a customer needs.
const STEPS: usize = 50_000;

/// Which tokens pay for which lines (OPN-19), or `None` where no allowed way pays all of them: first
/// every line by one type, its candidate before the others; then, where the mall lets types combine,
/// all of them together. `wanted` is the one type that the customer chose.
pub(super) fn decide(
    lines: &[Line],
    purse: &Purse,
    combines: bool,
    wanted: Option<Pays>,
) -> Result<Option<Vec<Paid>>> {
    let order_of = |line: &Line| -> Vec<Way> {
        let mut order: Vec<Pays> = match wanted {
            Some(wanted) => vec![wanted],
            None => candidate(line, purse).into_iter().collect(),
        };
        // A line without a candidate is not lost: an order is refused only when nothing pays it.
        if wanted.is_none() {
            let first = order.first().copied();
            order.extend(PREFERRED.iter().filter(|pays| Some(**pays) != first));
        }
        order.iter().flat_map(|pays| ways(*pays)).copied().collect()
    };
    let orders: Vec<Vec<Way>> = lines.iter().map(order_of).collect();
    let mut steps = STEPS;
    if let Some(found) = single(lines, &orders, purse, &mut steps)? {
        return Ok(Some(found));
    }
    if steps == 0 && (!combines || wanted.is_some()) {
        return Err(CheckoutError::TooManyWays);
    }
    match combines && wanted.is_none() {
        true => combined(lines, purse),
        false => Ok(None),
    }
}

/// Every line by one type: the first way in the order of lines and of preference that covers all.
fn single(
    lines: &[Line],
    orders: &[Vec<Way>],
    purse: &Purse,
    steps: &mut usize,
) -> Result<Option<Vec<Paid>>> {
    let (Some((line, lines)), Some((order, orders))) = (lines.split_first(), orders.split_first())
    else {
        return Ok(Some(Vec::new()));
    };
    for way in order {
        *steps = match steps.checked_sub(1) {
            Some(left) => left,
            None => return Ok(None),
        };
        let Some((left, paid)) = take(line, purse, *way)? else {
            continue;
        };
        if let Some(mut rest) = single(lines, orders, &left, steps)? {
            rest.insert(0, paid);
            return Ok(Some(rest));
        }
    }
    Ok(None)
}

/// Lines at most whose discount tokens are weighed one by one.
const WEIGHED: usize = 10;

/// All types together: M1, group, gift, universal, as far as each goes. A line that M2 tokens pay
/// for is paid by them and universal ones alone, so each choice of such lines is looked at, those
/// with fewer of them first.
fn combined(lines: &[Line], purse: &Purse) -> Result<Option<Vec<Paid>>> {
    let with_m2 = |line: &Line| Purse::of(&purse.m2, line).is_positive();
    let weighed = lines.iter().enumerate().filter(|(_, line)| with_m2(line));
    let weighed: Vec<usize> = weighed.map(|(place, _)| place).take(WEIGHED).collect();
    let sets = 1_usize.checked_shl(u32::try_from(weighed.len()).unwrap_or(0));
    let mut sets: Vec<usize> = (0..sets.unwrap_or(1)).collect();
    sets.sort_by_key(|set| set.count_ones());
    for set in sets {
        let chosen = weighed.iter().enumerate();
        let chosen = chosen.filter(|(bit, _)| set >> bit & 1 == 1);
        let chosen: Vec<usize> = chosen.map(|(_, place)| *place).collect();
        if let Some(found) = together(lines, purse, &chosen)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The lines of `discounted` by M2 and universal tokens, the others by all other types.
fn together(lines: &[Line], purse: &Purse, discounted: &[usize]) -> Result<Option<Vec<Paid>>> {
    let mut left = purse.clone();
    let mut paid: Vec<Paid> = vec![Paid::new(); lines.len()];
    for place in discounted {
        let (Some(line), Some(parts)) = (lines.get(*place), paid.get_mut(*place)) else {
            continue;
        };
        match take(line, &left, Way::M2)? {
            Some((rest, by)) => (left, *parts) = (rest, by),
            None => return Ok(None),
        }
    }
    let mut sources: Vec<(OpenKind, Option<i64>, Amount)> = Vec::new();
    let makers = left.m1.iter();
    sources.extend(makers.map(|(maker, held)| (OpenKind::M1, Some(*maker), *held)));
    sources.push((OpenKind::Group, None, left.group));
    sources.push((OpenKind::Gift, None, left.gift));
    sources.push((OpenKind::Universal, None, left.universal));
    let has: Vec<Amount> = sources.iter().map(|source| source.2).collect();
    let open: Vec<Amount> = lines
        .iter()
        .zip(&paid)
        .map(|(line, by)| match by.is_empty() {
            true => line.price,
            false => Amount::ZERO,
        })
        .collect();
    let may = |source: usize, need: usize| {
        let (Some(source), Some(line)) = (sources.get(source), lines.get(need)) else {
            return false;
        };
        source.1.is_none() || source.1 == line.maker
    };
    let Some(used) = flow(&has, &open, &may)? else {
        return Ok(None);
    };
    for ((kind, _, _), used) in sources.iter().zip(used) {
        for (parts, amount) in paid.iter_mut().zip(used) {
            if amount.is_positive() {
                parts.push((*kind, amount));
            }
        }
    }
    Ok(Some(paid))
}

/// Certificates among which every set of the right size is weighed.
const SETS: usize = 14;

/// Which certificates pay so much: the fewest, and of those with the least surplus. They are spent
/// whole (OPN-16). Faces in; places out.
pub(super) fn certificates(faces: &[Amount], need: Amount) -> Result<Vec<usize>> {
    if !need.is_positive() {
        return Ok(Vec::new());
    }
    let mut by_face: Vec<usize> = (0..faces.len()).collect();
    by_face.sort_by_key(|place| std::cmp::Reverse(faces.get(*place).copied()));
    let face = |place: &usize| faces.get(*place).copied().unwrap_or_default();
    let (mut count, mut sum) = (0_usize, Amount::ZERO);
    for place in &by_face {
        if sum >= need {
            break;
        }
        sum = sum.plus(face(place))?;
        count = count.saturating_add(1);
    }
    let mut best: Vec<usize> = by_face.iter().take(count).copied().collect();
    if faces.len() <= SETS {
        let bits = u32::try_from(faces.len()).unwrap_or(0);
        for set in 0..1_u32.checked_shl(bits).unwrap_or(0) {
            if usize::try_from(set.count_ones()).ok() != Some(count) {
                continue;
            }
            let chosen = (0..faces.len()).filter(|place| set >> place & 1 == 1);
            let chosen: Vec<usize> = chosen.collect();
            let total = Amount::sum(chosen.iter().map(&face))?;
            if total >= need && total < sum {
                (best, sum) = (chosen, total);
            }
        }
        return Ok(best);
    }
    // Of many: each is replaced by the smallest one that still covers, the last first.
    for at in (0..best.len()).rev() {
        let mut others = by_face.iter().rev().filter(|place| !best.contains(place));
        let Some(now) = best.get(at).copied() else {
            continue;
        };
        let rest = sum.minus(face(&now))?;
        let smaller = others.find(|place| {
            face(place) < face(&now) && rest.plus(face(place)).is_ok_and(|s| s >= need)
        });
        if let Some(smaller) = smaller.copied() {
            sum = rest.plus(face(&smaller))?;
            if let Some(slot) = best.get_mut(at) {
                *slot = smaller;
            }
        }
    }
    Ok(best)
}
