//! The catalogue in the pages of staff, and what customers see of it: products, offers, stock,
//! pictures, imports.

use crate::club::{Club, PNG, hidden, says};
use crate::pages_order::put;
use crate::visitor::Visitor;
use scrip_testkit::TestDb;
use std::time::Duration;

both!(
    staff_enter_a_product_with_offers_and_stock,
    pictures_come_from_our_own_origin,
    variants_are_chosen_by_their_options,
    a_file_is_looked_through_entered_and_undone_in_pages,
    what_is_on_lists_is_said_before_and_after,
    only_some_roles_change_the_catalogue,
);

const STAFF: &str = "/shops/club/staff";

fn enter(staff: &Visitor, title: &str, more: &[(&str, &str)]) -> String {
    let new = format!("{STAFF}/products/new");
    let page = staff.get(&new);
    let key = hidden(page.page(200), "key");
    let mut fields = vec![
        ("key", key.as_str()),
        ("title", title),
        ("delivery", "usual"),
    ];
    fields.extend(more);
    let done = staff.post(&new, &fields);
    let at = done.see().to_owned();
    at.strip_suffix("?done=kept").unwrap().to_owned()
}

fn offer(staff: &Visitor, at: &str, fields: &[(&str, &str)]) {
    let page = staff.get(&format!("{at}/offers"));
    let key = hidden(page.page(200), "key");
    let mut all = vec![
        ("key", key.as_str()),
        ("kind", "purchase"),
        ("active", "yes"),
    ];
    all.extend(fields);
    assert!(
        staff
            .post(&format!("{at}/offers"), &all)
            .see()
            .ends_with("?done=offer")
    );
}

/// SHP-09: entered, changed, taken off sale and brought back; a price of zero; stale changes.
fn staff_enter_a_product_with_offers_and_stock(db: &TestDb) {
    let club = Club::start(db);
    let staff = club.staff("manager");
    let at = enter(
        &staff,
        "Clay pot",
        &[("handle", "pot"), ("description", "One.\r\nTwo.")],
    );
    says(&staff.get(&at), 200, &["Nothing can be bought yet"]);
    offer(
        &staff,
        &at,
        &[("sku", "pot-1"), ("price", "0"), ("stock", "3")],
    );
    let shop = club.visitor();
    says(
        &shop.get("/shops/club/shop/p/pot"),
        200,
        &["Clay pot", "One.\nTwo.", "In stock, 3 left"],
    );
    let page = staff.get(&at);
    let offer_at = page.page(200).split("/offers/off_").nth(1).unwrap();
    let offer_at = format!("{at}/offers/off_{}", offer_at.split('"').next().unwrap());
    let page = staff.get(&offer_at);
    let (key, had) = (hidden(page.page(200), "key"), hidden(&page.text, "had"));
    let stock = format!("{offer_at}/stock");
    let fields = [
        ("key", key.as_str()),
        ("had", had.as_str()),
        ("has", "2"),
        ("reason", "one broke"),
    ];
    assert!(staff.post(&stock, &fields).see().ends_with("?done=counted"));
    says(
        &staff.get(&offer_at),
        200,
        &["2 at hand.", "3 to 2", "one broke"],
    );
    let stale = [
        ("key", "other"),
        ("had", "3"),
        ("has", "5"),
        ("reason", "late"),
    ];
    says(&staff.post(&stock, &stale), 409, &["is 2, not 3"]);
    on_sale_and_off(&club, &staff, &at);
}

/// Two change the name at once; then it goes off sale and comes back.
fn on_sale_and_off(club: &Club<'_>, staff: &Visitor, at: &str) {
    let shop = club.visitor();
    let page = staff.get(at);
    let was = hidden(page.page(200), "was").replace("&#34;", "\"");
    let change = |title: &str| {
        staff.post(
            at,
            &[
                ("key", title),
                ("was", &was),
                ("title", title),
                ("delivery", "usual"),
            ],
        )
    };
    change("First").see();
    says(
        &change("Second"),
        409,
        &["the name is now", "First", "value=\"Second\""],
    );
    let sale = |sell: &str| {
        let path = format!("{at}/sale");
        staff
            .post(&path, &[("key", &format!("k{sell}")), ("sell", sell)])
            .see()
            .to_owned()
    };
    sale("no");
    says(
        &shop.get("/shops/club/shop/p/pot"),
        200,
        &["not sold any more"],
    );
    says(
        &staff.get(&format!("{STAFF}/products?q=fir&show=off")),
        200,
        &["First", "Off sale"],
    );
    sale("yes");
    says(&shop.get("/shops/club/shop"), 200, &["First"]);
    let bad = [
        ("key", "bad"),
        ("title", ""),
        ("handle", ".."),
        ("delivery", "usual"),
    ];
    says(
        &staff.post(&format!("{STAFF}/products/new"), &bad),
        422,
        &["no handle"],
    );
}

