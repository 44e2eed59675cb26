//! Lists that are kept, the steps of the way through a shop, and what is chosen when confirming.

use crate::club::{Club, Member, hidden, says};
use crate::gates::decide;
use crate::market::{sells, values};
use scrip_domain::policy::Policy;
use scrip_testkit::TestDb;

both!(
    the_list_is_kept_while_tokens_are_bought_off_line,
    an_answer_of_no_empties_the_list,
    lists_are_kept_under_names,
    steps_lead_back_and_forward,
    a_program_comes_with_its_download_or_as_a_code,
    money_stands_beside_tokens_if_wanted,
);

const LIST: &str = "/shops/club/list";
const CONFIRM: &str = "/shops/club/confirm";
const OFF_LINE: &str = "/shops/club/off-line";

/// A club with a pot for 60 tokens and a pen for one, and a customer with a pot on the list.
fn with_a_pot(club: &Club<'_>, tokens: i64) -> Member {
    let pot = club.offer("pot", "Clay pot", 60, None);
    club.offer("pen", "Pen", 1, None);
    let member = club.member("Ida", tokens);
    member.visitor.post(LIST, &[("put", &pot)]).see();
    member
}

fn has_pot(member: &Member) -> bool {
    member
        .visitor
        .get(LIST)
        .page(200)
        .contains("<bdi>Clay pot</bdi>")
}

/// SHP-14, SHP-15: the shortage leads to the question; yes sets the list aside as incomplete, and
/// the next sign-in brings it back and says so. Nothing is debited.
fn the_list_is_kept_while_tokens_are_bought_off_line(db: &TestDb) {
    let club = Club::start(db);
    let member = with_a_pot(&club, 50);
    let short = member.visitor.get(CONFIRM);
    says(
        &short,
        200,
        &[
            "You are 10 tokens short.",
            "Buy tokens another way",
            OFF_LINE,
        ],
    );
    let asked = member.visitor.get(OFF_LINE);
    let page = says(&asked, 200, &["Keep your order list?", "1 line"]);
    let key = hidden(&page, "key");
    for _ in 0..2 {
        let kept = member
            .visitor
            .post(OFF_LINE, &[("key", &key), ("keep", "yes")]);
        assert_eq!(kept.see(), format!("{OFF_LINE}?kept=yes"));
    }
    let told = member.visitor.get(&format!("{OFF_LINE}?kept=yes"));
    says(&told, 200, &["Your order list is kept.", &member.number]);
    assert!(!has_pot(&member));
    let key = hidden(&page, "key");
    let other = member
        .visitor
        .post(OFF_LINE, &[("key", &key), ("keep", "no")]);
    assert_eq!(other.status, 422, "the form was sent with another answer");

    let visitor = club.visitor();
    let fields = [
        ("name", member.number.as_str()),
        ("secret", crate::club::PIN),
    ];
    let back = visitor.post("/shops/club/sign-in", &fields);
    assert_eq!(back.see(), format!("{LIST}?back=1"));
    says(
        &visitor.get(back.see()),
        200,
        &[
            "Your order list is back.",
            "You kept 1 line",
            "<bdi>Clay pot</bdi>",
        ],
    );
    assert_eq!(club.available(&member.id), "50");
    let again = visitor.post("/shops/club/sign-in", &fields);
    assert_eq!(again.see(), "/shops/club/shop", "it came back once");
}

/// SHP-15: no ends with a message.
fn an_answer_of_no_empties_the_list(db: &TestDb) {
    let club = Club::start(db);
    let member = with_a_pot(&club, 50);
    let key = hidden(member.visitor.get(OFF_LINE).page(200), "key");
    for bad in [
        vec![("key", key.as_str()), ("keep", "perhaps")],
        vec![("key", key.as_str())],
        vec![("keep", "yes")],
    ] {
        assert_eq!(member.visitor.post(OFF_LINE, &bad).status, 422);
    }
    assert!(has_pot(&member));
    let gone = member
        .visitor
        .post(OFF_LINE, &[("key", &key), ("keep", "no")]);
    let told = member.visitor.get(gone.see());
    says(&told, 200, &["Your order list is empty now."]);
    assert!(!has_pot(&member));
    let visitor = club.signed_in(&member.number);
    assert!(!visitor.get(LIST).page(200).contains("<bdi>Clay pot</bdi>"));
}

