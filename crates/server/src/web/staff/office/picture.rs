//! The picture of a clearing: who pays in, who is paid, as bands through the mall. Whole numbers only,
//! in tenths of the drawing's unit.

use super::Party;
use scrip_domain::Amount;
use scrip_domain::vendor::Hue;

/// Height of all bands together, in tenths.
const ALL: i64 = 1_800;
/// Between two bands.
const GAP: i64 = 340;
/// A band that is there is seen.
const LEAST: i64 = 12;

/// The picture.
pub(super) struct Picture {
    pub title: String,
    pub height: i64,
    pub bands: Vec<Band>,
    pub box_y: String,
    pub box_height: String,
    pub above: String,
    pub below: String,
    pub sum: String,
}

/// What one party pays or gets.
pub(super) struct Band {
    pub hue: Hue,
    pub class: &'static str,
    /// Its outline.
    pub path: String,
    pub is_stopped: bool,
    pub x: &'static str,
    pub y: String,
    pub height: String,
    pub text_x: &'static str,
    pub anchor: &'static str,
    pub name: String,
    pub name_y: String,
    pub says: String,
    pub says_y: String,
}

fn tenths(value: i64) -> String {
    format!("{}.{}", value / 10, (value % 10).abs())
}

/// One side: names, amounts and whether they are stopped.
struct Side {
    party: Party,
    amount: Amount,
    height: i64,
}

fn side(parties: Vec<(Party, Amount)>, sum: i64) -> Vec<Side> {
    let sides = parties.into_iter().map(|(party, amount)| Side {
        party,
        height: i64::try_from(
            i128::from(amount.units()) * i128::from(ALL) / i128::from(sum.max(1)),
        )
        .unwrap_or(ALL)
        .max(LEAST),
        amount,
    });
    sides.collect()
}

fn tall(side: &[Side]) -> (i64, i64) {
    let bands: i64 = side.iter().map(|s| s.height).sum();
    let gaps = i64::try_from(side.len().saturating_sub(1)).unwrap_or(0);
    (bands, bands + gaps * GAP)
}

/// The picture of what parties pay and get, the largest first; none where nothing moves. `money`
/// writes amounts.
pub(super) fn picture(
    mut pay: Vec<(Party, Amount)>,
    mut get: Vec<(Party, Amount)>,
    money: impl Fn(Amount) -> String,
) -> Option<Picture> {
    let sum = Amount::sum(pay.iter().map(|(_, amount)| *amount)).ok()?;
    if !sum.is_positive() {
        return None;
    }
    pay.sort_by_key(|(_, amount)| std::cmp::Reverse(*amount));
    get.sort_by_key(|(_, amount)| std::cmp::Reverse(*amount));
    let title = format!(
        "What will move: {} pay {} in, {} are paid",
        pay.len(),
        money(sum),
        get.len()
    );
    let (left, right) = (side(pay, sum.units()), side(get, sum.units()));
    let ((left_bands, left_all), (right_bands, right_all)) = (tall(&left), tall(&right));
    let most = left_all.max(right_all).max(ALL);
    let top = 500;
    let middle = top + most / 2;
    let in_box = left_bands.max(right_bands);
    let box_top = middle - in_box / 2;
    let mut bands = Vec::new();
    let (mut outer, mut inner) = (middle - left_all / 2, box_top);
    for one in left {
        bands.push(band(&one, (outer, inner), false, &money));
        outer += one.height + GAP;
        inner += one.height;
    }
    let (mut outer, mut inner) = (middle - right_all / 2, box_top);
    for one in right {
        bands.push(band(&one, (outer, inner), true, &money));
        outer += one.height + GAP;
        inner += one.height;
    }
    Some(Picture {
        title,
        height: (top + most + 600) / 10,
        bands,
        box_y: tenths(box_top),
        box_height: tenths(in_box),
        above: tenths(box_top - 100),
        below: tenths(box_top + in_box + 220),
        sum: money(sum),
    })
}

fn band(
    one: &Side,
    (outer, inner): (i64, i64),
    is_paid: bool,
    money: &impl Fn(Amount) -> String,
) -> Band {
    let (near, far) = match is_paid {
        false => (230, 530),
        true => (870, 570),
    };
    let middle = (near + far) / 2;
    let (o0, o1) = (tenths(outer), tenths(outer + one.height));
    let (i0, i1) = (tenths(inner), tenths(inner + one.height));
    let text = outer + one.height / 2;
    let word = match is_paid {
        false => "pays",
        true => "gets",
    };
    Band {
        hue: one.party.hue,
        class: if is_paid { "flow in" } else { "flow" },
        path: format!(
            "M{near} {o0}C{middle} {o0} {middle} {i0} {far} {i0}V{i1}C{middle} {i1} {middle} {o1} \
             {near} {o1}z"
        ),
        is_stopped: one.party.class == "status stopped",
        x: if is_paid { "870" } else { "224" },
        y: o0,
        height: tenths(one.height),
        text_x: if is_paid { "892" } else { "208" },
        anchor: if is_paid { "start" } else { "end" },
        name: one.party.name.clone(),
        name_y: tenths(text - 30),
        says: format!("{word} {}", money(one.amount)),
        says_y: tenths(text + 150),
    }
}
