//! Sample pages around the shop: the way in, accounts, staff, states.

use super::selling::Line;
use super::{amount, look, now, of, page, shell, trio, with_list};
use crate::web::view::format::change;
use crate::web::view::{
    Action, Choice, Field, Look, Meter, NavItem, Notice, Pager, Shell, Shown, Step, Tone, Trio,
    When, Who,
};
use askama::Template;
use scrip_domain::vendor::{Hue, Mark};
use scrip_engine::Timestamp;

type Text = &'static str;
type Kind = (Text, Text, Text, Shown);
type Move = (When, Text, Text, Shown, String);
type Waiting = (Text, Text, Text, Shown, Text, Text, Text);

page!(Entrance, "styleguide/entrance.html" { minimum: Shown });
page!(Directory, "styleguide/directory.html" { shops: Vec<Look> });
page!(Question, "styleguide/question.html" { minimum: Shown });
page!(Register, "styleguide/register.html" { steps: Vec<Step>, you: Vec<Field>, street: Field, place: Vec<Field>, pin: Field });
page!(Pay, "styleguide/pay.html" { sets: Vec<Choice>, cards: Vec<Choice> });
page!(Account, "styleguide/account.html" { kinds: Vec<Kind>, ending: Notice, licenses: Vec<(&'static str, Meter)>, moves: Vec<Move>, pager: Pager });
page!(Staff, "styleguide/staff.html" { figures: Vec<(&'static str, Shown, &'static str)>, from: Field, orders: Vec<Waiting> });
page!(States, "styleguide/states.html" { lines: Vec<Line>, trio: Trio, money: String, full: Trio, short: Trio, unknown: Trio, notices: Vec<Notice>, pin: Field, tags: Vec<(&'static str, bool)> });

pub(super) fn entrance() -> Entrance {
    Entrance {
        shell: shell("Welcome", "/"),
        minimum: of("50"),
    }
}

pub(super) fn question() -> Question {
    Question {
        shell: shell("Your account", "/"),
        minimum: of("50"),
    }
}

pub(super) fn directory() -> Directory {
    let shops = [
        (
            "Northlight Software",
            "Software to keep and to rent.",
            Hue::Cobalt,
            Mark::Star,
        ),
        ("Hearth & Fern", "Home and garden.", Hue::Moss, Mark::Leaf),
        (
            "Ovenbird Bakery",
            "Bread, cakes, coffee.",
            Hue::Brick,
            Mark::Three,
        ),
        (
            "Kite Apparel",
            "Clothes for wind and rain.",
            Hue::Plum,
            Mark::Plus,
        ),
        (
            "Lumen Jewellery",
            "Rings, chains, stones.",
            Hue::Ochre,
            Mark::Square,
        ),
        (
            "Quayside Mall",
            "Eleven shops under one roof.",
            Hue::Teal,
            Mark::Diamond,
        ),
    ];
    Directory {
        shell: Shell::outside("Shops"),
        shops: shops
            .into_iter()
            .map(|(name, about, hue, mark)| look(name, about, hue, mark))
            .collect(),
    }
}

pub(super) fn register() -> Register {
    let mut shell = shell("Open an account", "/register");
    shell.who = None;
    shell.notice = Some(Notice::new(
        Tone::Bad,
        "Two fields need another look.",
        "Everything that you typed is still here, apart from the PIN.",
    ));
    Register {
        shell,
        steps: Step::trail(
            &["Information", "Details", "Payment", "Number", "Active"],
            1,
        ),
        you: vec![
            Field::text("name", "Name")
                .value("Ana Lind")
                .autocomplete("name")
                .max(120),
            Field::text("email", "E-mail")
                .kind("email")
                .value("ana@example")
                .error("This has no ending: write it like ana@example.com."),
            Field::text("phone", "Phone")
                .kind("tel")
                .autocomplete("tel")
                .optional(),
        ],
        street: Field::text("street", "Street and number").autocomplete("street-address"),
        place: vec![
            Field::text("postcode", "Postcode")
                .autocomplete("postal-code")
                .class("is-short"),
            Field::text("town", "Town").autocomplete("address-level2"),
        ],
        pin: Field::secret("pin", "PIN", "new-password")
            .class("is-pin")
            .help("4 to 12 digits. You type it at every purchase in a shop.")
            .error("The PIN has 4 digits at least; this has 3."),
    }
}

pub(super) fn pay() -> Pay {
    let mut shell = shell("Buy tokens", "/tokens");
    shell.notice = Some(
        Notice::new(
            Tone::Bad,
            "Your card was declined.",
            "No tokens were bought and your list is kept. Two tries are left.",
        )
        .action("Pay another way", "/tokens/other"),
    );
    let card = |value, label, note, on| {
        Choice::new("card", value, label, on)
            .note(note)
            .icon("i-card")
    };
    Pay {
        shell,
        sets: vec![
            Choice::new("n", "200", "200 tokens", false).note("single price"),
            Choice::new("n", "gold", "Gold set, 200", true).note("10 % off"),
            Choice::new("n", "other", "Another number", false),
        ],
        cards: vec![
            card("4242", "Card ending 4242", "Test card: pays at once", true),
            card("0002", "Card ending 0002", "Test card: is declined", false),
            Choice::new("card", "cheque", "Cheque or money order", false)
                .note("Credited when it arrives, usually in 3 working days")
                .icon("i-cheque"),
        ],
    }
}

fn left(part: &str, left: &str, words: &str) -> Meter {
    Meter {
        part: part.to_owned(),
        left: left.to_owned(),
        words: words.to_owned(),
    }
}

pub(super) fn account() -> Account {
    let day = |text: &str| When::day_near(Timestamp::parse(text).unwrap(), now());
    let moved = |at, what, reference, by: &str, left: &str| {
        (
            day(at),
            what,
            reference,
            change(amount(by)),
            of(left).number,
        )
    };
    Account {
        shell: shell("Your account", "/account"),
        kinds: vec![
            ("k-paid", "Paid", "bought and settled", of("330")),
            ("k-credit", "Credit", "pay invoice 2031 by 3 Dec", of("100")),
            ("k-free", "Free", "gifts; spent here only", of("40")),
            ("k-only", "Restricted", "sale items only", of("30")),
        ],
        ending: Notice::new(
            Tone::Warn,
            "40 free tokens end on 30 November.",
            "They are spent first, so your next order uses them.",
        ),
        licenses: vec![
            (
                "Software D",
                left("64%", "640", "of 1,000 processings left"),
            ),
            ("Software B", left("40%", "12", "of 30 days left")),
            ("Software C", left("6%", "3", "of 50 uses left")),
        ],
        moves: vec![
            moved(
                "2026-11-21T09:00:00Z",
                "Gold set, card ending 4242",
                "ord 88120",
                "200",
                "500",
            ),
            moved(
                "2026-11-19T09:00:00Z",
                "Software C, 50 uses",
                "ord 88057",
                "-40",
                "300",
            ),
            moved(
                "2026-11-12T09:00:00Z",
                "From Jonas Lind",
                "transfer",
                "60",
                "300",
            ),
            moved(
                "2025-12-30T09:00:00Z",
                "Software B, 30 days",
                "ord 87711",
                "-24",
                "140",
            ),
        ],
        pager: Pager {
            text: "The latest 4 movements".to_owned(),
            previous: None,
            next: Some(Action {
                label: "Show earlier movements".to_owned(),
                href: "?before=1".to_owned(),
            }),
        },
    }
}

pub(super) fn staff() -> Staff {
    let mut shell = shell("Today", "/staff");
    shell.look = Some(look(
        "Northlight Software",
        "staff",
        Hue::Cobalt,
        Mark::Star,
    ));
    shell.nav = [
        "Today",
        "Customers",
        "Orders",
        "Tokens",
        "Catalogue",
        "Reports",
    ]
    .map(|label| NavItem::new(label, format!("/staff/{label}"), "/staff/Today"))
    .to_vec();
    shell.who = Some(Who {
        label: "Priya, cashier and clearing".to_owned(),
        tokens: None,
        href: String::new(),
    });
    Staff {
        shell,
        figures: vec![
            ("Tokens sold", of("4320"), "tokens, for $398.20"),
            ("Tokens spent", of("3615"), "tokens, in 148 orders"),
            ("Outstanding", of("25370"), "tokens, $2,537.00 at face"),
        ],
        from: Field::text("from", "From").kind("date"),
        orders: vec![
            (
                "TO-5521",
                "Mara Okafor",
                "Cheque 00341",
                of("300"),
                "4 days",
                "Waiting for cheque",
                "status waits",
            ),
            (
                "TO-5510",
                "Ana Lind",
                "Money order",
                of("100"),
                "9 days",
                "Overdue 2 days",
                "status bad",
            ),
            (
                "TO-5508",
                "J. Smith, Hull",
                "Fax, cheque 1180",
                of("200"),
                "11 days",
                "Returned by bank",
                "status stopped bad",
            ),
        ],
    }
}

pub(super) fn states() -> States {
    let list = trio("0", "500");
    States {
        shell: with_list("States", "/states", &list),
        lines: Vec::new(),
        trio: list,
        money: "$0.00".to_owned(),
        full: trio("180", "500"),
        short: trio("12700", "500.25"),
        unknown: Trio::of(amount("180"), None),
        notices: vec![
            Notice::new(
                Tone::Bad,
                "The till is off line.",
                "Sales up to 20 tokens per customer go on.",
            ),
            Notice::new(
                Tone::Warn,
                "Your account is not active yet.",
                "It needs 50 tokens; you have 20.",
            )
            .action("Buy 30 tokens", "/tokens")
            .action("Why", "/why"),
            Notice::new(
                Tone::Good,
                "80 tokens arrived.",
                "From Jonas Lind. You now have 580 tokens.",
            ),
            Notice::new(Tone::Note, "Prices change on 1 December.", ""),
        ],
        pin: Field::secret("pin", "PIN", "current-password")
            .error("The PIN has 4 digits; this has 3."),
        tags: vec![("Ticked", true), ("Not ticked", false)],
    }
}
