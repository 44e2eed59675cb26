//! What Stripe says of a card, in words for its owner.

/// Why a card was declined: the code of the bank, else that of Stripe.
pub fn declined(decline: &str, code: &str) -> &'static str {
    let known = |code| {
        Some(match code {
            "insufficient_funds" => "there is not enough money on this card: use another card",
            "expired_card" | "invalid_expiry_month" | "invalid_expiry_year" => {
                "this card has expired: use another card"
            }
            "incorrect_cvc" | "invalid_cvc" => {
                "the security code does not belong to this card: enter the card again"
            }
            "incorrect_number" | "invalid_number" => {
                "this is no number of a card: enter the card again"
            }
            "incorrect_zip" | "incorrect_address" => {
                "the address does not belong to this card: enter the card again"
            }
            "card_not_supported" | "currency_not_supported" | "transaction_not_allowed" => {
                "this card does not pay for purchases like this one: use another card"
            }
            "card_velocity_exceeded" | "withdrawal_count_limit_exceeded" => {
                "this card has paid as much as it may for now: use another card"
            }
            "authentication_required"
            | "payment_intent_authentication_failure"
            | "card_error_authentication_required" => {
                "the bank wants you to confirm this payment, and that was not done: try again and \
                 confirm it"
            }
            "lost_card" | "stolen_card" | "pickup_card" | "restricted_card" | "fraudulent"
            | "merchant_blacklist" | "do_not_honor" | "generic_decline" | "call_issuer"
            | "no_action_taken" | "not_permitted" => {
                "the bank declined this card and does not say why: use another card, or ask the bank"
            }
            "processing_error"
            | "try_again_later"
            | "reenter_transaction"
            | "issuer_not_available" => {
                "the bank could not answer just now: try again in a few minutes"
            }
            "testmode_decline" | "live_mode_test_card" => {
                "this is a card for tests: use a real one"
            }
            _ => return None,
        })
    };
    known(decline)
        .or_else(|| known(code))
        .unwrap_or("the card was declined: use another card")
}

/// The shop itself cannot take cards now; nothing was charged.
pub const NOT_NOW: &str = "this shop cannot take cards at the moment: nothing was charged, pay \
                           another way or come back later";
/// The payment did not arrive, and now never will.
pub const NEVER_ARRIVED: &str =
    "the payment did not reach the card processor, and nothing was charged: try again";
/// The customer did not answer the bank.
pub const NOT_CONFIRMED: &str =
    "the bank wants you to confirm this payment, and that was not done: try again and confirm it";
/// A card that was entered is no card of Stripe.
pub const NO_CARD: &str = "this card is not known: enter it again";
/// Money did not go back.
pub const NOT_BACK: &str = "it could not pay the money back: pay it another way";

/// Why money does not go back, for staff.
pub fn not_back(code: &str) -> &'static str {
    match code {
        "charge_disputed" => {
            "the payment is disputed: answer the dispute at the processor, nothing is paid back"
        }
        "balance_insufficient" | "insufficient_funds" => {
            "there is not enough money in the account there: fill it up and try again"
        }
        "charge_expired_for_refund" => "the payment is too old: pay it back another way",
        _ => NOT_BACK,
    }
}