/// SHP-09
fn pictures_come_from_our_own_origin(db: &TestDb) {
    let club = Club::start(db);
    let staff = club.staff("owner");
    let at = enter(&staff, "Clay pot", &[("handle", "pot")]);
    offer(&staff, &at, &[("sku", "pot-1"), ("price", "5")]);
    let add = |key: &str, name: &str, file: &[u8]| {
        staff.upload(
            &format!("{at}/pictures"),
            &[("key", key), ("alt", "A red pot")],
            name,
            file,
        )
    };
    assert!(add("a", "x.exe", PNG).see().ends_with("?done=picture"));
    for bad in [&b"<svg/>"[..], b"", &PNG[..30]] {
        add("b", "pot.png", bad).page(422);
    }
    let shop = club.visitor();
    for path in ["/shops/club/shop", "/shops/club/shop/p/pot"] {
        let answer = shop.get(path);
        let page = answer.page(200);
        assert!(page.contains("alt=\"A red pot\""), "{page}");
        assert!(page.contains("src=\"/shops/club/images/img_"), "{page}");
    }
    let page = shop.get("/shops/club/shop");
    let src = page
        .page(200)
        .split("src=\"/shops/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let src = format!("/shops/{src}");
    let image = shop.get(&src);
    assert_eq!(
        (image.status, &image.headers["content-type"]),
        (200, &"image/png".parse().unwrap())
    );
    assert_eq!(image.headers["x-content-type-options"], "nosniff");
    assert!(
        image.headers["cache-control"]
            .to_str()
            .unwrap()
            .starts_with("private")
    );
    assert!(
        image.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("sandbox")
    );
    shop.get(&src.replace("club", "nowhere")).page(404);
    shop.get("/shops/club/images/img_x").page(404);
    let page = staff.get(&at);
    let id = src.rsplit('/').next().unwrap();
    let remove = [("key", "r"), ("alt", ""), ("do", "remove")];
    assert!(page.page(200).contains(id));
    staff.post(&format!("{at}/pictures/{id}"), &remove).see();
    shop.get(&src).page(404);
}

/// SHP-09: sizes and colours are chosen by links, without script.
fn variants_are_chosen_by_their_options(db: &TestDb) {
    let club = Club::start(db);
    let staff = club.staff("manager");
    let at = enter(
        &staff,
        "Shirt",
        &[("handle", "shirt"), ("options", "Size, Colour")],
    );
    for (sku, values) in [("s-r", "S, Red"), ("s-b", "S, Blue"), ("l-r", "L, Red")] {
        offer(
            &staff,
            &at,
            &[("sku", sku), ("price", "5"), ("values", values)],
        );
    }
    let shop = club.visitor();
    let path = "/shops/club/shop/p/shirt";
    let all = says(
        &shop.get(path),
        200,
        &["Size", "Colour", "S, Red", "L, Red"],
    );
    assert!(
        all.contains(&format!("href=\"{path}?option=&#38;option=Blue\"")),
        "{all}"
    );
    let blue = says(
        &shop.get(&format!("{path}?option=&option=Blue")),
        200,
        &["S, Blue"],
    );
    assert!(!blue.contains("<bdi>S, Red</bdi>") && blue.contains("aria-current=\"true\""));
    says(
        &shop.get(&format!("{path}?option=L&option=Blue")),
        200,
        &["There is none like this."],
    );
    shop.get(&format!("{path}?{}", "option=x&".repeat(50)))
        .page(200);
}

fn ended(staff: &Visitor, at: &str) -> String {
    for _ in 0..200 {
        let page = staff.get(at);
        if !page.page(200).contains("<progress") {
            return page.text;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the import does not end");
}

fn a_file_is_looked_through_entered_and_undone_in_pages(db: &TestDb) {
    let club = Club::start(db);
    let staff = club.staff("manager");
    let imports = format!("{STAFF}/imports");
    let file = "handle;title;sku;price\npot;Clay pot;pot;2,5\nbad;Bad;bad;-1\n".as_bytes();
    let at = staff
        .upload(&imports, &[], "goods.csv", file)
        .see()
        .to_owned();
    let page = staff.get(&at);
    let page = says(
        &page,
        200,
        &[
            "Nothing is written yet",
            "goods.csv",
            "the price of",
            "Enter it",
        ],
    );
    assert!(
        !club
            .visitor()
            .get("/shops/club/shop")
            .page(200)
            .contains("Clay pot")
    );
    let go = |key: &str, what: &str| staff.post(&at, &[("key", key), ("do", what)]);
    go(&hidden(&page, "key"), "apply").see();
    let page = ended(&staff, &at);
    assert!(page.contains("Undo it"), "{page}");
    assert!(
        club.visitor()
            .get("/shops/club/shop")
            .page(200)
            .contains("Clay pot")
    );
    go("twice", "apply").page(409);
    let export = staff.get(&format!("{imports}/export.csv"));
    assert_eq!(export.headers["content-type"], "text/csv; charset=utf-8");
    let again = staff.upload(
        &imports,
        &[("take_off", "yes")],
        "again.csv",
        export.text.as_bytes(),
    );
    let again = staff.get(again.see());
    assert!(
        !again.page(200).contains("Enter it"),
        "an export changes nothing: {}",
        again.text
    );
    go(&hidden(&page, "key"), "undo").see();
    assert!(ended(&staff, &at).contains("it is off sale now"));
    assert!(
        !club
            .visitor()
            .get("/shops/club/shop")
            .page(200)
            .contains("Clay pot")
    );
    for odd in [&b""[..], b"x", b"handle,title\n", &[0xff, 0xfe, 0, 0]] {
        staff.upload(&imports, &[], "odd.csv", odd).page(422);
    }
    staff.post(&imports, &[("file", "x")]).page(415);
    staff.get(&format!("{imports}/imp_x")).page(404);
}

/// SHP-09, SHP-16: what customers have on their lists is not taken off sale unsaid, neither to
/// staff before nor to customers afterwards; and nothing that is exported is a formula.
fn what_is_on_lists_is_said_before_and_after(db: &TestDb) {
    let club = Club::start(db);
    let (staff, ida) = (club.staff("manager"), club.member("Ida", 100));
    let pot = club.offer("pot", "=SUM(A1)", 5, None);
    club.offer("cup", "Cup", 5, None);
    put(&ida.visitor, &pot, 1);
    let imports = format!("{STAFF}/imports");
    let export = staff.get(&format!("{imports}/export.csv")).text;
    assert!(export.contains(",'=SUM(A1),"), "{export}");
    let rest: Vec<&str> = export.lines().filter(|l| !l.contains("SUM")).collect();
    let file = rest.join("\r\n");
    let sent = staff.upload(
        &imports,
        &[("take_off", "yes")],
        "less.csv",
        file.as_bytes(),
    );
    let at = sent.see().to_owned();
    let page = staff.get(&at);
    let told = [
        "Order lists that hold what goes off sale",
        "1 order list",
        "it is on 1 order list, which keeps it with a note",
    ];
    let page = says(&page, 200, &told);
    let key = hidden(&page, "key");
    staff.post(&at, &[("key", &key), ("do", "apply")]).see();
    ended(&staff, &at);
    says(
        &ida.visitor.get("/shops/club/list"),
        200,
        &["=SUM(A1)", "is not sold any more: remove it"],
    );
}

fn only_some_roles_change_the_catalogue(db: &TestDb) {
    let club = Club::start(db);
    let owner = club.staff("owner");
    let at = enter(&owner, "Clay pot", &[("handle", "pot")]);
    for role in ["cashier", "auditor"] {
        let staff = club.staff(role);
        let page = says(&staff.get(&at), 200, &["Clay pot"]);
        assert!(!page.contains("Keep the changes"));
        staff.get(&format!("{STAFF}/products")).page(200);
        staff.get(&format!("{STAFF}/imports")).page(200);
        staff.get(&format!("{STAFF}/products/new")).page(403);
        for path in [at.clone(), format!("{at}/sale"), format!("{at}/offers")] {
            staff.post(&path, &[("key", "k")]).page(403);
        }
        staff
            .upload(&format!("{at}/pictures"), &[], "a.png", PNG)
            .page(403);
        staff
            .upload(&format!("{STAFF}/imports"), &[], "a.csv", b"x")
            .page(403);
    }
    assert!(club.visitor().get(&at).see().contains("/staff/sign-in"));
}