/// SHP-15: several lists under names, loaded again and forgotten; odd names stay texts.
fn lists_are_kept_under_names(db: &TestDb) {
    let club = Club::start(db);
    let member = with_a_pot(&club, 100);
    let lists = "/shops/club/lists";
    let key = || hidden(member.visitor.get(LIST).page(200), "key");
    let nasty = "<b>Office\u{202e}&";
    for name in ["Weekly", nasty] {
        let kept = member
            .visitor
            .post(lists, &[("key", &key()), ("keep", name)]);
        assert_eq!(kept.see(), LIST);
    }
    let page = says(
        &member.visitor.get(LIST),
        200,
        &["<bdi>Weekly</bdi>", "1 line, kept on", "&#60;b&#62;Office"],
    );
    let ids = values(&page, "load");
    assert_eq!(ids.len(), 2);
    let pot = values(&page, "line")[0];
    member.visitor.post(LIST, &[("remove", pot)]).see();
    assert!(!has_pot(&member));
    let loaded = member
        .visitor
        .post(lists, &[("key", &key()), ("load", ids[0])]);
    assert_eq!(loaded.see(), LIST);
    assert!(has_pot(&member));
    let (two, both) = (key(), [("keep", "x"), ("load", ids[0])]);
    let twice = [&both[..], &[("key", two.as_str())]].concat();
    assert_eq!(member.visitor.post(lists, &twice).status, 422);
    let empty = member
        .visitor
        .post(lists, &[("key", &key()), ("keep", " ")]);
    assert_eq!(empty.status, 422);
    for id in &ids {
        member
            .visitor
            .post(lists, &[("key", &key()), ("forget", id)])
            .see();
    }
    let gone = member
        .visitor
        .post(lists, &[("key", &key()), ("load", ids[0])]);
    assert_eq!(gone.status, 404);
    let bo = club.member("Bo", 100);
    let foreign = bo.visitor.post(lists, &[("key", "k"), ("load", ids[1])]);
    assert_eq!(foreign.status, 404);
}

/// The steps at the foot of a page: label and address; none where it leads nowhere.
fn steps(page: &str) -> Vec<(String, Option<String>)> {
    let foot = page
        .split("aria-label=\"Move between pages\"")
        .nth(1)
        .unwrap();
    let foot = foot.split("</nav>").next().unwrap();
    let links = foot.split("<a ").skip(1);
    links
        .map(|link| {
            let (head, rest) = link.split_once('>').unwrap();
            let href = head
                .strip_prefix("href=\"")
                .map(|h| h.trim_end_matches('"').to_owned());
            assert_eq!(
                href.is_none(),
                head.contains("aria-disabled=\"true\""),
                "{head}"
            );
            (rest.split('<').next().unwrap().to_owned(), href)
        })
        .collect()
}

