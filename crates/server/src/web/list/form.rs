//! What a form says about the order list, and what that changes (SHP-10, SHP-11).
//!
//! One protocol for all forms: ticks in the matrix and on the list, quantities and tiers, putting
//! on and taking off. A form says what it showed and what it shows now, and only the difference is
//! done, so that a page that has been open for a while does not undo what was done in another tab.
//! A script says instead which controls were changed since: pages that it keeps up to date show
//! more than was drawn.
//!
//! | field | meaning |
//! |---|---|
//! | `was_on`, `was_off` | an offer with a box, and how the box was drawn |
//! | `on` | an offer whose box is ticked |
//! | `line`, `had`, `quantity` | an offer, its quantity as drawn, its quantity now; one of each, in order |
//! | `put` | the button that puts an offer on the list and ticks it |
//! | `remove` | the button that takes an offer off |
//! | `changed` | from a script: an offer whose controls were changed; others are left alone |
//! | `reserve` | the button that reserves anew what is ticked |
//! | `shelf` | the boxes stand where things are sold: unticking takes off |

use crate::error::sentence;
use scrip_domain::Actor;
use scrip_domain::catalog::{CatalogError, Offer};
use scrip_domain::id::{CustomerId, OfferId};
use scrip_domain::order::{
    ListLine, OrderError, OrderList, order_list_clear, order_list_select, order_list_set,
};
use scrip_engine::Tx;
use serde::Deserialize;
use std::collections::BTreeSet;

/// Offers that one form changes at most: as many as a list has lines, twice.
const OFFERS_AT_MOST: usize = 400;

/// A posted form.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListForm {
    was_on: BTreeSet<OfferId>,
    was_off: BTreeSet<OfferId>,
    on: BTreeSet<OfferId>,
    line: Vec<OfferId>,
    had: Vec<String>,
    quantity: Vec<String>,
    put: Option<OfferId>,
    remove: Option<OfferId>,
    changed: BTreeSet<OfferId>,
    reserve: Option<String>,
    shelf: Option<String>,
}

/// Something that was asked for and not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The offer that it was asked for.
    pub offer: OfferId,
    /// The quantity that was typed.
    pub typed: String,
    /// Why it was not done, and what to do.
    pub said: String,
}

/// All of them.
pub type Faults = Vec<Fault>;

/// A change of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Put on in this quantity, or changed to it.
    Set {
        /// The offer.
        offer: OfferId,
        /// How many.
        quantity: i64,
        /// Whether its box is ticked afterwards.
        ticked: bool,
    },
    /// Ticked or unticked.
    Tick(OfferId, bool),
    /// Taken off.
    Remove(OfferId),
}

impl ListForm {
    /// The form that was sent cannot be one of ours.
    pub fn fault(&self) -> Option<&'static str> {
        let uneven = self.line.len() != self.had.len() || self.line.len() != self.quantity.len();
        let offers = self.was_on.len() + self.was_off.len() + self.line.len() + self.on.len();
        if uneven {
            Some("the form names a quantity for each line: send it again from the page")
        } else if offers > OFFERS_AT_MOST {
            Some("the form names too many offers at once: send fewer")
        } else {
            None
        }
    }

    /// True when what is ticked is to be reserved anew.
    pub fn reserves(&self) -> bool {
        self.reserve.is_some()
    }

    /// Offers that may have to be put on: their first quantities are needed.
    pub fn may_put(&self, list: &OrderList) -> Vec<OfferId> {
        let listed: BTreeSet<OfferId> = list.lines.iter().map(|l| l.line.offer_id).collect();
        let wanted = self.on.iter().chain(&self.put).copied();
        let new: BTreeSet<OfferId> = wanted.filter(|offer| !listed.contains(offer)).collect();
        new.into_iter().collect()
    }

    /// What is to be done, in order. `new` are the offers of [`ListForm::may_put`].
    pub fn steps(&self, list: &OrderList, new: &[Offer]) -> (Vec<Step>, Faults) {
        let (mut steps, mut faults) = (Vec::new(), Vec::new());
        for (offer, quantity) in self.quantities() {
            self.quantity_step(list, offer, quantity, &mut steps, &mut faults);
        }
        for (offer, on) in self.ticks() {
            let listed = listed(list, offer);
            steps.extend(match (on, listed) {
                (true, Some(_)) => Some(Step::Tick(offer, true)),
                (true, None) => put(new, offer),
                (false, Some(line)) if self.shelf.is_some() && is_as_first(line) => {
                    Some(Step::Remove(offer))
                }
                (false, Some(_)) => Some(Step::Tick(offer, false)),
                (false, None) => None,
            });
        }
        if let Some(offer) = self.put
            && !self.line.contains(&offer)
        {
            steps.extend(match listed(list, offer) {
                Some(_) => Some(Step::Tick(offer, true)),
                None => put(new, offer),
            });
        }
        steps.extend(self.remove.map(Step::Remove));
        (steps, faults)
    }

    /// Quantities that are not what was drawn.
    fn quantities(&self) -> impl Iterator<Item = (OfferId, &str)> {
        let lines = self.line.iter().zip(&self.had).zip(&self.quantity);
        lines.filter_map(|((offer, had), quantity)| {
            let quantity = quantity.trim();
            let is_meant = match self.changed.is_empty() {
                true => quantity != had || self.put == Some(*offer),
                false => self.changed.contains(offer),
            };
            is_meant.then_some((*offer, quantity))
        })
    }

    /// Boxes that are not as they were drawn.
    fn ticks(&self) -> impl Iterator<Item = (OfferId, bool)> {
        let boxes = self.was_on.union(&self.was_off);
        boxes.filter_map(|offer| {
            let on = self.on.contains(offer);
            let is_meant = match self.changed.is_empty() {
                true => on != self.was_on.contains(offer),
                false => self.changed.contains(offer),
            };
            is_meant.then_some((*offer, on))
        })
    }

    fn quantity_step(
        &self,
        list: &OrderList,
        offer: OfferId,
        typed: &str,
        steps: &mut Vec<Step>,
        faults: &mut Faults,
    ) {
        let listed = listed(list, offer);
        let is_put = self.put == Some(offer);
        // A choice of a tier for what is not on the list waits until it is.
        if listed.is_none() && !is_put {
            return;
        }
        let Ok(quantity) = typed.parse::<i64>() else {
            faults.push(Fault {
                offer,
                typed: typed.chars().take(40).collect(),
                said: "Give a whole number, for example 2.".to_owned(),
            });
            return;
        };
        let selected = listed.is_some_and(|line| line.selected);
        let same = listed.is_some_and(|line| line.line.quantity == quantity);
        steps.extend(match (same, is_put) {
            (true, false) => None,
            (true, true) => Some(Step::Tick(offer, true)),
            (false, _) if quantity == 0 => Some(Step::Remove(offer)),
            (false, _) => Some(Step::Set {
                offer,
                quantity,
                ticked: selected || is_put,
            }),
        });
    }
}

