//! The list itself.

use super::{Kind, Setting, Word};

const NEED: &[Word] = &[
    ("hidden", "not asked"),
    ("optional", "may stay empty"),
    ("required", "must be filled in"),
];
const MEANS: &[Word] = &[
    ("card", "card"),
    ("check", "check"),
    ("money_order", "money order"),
    ("purchase_order", "purchase order"),
    ("bill_me", "invoice"),
    ("cash", "cash"),
];
const LANGUAGE: &[Word] = &[("en", "English"), ("de", "German")];
const SENSITIVE: &[Word] = &[
    ("pin_change", "changing the PIN"),
    ("person_change", "changing personal data"),
    ("closing", "closing or erasing the account"),
    ("offline_order", "an order by phone, fax or letter"),
];

const PARTS: &[Word] = &[
    ("prices", "prices"),
    ("description", "descriptions"),
    ("images", "pictures"),
    ("stock", "how many are left"),
    ("manufacturer", "who made it"),
    ("download", "sizes of downloads"),
];

const fn setting(
    path: &'static str,
    group: &'static str,
    label: &'static str,
    help: &'static str,
    kind: Kind,
) -> Setting {
    Setting {
        path,
        group,
        label,
        help,
        kind,
    }
}

/// Every field of the policy, in the order of the page; those of one group stand together.
pub const SETTINGS: &[Setting] = &[
    setting(
        "registration.fields.name",
        "Registration",
        "Name",
        "",
        Kind::One(NEED),
    ),
    setting(
        "registration.fields.address",
        "Registration",
        "Postal address",
        "",
        Kind::One(NEED),
    ),
    setting(
        "registration.fields.phone",
        "Registration",
        "Telephone number",
        "",
        Kind::One(NEED),
    ),
    setting(
        "registration.fields.fax",
        "Registration",
        "Fax number",
        "",
        Kind::One(NEED),
    ),
    setting(
        "registration.fields.email",
        "Registration",
        "E-mail address",
        "Without one, nobody can be sent a message.",
        Kind::One(NEED),
    ),
    setting(
        "registration.unfinished_s",
        "Registration",
        "Time to finish a registration",
        "Afterwards what was typed is erased.",
        Kind::Number("seconds"),
    ),
    setting(
        "registration.opening_tokens",
        "Registration",
        "Tokens for a new account",
        "Each new account is given so many.",
        Kind::Tokens,
    ),
    setting(
        "registration.opening_fee",
        "Registration",
        "Fee for opening an account",
        "What the tokens for a new account cost; 0 when they are free.",
        Kind::Money,
    ),
    setting(
        "registration.means_online",
        "Registration",
        "Ways to pay for those who register here",
        "",
        Kind::Many(MEANS),
    ),
    setting(
        "registration.means_offline",
        "Registration",
        "Ways to pay for those whom staff register",
        "",
        Kind::Many(MEANS),
    ),
    setting(
        "registration.questions",
        "Checks",
        "Questions",
        "One on each line, 5 at most. A new customer answers them; staff and pages ask again \
         before what is ticked below.",
        Kind::Lines,
    ),
    setting(
        "registration.step_up",
        "Checks",
        "What needs an answer",
        "",
        Kind::Many(SENSITIVE),
    ),
    setting(
        "sign_in.secrets",
        "Signing in",
        "Customers show who they are with",
        "Beside their account number or sign-in name. Who has no password yet chooses one with a \
         code from staff. One-time codes are each customer's own choice.",
        Kind::One(&[
            ("either", "the PIN or the password, as they like"),
            ("pin", "the PIN"),
            ("password", "the password"),
            ("both", "the PIN and the password"),
        ]),
    ),
    setting(
        "sale.credit_point",
        "Selling tokens",
        "Tokens that are ordered off line are credited",
        "",
        Kind::One(&[
            ("acceptance", "when staff accept the order"),
            ("receipt", "when the money is there"),
        ]),
    ),
    setting(
        "sale.stacking",
        "Selling tokens",
        "Discounts add up",
        "Otherwise the best single one counts.",
        Kind::Flag,
    ),
    setting(
        "sale.life_days",
        "Selling tokens",
        "Life of bought tokens",
        "Empty: they never end. Tokens that were sold keep what they were sold with.",
        Kind::MaybeNumber("days"),
    ),
    setting(
        "sale.credit_check",
        "Selling tokens",
        "Ways to pay for which credit is checked",
        "Before staff accept an order that is paid so.",
        Kind::Many(MEANS),
    ),
    setting(
        "sale.credit_limit",
        "Selling tokens",
        "Money that a customer may owe",
        "Empty: without a limit.",
        Kind::MaybeMoney,
    ),
    setting(
        "sale.due_days",
        "Selling tokens",
        "Time to pay an off-line order",
        "From its acceptance on; afterwards it is overdue.",
        Kind::Number("days"),
    ),
    setting(
        "sale.payment_address",
        "Selling tokens",
        "Where payments are sent to",
        "Printed with the instructions of an off-line order.",
        Kind::Text,
    ),
    setting(
        "sale.payment_account",
        "Selling tokens",
        "The account that money is paid to",
        "Printed with it.",
        Kind::Text,
    ),
    setting(
        "gifts.life_days",
        "Free tokens",
        "Free tokens live",
        "Empty: for ever. Tokens that are there already keep their time.",
        Kind::MaybeNumber("days"),
    ),
    setting(
        "gifts.loyalty_every",
        "Free tokens",
        "A reward for so many tokens spent",
        "0: no rewards. What was spent earlier does not count.",
        Kind::Tokens,
    ),
    setting(
        "gifts.loyalty_tokens",
        "Free tokens",
        "Tokens of a reward",
        "",
        Kind::Tokens,
    ),
    setting(
        "gifts.loyalty_after_days",
        "Free tokens",
        "An order counts for rewards after",
        "What was given back by then does not count.",
        Kind::Number("days"),
    ),
    setting(
        "gifts.interest_rate",
        "Free tokens",
        "Gift to balances that lie idle",
        "Of the balance, once a period. 0: none.",
        Kind::Number("hundredths of a percent"),
    ),
    setting(
        "gifts.interest_days",
        "Free tokens",
        "Length of a period",
        "",
        Kind::Number("days"),
    ),
    setting(
        "gifts.interest_idle_days",
        "Free tokens",
        "A balance lies idle after",
        "Without any movement.",
        Kind::Number("days"),
    ),
    setting(
        "browsing.threshold",
        "Browsing",
        "Tokens with which ordering begins",
        "Empty: as many as the cheapest offer costs.",
        Kind::MaybeTokens,
    ),
    setting(
        "browsing.below",
        "Browsing",
        "Customers with fewer are not told",
        "Sorting and filtering by it is hidden too.",
        Kind::Many(PARTS),
    ),
    setting(
        "browsing.open_prices",
        "Browsing",
        "Prices are shown to those without an active account too",
        "",
        Kind::Flag,
    ),
    setting(
        "browsing.register_first",
        "Browsing",
        "Only those who are registered look around",
        "",
        Kind::Flag,
    ),
    setting(
        "checkout.card",
        "Orders",
        "An order can be paid by card instead of tokens",
        "The price in money then stands beside the tokens, which stay as they are. Accounts need \
         the tokens with which ordering begins all the same. Who is in the middle of the page when \
         this is withdrawn is told, and not charged.",
        Kind::Flag,
    ),
    setting(
        "checkout.cash_shown",
        "Orders",
        "A cash figure stands beside tokens",
        "",
        Kind::Flag,
    ),
    setting(
        "checkout.reserve_minutes",
        "Orders",
        "Pieces on an order list are reserved for",
        "Where pieces are counted. 0: not at all; a day at most.",
        Kind::Number("minutes"),
    ),
    setting(
        "checkout.reserve_pieces",
        "Orders",
        "Reserved of one offer for one customer at most",
        "And never more than the customer's tokens pay for.",
        Kind::Number("pieces"),
    ),
    setting(
        "tax.rates",
        "Taxes",
        "Rates of the taxes in your prices",
        "One on each line: a name and a percentage, then after a colon the categories that it is \
         for, with semicolons between. VAT 19%, or VAT 7%: Books; Food. One without categories is \
         for everything else. Orders keep the rate that they were sold at.",
        Kind::Lines,
    ),
    setting(
        "promotions.stacking",
        "Promotions",
        "Promotions add up",
        "Otherwise the best single price counts.",
        Kind::Flag,
    ),
    setting(
        "promotions.uses_back",
        "Promotions",
        "An order that goes back whole gives its coupon back",
        "",
        Kind::Flag,
    ),
    setting(
        "messages.language",
        "Messages",
        "Customers who chose no language are written to in",
        "",
        Kind::One(LANGUAGE),
    ),
    setting(
        "messages.low_balance",
        "Messages",
        "Customers are told when they have fewer tokens than",
        "Empty: never.",
        Kind::MaybeTokens,
    ),
    setting(
        "messages.expiry_notice_days",
        "Messages",
        "Notice before tokens end",
        "0: no notice.",
        Kind::Number("days"),
    ),
    setting(
        "time_zone",
        "The shop",
        "Time zone",
        "As in the IANA database, for example Europe/Berlin.",
        Kind::Line,
    ),
    setting(
        "contact.email",
        "The shop",
        "E-mail address for customers",
        "Stands at the foot of the shop and where registering by phone or mail is explained.",
        Kind::Line,
    ),
    setting(
        "contact.phone",
        "The shop",
        "Telephone number for customers",
        "",
        Kind::Line,
    ),
    setting(
        "contact.address",
        "The shop",
        "Postal address for customers",
        "",
        Kind::Text,
    ),
];
