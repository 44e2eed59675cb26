//! The forms of orders that no card pays: what is asked for, what is answered.

use super::super::customer::CustomerChannel;
use super::super::field::{self, Decimal, Moment, OptionalLine200, words};
use super::super::shape::Money;
use super::super::token::DiscountBody;
use scrip_domain::credit::Verdict;
use scrip_domain::policy::Means;
use scrip_domain::token_sale::offline::{Ageing, OfflineOrder, OfflineState};
use scrip_domain::vendor::Vendor;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Means that need no card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Means", into = "Means")]
pub struct WithoutCard(pub(super) Means);

impl TryFrom<Means> for WithoutCard {
    type Error = &'static str;
    fn try_from(means: Means) -> std::result::Result<Self, Self::Error> {
        if means.is_offline() {
            Ok(WithoutCard(means))
        } else {
            Err("a card pays at once: post to /v1/customers/{id}/token-orders")
        }
    }
}

impl From<WithoutCard> for Means {
    fn from(means: WithoutCard) -> Means {
        means.0
    }
}

fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|one| name(*one)).collect()
}

words! {
    OfflineStanding: OfflineState, names(OfflineState::ALL, OfflineState::name);
    OfflineMeans: WithoutCard, names(&Means::ALL[1..], Means::name);
}

/// An order of tokens that no card pays.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"tokens": "500", "means": "check", "channel": "phone"}))]
pub(super) struct OfflineBody {
    /// How many tokens.
    pub(super) tokens: Decimal,
    /// The pack that is bought, so often that it makes that number; without one, just tokens.
    pub(super) pack: Option<field::Pack>,
    /// How it will be paid.
    pub(super) means: OfflineMeans,
    /// How it came; without one, over the counter.
    pub(super) channel: Option<CustomerChannel>,
    /// The money that the buyer was told they cost: another price now is refused.
    pub(super) quoted: Option<Decimal>,
    /// The number of the payment, where it is known already: of the cheque, of the purchase order.
    pub(super) payment_reference: Option<OptionalLine200>,
}

/// What the check of the credit said.
#[derive(Debug, Serialize, ToSchema)]
struct CreditBody {
    /// True when the customer may have the tokens before paying.
    approved: bool,
    /// Why not.
    reason: Option<String>,
}

/// An off-line order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OfflineAnswer {
    /// The order.
    token_order_id: field::TokenOrder,
    /// For whom.
    customer_id: field::Customer,
    /// The name by which people find it; the customer writes it on the payment.
    reference: String,
    /// Where it stands.
    state: OfflineStanding,
    /// How many tokens.
    tokens: Money,
    /// What they cost.
    price: Money,
    /// What they would cost without discounts.
    list_price: Money,
    /// The discounts that counted.
    discounts: Vec<DiscountBody>,
    /// The pack that was bought.
    pack: Option<field::Pack>,
    /// What the tokens may pay for; null for everything.
    restriction: Option<String>,
    /// How it is paid.
    means: OfflineMeans,
    /// How it came.
    channel: CustomerChannel,
    /// The number of the payment.
    payment_reference: String,
    /// Money that came.
    paid: Money,
    /// Money that is owed for tokens that were credited before payment.
    owed: Money,
    /// By when it is due; null before the order is accepted.
    due_at: Option<Moment>,
    /// Tokens that were taken back.
    taken_back: Money,
    /// What the check of the credit said; null where there was none.
    credit: Option<CreditBody>,
    /// Why it failed.
    reason: Option<String>,
    /// True when it made the account active.
    activated: bool,
    /// When it was opened.
    created_at: Moment,
    /// When it was accepted.
    accepted_at: Option<Moment>,
    /// When it was cleared, failed or cancelled.
    closed_at: Option<Moment>,
}

impl OfflineAnswer {
    pub(super) fn new(order: OfflineOrder, vendor: &Vendor) -> OfflineAnswer {
        let money = |amount| Money::new(amount, &vendor.currency);
        OfflineAnswer {
            token_order_id: field::Id(order.id),
            customer_id: field::Id(order.customer),
            reference: order.reference,
            state: field::Named(order.state),
            tokens: Money::new(order.quantity, &vendor.token),
            price: money(order.price),
            list_price: money(order.deal.list_price),
            discounts: order.deal.discounts.iter().map(DiscountBody::new).collect(),
            pack: order.deal.pack.map(|(id, _)| field::Id(id)),
            restriction: order.deal.restriction,
            means: field::Named(WithoutCard(order.means)),
            channel: field::Named(order.channel),
            payment_reference: order.payment_reference,
            paid: money(order.paid),
            owed: money(order.owed),
            due_at: order.due_at.map(Moment),
            taken_back: Money::new(order.taken_back, &vendor.token),
            credit: order.credit.map(|said| CreditBody {
                approved: said == Verdict::Approved,
                reason: match said {
                    Verdict::Approved => None,
                    Verdict::Declined(reason) => Some(reason),
                },
            }),
            reason: Some(order.reason).filter(|reason| !reason.is_empty()),
            activated: order.activated,
            created_at: Moment(order.created_at),
            accepted_at: order.accepted_at.map(Moment),
            closed_at: order.closed_at.map(Moment),
        }
    }
}

/// Money owed for tokens that were credited before payment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AgeingBody {
    /// Not due yet.
    current: Money,
    /// Overdue for up to 30 days.
    days_1_to_30: Money,
    /// For 31 to 60 days.
    days_31_to_60: Money,
    /// For 61 to 90 days.
    days_61_to_90: Money,
    /// For longer.
    days_over_90: Money,
    /// All of it.
    total: Money,
}

impl AgeingBody {
    pub(super) fn new(ageing: Ageing, vendor: &Vendor) -> AgeingBody {
        let money = |amount| Money::new(amount, &vendor.currency);
        AgeingBody {
            current: money(ageing.current),
            days_1_to_30: money(ageing.days_30),
            days_31_to_60: money(ageing.days_60),
            days_61_to_90: money(ageing.days_90),
            days_over_90: money(ageing.older),
            total: money(ageing.total),
        }
    }
}