fn listed(list: &OrderList, offer: OfferId) -> Option<&ListLine> {
    list.lines.iter().find(|line| line.line.offer_id == offer)
}

/// The quantity with which an offer is put on by a tick: one, or the first tier.
pub fn first_quantity(offer: &Offer) -> i64 {
    offer.tiers.first().map_or(1, |tier| tier.up_to)
}

/// True when nothing is lost by taking a line off: ticking again gives the same.
fn is_as_first(line: &ListLine) -> bool {
    let first = line.tiers.first().map_or(1, |tier| tier.up_to);
    line.line.granted == first
}

fn put(new: &[Offer], offer: OfferId) -> Option<Step> {
    let found = new.iter().find(|o| o.offer_id == offer)?;
    Some(Step::Set {
        offer,
        quantity: first_quantity(found),
        ticked: true,
    })
}

/// Changes the list. What a rule does not allow is left undone and told; the rest is done.
pub fn run(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    steps: &[Step],
) -> Result<Faults, OrderError> {
    let mut faults = Vec::new();
    for step in steps {
        let done = one(tx, book, customer, step);
        if let Err(error) = done {
            faults.extend(fault(step, error)?);
        }
    }
    Ok(faults)
}

fn one(tx: &mut Tx<'_>, book: i64, customer: CustomerId, step: &Step) -> Result<(), OrderError> {
    let actor = Actor::Customer(customer);
    match *step {
        Step::Set {
            offer,
            quantity,
            ticked,
        } => {
            order_list_set(tx, actor, book, customer, offer, quantity)?;
            if ticked {
                return Ok(());
            }
            order_list_select(tx, actor, book, customer, offer, false)
        }
        Step::Tick(offer, on) => order_list_select(tx, actor, book, customer, offer, on),
        Step::Remove(offer) => order_list_clear(tx, actor, book, customer, &[offer]),
    }
}

/// What is said about a refusal; other errors end the command.
fn fault(step: &Step, error: OrderError) -> Result<Option<Fault>, OrderError> {
    let (offer, typed) = match step {
        Step::Set {
            offer, quantity, ..
        } => (*offer, quantity.to_string()),
        Step::Tick(offer, _) | Step::Remove(offer) => (*offer, String::new()),
    };
    match error {
        // Taken off in another tab meanwhile: what it asks for cannot be done, and need not be.
        OrderError::NotOnList(_) => Ok(None),
        // Tokens were spent or expired meanwhile, or T has changed.
        OrderError::NotYet(_)
        | OrderError::TooLarge
        | OrderError::ListFull { .. }
        | OrderError::Catalog(CatalogError::QuantityInvalid { .. }) => Ok(Some(Fault {
            offer,
            typed,
            said: sentence(&error.to_string()),
        })),
        other => Err(other),
    }
}
