//! Status 409: it was understood, and does not go with how things stand.

use super::{Kind, kind};

/// In the order of their codes.
pub const CONFLICTS: &[Kind] = &[
    kind(
        409,
        "account_cannot_exchange",
        "The account is not active, is a child's, or is closed at the other vendor.",
    ),
    kind(409, "account_closed", "The account is closed."),
    kind(
        409,
        "account_inactive",
        "The account is not active yet: it needs the minimum number of tokens first. Nothing was debited.",
    ),
    kind(
        409,
        "account_not_empty",
        "The account has tokens, so it cannot be closed.",
    ),
    kind(
        409,
        "account_unfinished",
        "Something of the account waits to be finished, so it cannot be closed.",
    ),
    kind(
        409,
        "answered_before",
        "The customer answered the questions before: an answer is needed, not new ones.",
    ),
    kind(
        409,
        "below_threshold",
        "The account has fewer tokens than ordering begins with at this shop. Nothing was debited; a refused order has threshold and available.",
    ),
    kind(
        409,
        "card_not_taken",
        "Orders are not paid by card at this shop now. Nothing was charged. Pay with tokens.",
    ),
    kind(
        409,
        "card_withdrawn",
        "The kept card has expired, or the card processor has it no longer. Choose another one.",
    ),
    kind(
        409,
        "cards_too_many",
        "The account keeps as many cards as it may. Remove one first.",
    ),
    kind(
        409,
        "changed_meanwhile",
        "Somebody else changed this meanwhile. Look at what stands there now.",
    ),
    kind(
        409,
        "clearing_paid",
        "What the clearing came to was paid already, or there is nothing to pay. Look at the invoices.",
    ),
    kind(409, "coupon_code_taken", "Another coupon has this code."),
    kind(409, "coupon_refused", "`why` says why it takes nothing."),
    kind(409, "coupon_without_codes", "It has no codes to issue."),
    kind(
        409,
        "deposit_short",
        "The issuer of these tokens settles from its deposit at the mall, which does not cover this at present. Nothing moved: pay with other tokens, or try again later.",
    ),
    kind(
        409,
        "dispute_over",
        "It was decided before, the money came back, or none of the tokens are left. Look at what stands there.",
    ),
    kind(
        409,
        "family_impossible",
        "These two accounts cannot be parent and child.",
    ),
    kind(
        409,
        "family_not_invited",
        "No invitation of this parent waits for the account.",
    ),
    kind(
        409,
        "franchise",
        "The franchise stands in the way: its parent fixes the value, or the vendor is in none or another one.",
    ),
    kind(
        409,
        "gift_code_unknown",
        "No gift certificate can be had by this code: it is unknown, entered by somebody else, spent or expired.",
    ),
    kind(
        409,
        "gift_gone",
        "A gift certificate was spent by another purchase meanwhile. Nothing was debited. Order again.",
    ),
    kind(
        409,
        "given_before",
        "The customer was given this before; it is given once.",
    ),
    kind(
        409,
        "in_dispute",
        "A dispute about this line is open, or it was answered already. Look at the disputes.",
    ),
    kind(
        409,
        "issue_stopped",
        "The mall has suspended the vendor: it issues no tokens until it is back.",
    ),
    kind(
        409,
        "kept_lists_full",
        "A customer keeps at most 20 order lists under names. Forget one.",
    ),
    kind(
        409,
        "last_owner",
        "Nobody else could let people in: make another person an owner first.",
    ),
    kind(
        409,
        "link_impossible",
        "These two accounts cannot be linked: they must be two of this vendor, neither a child's, with ten links at most.",
    ),
    kind(
        409,
        "listed_by_another",
        "The product is on another manufacturer's list.",
    ),
    kind(409, "login_taken", "Somebody else has this sign-in name."),
    kind(
        409,
        "mall_outside",
        "The two vendors belong to no common mall: tokens cannot pass between them.",
    ),
    kind(
        409,
        "member_cut_off",
        "The mall has suspended one of the vendors, or it has left. Nothing passes until it is back.",
    ),
    kind(
        409,
        "message_conflict",
        "The message is on its way, or may have arrived: it is not sent again.",
    ),
    kind(409, "name_taken", "The name is taken."),
    kind(
        409,
        "no_manufacturer",
        "Only manufacturers have tokens and products of this kind.",
    ),
    kind(
        409,
        "not_for_sale",
        "An offer is not sold any more. Nothing was debited.",
    ),
    kind(
        409,
        "not_linked",
        "The account is not linked with the one that was signed in to, or no longer.",
    ),
    kind(
        409,
        "not_now",
        "This cannot be done at the moment; the problem says why.",
    ),
    kind(
        409,
        "nothing_owed",
        "Nothing is owed for these tokens: they were paid for, were given, or another vendor issued them.",
    ),
    kind(
        409,
        "nothing_to_refund",
        "Nothing of the order is left to refund.",
    ),
    kind(
        409,
        "order_list_full",
        "The order list has as many lines as one can have.",
    ),
    kind(
        409,
        "out_of_stock",
        "There are too few pieces of an offer. Nothing was debited; the problem has on_hand.",
    ),
    kind(
        409,
        "outside_group",
        "The vendor does not belong to the group: it neither issues nor takes its tokens.",
    ),
    kind(
        409,
        "payback_over",
        "The money was paid back before. Nothing was paid now.",
    ),
    kind(
        409,
        "payback_under_way",
        "The card processor was asked to pay the money back and has not answered. It is asked again; do not pay another way meanwhile.",
    ),
    kind(
        409,
        "payment_session_over",
        "The series of attempts to pay is over. Begin another.",
    ),
    kind(
        409,
        "payment_switched",
        "What pays for this order was changed before; that is done once. Nothing changed.",
    ),
    kind(
        409,
        "payment_taken_back",
        "The payment was taken back before.",
    ),
    kind(
        409,
        "payment_under_way",
        "An attempt to pay is under way. Wait for its outcome.",
    ),
    kind(
        409,
        "period_booked",
        "Revenue is booked to a later day already. What is entered late comes with the next booking.",
    ),
    kind(
        409,
        "period_open",
        "The period is not over. Revenue is booked when its last day has passed.",
    ),
    kind(
        409,
        "person_erased",
        "The personal data of this account was erased; nothing can be kept of it.",
    ),
    kind(
        409,
        "price_changed",
        "A price is not the one that was quoted. Nothing was debited; the problem has quoted and now.",
    ),
    kind(409, "promotion_begun", "It has begun: stop it instead."),
    kind(409, "promotions_full", "Too many are open at once."),
    kind(
        409,
        "quota_short",
        "The mall lets the vendor issue fewer tokens than these. Nothing was charged.",
    ),
    kind(
        409,
        "quote_lapsed",
        "The quote does not hold any more. Ask for a new one.",
    ),
    kind(
        409,
        "quote_used",
        "The exchange was done under this quote already. Ask for a new one to exchange more.",
    ),
    kind(409, "reference_taken", "The reference was used before."),
    kind(
        409,
        "refund_by_processor",
        "A card paid, and its money went back at the card processor already, or is disputed there. Settle the rest there.",
    ),
    kind(
        409,
        "refund_declined",
        "A refund of the order was declined, which is final.",
    ),
    kind(
        409,
        "refund_too_large",
        "Fewer pieces of a line are left than should be refunded.",
    ),
    kind(
        409,
        "reserved",
        "Others have reserved pieces of an offer for a while. Nothing was debited; the problem has \
         on_hand, what can be had, and reserved.",
    ),
    kind(
        409,
        "second_factor_on",
        "One-time codes are asked for already. Turn them off first, with a code.",
    ),
    kind(
        409,
        "settings_changed",
        "Somebody changed the settings since they were read. Read them and change them again.",
    ),
    kind(
        409,
        "shipment_moved",
        "Somebody moved the parcel meanwhile. The problem has the state that it is in now.",
    ),
    kind(
        409,
        "shipment_step",
        "The parcel cannot come from its state to this one.",
    ),
    kind(
        409,
        "staff_ended",
        "The person does not work here any more.",
    ),
    kind(
        409,
        "stale",
        "Somebody changed it since it was looked at. Look at what holds now.",
    ),
    kind(
        409,
        "stock_not_counted",
        "The pieces of the offer are not counted.",
    ),
    kind(
        409,
        "surplus_spent",
        "Universal tokens that a certificate left over were spent, so the payment cannot be taken back.",
    ),
    kind(
        409,
        "token_order_over",
        "The order of tokens is accepted, cleared, failed or cancelled already.",
    ),
    kind(
        409,
        "tokens_do_not_pass",
        "The mall keeps these tokens at home, or the other vendor does not take them.",
    ),
    kind(
        409,
        "tokens_only",
        "A coupon or a limited promotion takes something off, which counts with tokens alone. Pay with tokens, or leave the coupon out.",
    ),
    kind(
        409,
        "tokens_too_few",
        "The account has fewer tokens than are to be moved or taken back.",
    ),
    kind(
        409,
        "too_few_tokens",
        "The account has fewer tokens that may leave their vendor than were to be exchanged.",
    ),
    kind(
        409,
        "too_many_open",
        "The customer has many orders open. Cancel one, or accept them first.",
    ),
    kind(
        409,
        "type_cannot_pay",
        "These tokens cannot pay for all of the order. Nothing changed.",
    ),
    kind(
        409,
        "under_way",
        "The first request under this idempotency key has no outcome yet. Repeat it in a moment.",
    ),
    kind(
        409,
        "webhook_conflict",
        "The webhook endpoint is disabled, or there are as many as a vendor may have.",
    ),
    kind(
        409,
        "wrong_stage",
        "The registration or account is at another stage.",
    ),
];