/// SHP-16: Home, Back, Forward and Last on each page of the way; Last is the page of products that
/// was seen last, and a forged cookie leads nowhere else.
fn steps_lead_back_and_forward(db: &TestDb) {
    let club = Club::start(db);
    let member = with_a_pot(&club, 100);
    let of = |path: &str| {
        let steps = steps(member.visitor.get(path).page(200));
        let labels: Vec<&str> = steps.iter().map(|s| s.0.as_str()).collect();
        assert_eq!(labels, ["Home", "Back", "Forward", "Last"], "{path}");
        [1, 2, 3].map(|n| steps[n].1.clone().unwrap_or_default())
    };
    let shop = "/shops/club/shop";
    let first = of(shop);
    assert_eq!((first[1].as_str(), first[2].as_str()), (LIST, ""));
    let product = "/shops/club/shop/p/pot?option=Red";
    member.visitor.get(product);
    assert_eq!(of(LIST), [product, CONFIRM, product]);
    assert_eq!(of(CONFIRM), [LIST, "", product]);
    assert_eq!(of("/shops/club/orders"), [product, "", product]);
    for forged in [
        "https://evil.example/",
        "/shops/other/shop",
        "/shops/club/shopping",
    ] {
        member.visitor.take_cookie("__Host-last-club", forged);
        assert_eq!(of(LIST), [shop, CONFIRM, ""], "{forged}");
    }
    let visitor = club.visitor();
    let steps = steps(visitor.get(shop).page(200));
    assert_eq!(steps[2], ("Forward".to_owned(), None), "there is no list");
    // Quit on the confirmation page leaves AT.
    member.visitor.post("/shops/club/quit", &[]).see();
    assert_eq!(club.available(&member.id), "100");
}

/// SHP-12, SHP-13: chosen line by line, kept with the order, said on the receipt; goods are not
/// asked about.
fn a_program_comes_with_its_download_or_as_a_code(db: &TestDb) {
    let club = Club::start(db);
    let member = with_a_pot(&club, 200);
    let goods = member.visitor.get(CONFIRM);
    assert!(!goods.page(200).contains("<select"));
    sells(&club.api, "software");
    let page = says(
        &member.visitor.get(CONFIRM),
        200,
        &["Download and code", "Code only, I have the program"],
    );
    let field = |name: &'static str| (name, values(&page, name)[0].to_owned());
    let fields = ["key", "offer", "quantity", "price"].map(field);
    let mut fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    fields.push(("supply", "by pigeon"));
    assert_eq!(member.visitor.post(CONFIRM, &fields).status, 422);
    fields.pop();
    fields.push(("supply", "code"));
    let placed = member.visitor.post(CONFIRM, &fields);
    let receipt = member.visitor.get(placed.see());
    says(
        &receipt,
        200,
        &["Its code follows", "Codes and downloads follow"],
    );
    let order = placed.see().rsplit('/').next().unwrap().to_owned();
    let kept = club.api.get(&format!("/v1/orders/{order}"));
    assert_eq!(kept.expect(200)["lines"][0]["supply"], "code");
    let second = club.order(&member.id, &[("pen", 1)]);
    let kept = club.api.get(&format!("/v1/orders/{second}"));
    assert!(kept.expect(200)["lines"][0]["supply"].is_null());
}

/// SHP-18: at 10 cents 1,000 tokens are $100.00, 58 are $5.80, 750 are $75.00; a vendor may leave it.
fn money_stands_beside_tokens_if_wanted(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 1000);
    for (sku, price, money) in [
        ("a", 1000, "$100.00"),
        ("b", 58, "$5.80"),
        ("c", 750, "$75.00"),
    ] {
        club.offer(sku, sku, price, None);
        let page = member.visitor.get(&format!("/shops/club/shop/p/{sku}"));
        let said = format!("<span class=\"cash\">{money}</span>");
        assert!(page.page(200).contains(&said), "{money}: {}", page.text);
    }
    drop(club);

    let db = match db.is_sqlite() {
        true => TestDb::sqlite(),
        false => TestDb::postgres(),
    };
    let mut policy = Policy::default();
    policy.checkout.cash_shown = false;
    let club = Club::start_with(&db, || decide(&db, policy));
    let member = with_a_pot(&club, 100);
    for place in ["/shops/club/shop", "/shops/club/shop/p/pot", LIST, CONFIRM] {
        let page = member.visitor.get(place);
        let page = page.page(200);
        assert!(
            !page.contains("class=\"cash\"") && !page.contains("$6.00"),
            "{place}: {page}"
        );
    }
}
