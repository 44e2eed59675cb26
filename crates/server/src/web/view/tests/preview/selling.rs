//! Sample pages of a shop: what is sold, the order list, the confirmation, the receipt.

use super::{amount, look, now, of, page, shell, trio, with_list};
use crate::web::view::format::change;
use crate::web::view::{Action, Choice, Pager, Shell, Shown, Trio, When, art};
use askama::Template;
use scrip_domain::vendor::{Hue, Mark, Sells};

pub(super) struct Line {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) note: &'static str,
    pub(super) price: Shown,
    pub(super) ticked: bool,
}

struct Cell {
    id: &'static str,
    kind: &'static str,
    what: &'static str,
    price: Shown,
    ticked: bool,
}

struct Row {
    title: &'static str,
    about: &'static str,
    cells: Vec<Option<Cell>>,
}

struct Item {
    title: &'static str,
    art: &'static str,
    stock: &'static str,
    flag: &'static str,
    icon: &'static str,
    price: Shown,
    money: String,
}

page!(Shop, "styleguide/shop.html" { lines: Vec<Line>, trio: Trio, money: String, tags: Vec<(&'static str, bool)>, rows: Vec<Row>, tiers: Vec<Choice> });
page!(Goods, "styleguide/goods.html" { lines: Vec<Line>, trio: Trio, money: String, tags: Vec<(&'static str, bool)>, items: Vec<Item>, pager: Pager });
page!(Confirm, "styleguide/confirm.html" { lines: Vec<Line>, when: When, ways: Vec<Choice>, available: Shown, required: Shown, left: Shown, trio: Trio });
page!(Receipt, "styleguide/receipt.html" { lines: Vec<Line>, when: When, left: Shown, trio: Trio });

fn line(id: &'static str, title: &'static str, note: &'static str, price: &str) -> Line {
    Line {
        id,
        title,
        note,
        price: of(price),
        ticked: true,
    }
}

fn cell(id: &'static str, kind: &'static str, what: &'static str, price: &str) -> Option<Cell> {
    Some(Cell {
        id,
        kind,
        what,
        price: of(price),
        ticked: matches!(id, "a" | "d"),
    })
}

pub(super) fn shop() -> Shop {
    let list = trio("180", "500");
    let row = |title, about, cells| Row {
        title,
        about,
        cells,
    };
    Shop {
        shell: with_list("Software", "/shop", &list),
        lines: vec![
            line("a", "Software A", "Purchase", "100"),
            line("d", "Software D", "Rent, 1,000 processings", "80"),
        ],
        trio: list,
        money: "$18.00".to_owned(),
        tags: vec![
            ("Drawing", true),
            ("Accounts", false),
            ("Photo", true),
            ("Sound", false),
            ("Small tools", false),
        ],
        rows: vec![
            row(
                "Software A",
                "Floor plans, 2D and 3D.",
                vec![cell("a", "Purchase", "for good", "100"), None, None, None],
            ),
            row(
                "Software B",
                "Photo library, 120 MB.",
                vec![
                    cell("b", "Purchase", "for good", "240"),
                    cell("bt", "Rent", "30 days", "24"),
                    None,
                    None,
                ],
            ),
            row(
                "Software C",
                "Cutting lists for timber.",
                vec![
                    cell("c", "Purchase", "for good", "160"),
                    None,
                    cell("cu", "Rent", "50 uses", "40"),
                    None,
                ],
            ),
            row(
                "Software D",
                "Batch conversion of scans.",
                vec![None, None, None, cell("d", "Rent", "1,000 jobs", "80")],
            ),
        ],
        tiers: vec![
            Choice::new("tier", "100", "Up to 100", false).tokens(of("10")),
            Choice::new("tier", "1000", "Up to 1,000", true).tokens(of("80")),
            Choice::new("tier", "10000", "Up to 10,000", false).tokens(of("600")),
        ],
    }
}

fn items() -> Vec<Item> {
    let item = |(title, stock, price, money): (&'static str, _, &str, &str)| Item {
        title,
        art: art::art(title, "", Sells::Goods),
        stock,
        flag: "",
        icon: "",
        price: of(price),
        money: money.to_owned(),
    };
    let mut items: Vec<Item> = [
        ("Clay plant pot", "4 sizes, in stock", "100", "$10.00"),
        ("Yellow watering can", "In stock", "410", "$41.00"),
        ("Gardening hand trowel", "Only 2 left", "110", "$11.00"),
        ("Biodegradable pots, 12", "In stock", "100", "$10.00"),
        ("Wooden outdoor table", "Ships in 3 days", "1000", "$100.00"),
        ("Copper light", "In stock", "600", "$60.00"),
        ("Cream sofa", "Made to order, 4 weeks", "5000", "$500.00"),
        ("Antique drawers", "One of a kind", "2500", "$250.00"),
        ("Knitted throw pillows", "In stock", "200", "$20.00"),
    ]
    .map(item)
    .into();
    (items[2].flag, items[2].icon) = ("Low stock", "i-warn");
    (items[3].flag, items[3].icon) = ("On sale", "k-only");
    items
}

pub(super) fn goods() -> Goods {
    let list = trio("610", "860");
    let mut shell = with_list("Home and garden", "/shop", &list);
    shell.look = Some(look("Hearth & Fern", "", Hue::Moss, Mark::Leaf));
    Goods {
        lines: vec![
            line("can", "Yellow watering can", "1 piece, $41.00", "410"),
            line(
                "pot",
                "Clay plant pot, 14 cm",
                "2 pieces at 100 tokens, $20.00",
                "200",
            ),
        ],
        money: "$61.00".to_owned(),
        trio: list,
        tags: vec![
            ("Plants", true),
            ("Garden", true),
            ("Bedroom", false),
            ("Wood", true),
        ],
        items: items(),
        pager: Pager {
            text: "1 to 9 of 20 products".to_owned(),
            previous: None,
            next: Some(Action {
                label: "Next 9".to_owned(),
                href: "?after=9".to_owned(),
            }),
        },
        shell,
    }
}

pub(super) fn confirm() -> Confirm {
    Confirm {
        shell: shell("Confirm your order", "/confirm"),
        lines: vec![
            line("a", "Software A, purchase", "", "100"),
            line("d", "Software D, 1,000 processings", "", "80"),
        ],
        when: When::minute(now()),
        ways: vec![
            Choice::new("way", "all", "Download and code", true).note("86 MB, about 1 minute"),
            Choice::new("way", "code", "Code only", false).note("It is already on this computer"),
        ],
        available: of("500"),
        required: change(amount("-180")),
        left: of("320"),
        trio: trio("180", "500"),
    }
}

pub(super) fn receipt() -> Receipt {
    Receipt {
        shell: shell("Thank you", "/receipt"),
        lines: vec![
            line("a", "Software A", "Code SCRP-7Q2M-A4KD", "100"),
            line("d", "Software D", "Code SCRP-D19X-PP0V", "80"),
        ],
        when: When::minute(now()),
        left: of("320"),
        trio: trio("180", "500"),
    }
}
