//! The order list, over HTTP, without script and as its script asks.

use crate::client::Served;
use crate::club::hidden;
use crate::market::{
    LIST, SHOP, cells, figures, live, offer, priced, product, programs, shopper, sign_in, tiered,
};
use scrip_testkit::TestDb;
use serde_json::json;

both!(
    the_figures_follow_each_tick,
    ticking_again_restores_what_was_there,
    an_old_page_undoes_nothing,
    quantities_and_tiers_are_chosen_on_the_list,
    lines_that_cannot_be_ordered_say_so,
    the_list_outlives_the_session,
    awkward_forms_are_answered,
);

/// SHP-10, SHP-11: A (100) and D (80) of 500 leave 320; D unticked stays on the list and leaves 400.
fn the_figures_follow_each_tick(db: &TestDb) {
    let served = Served::start(db);
    programs(&served.api);
    let (a, d) = (offer(&served.api, "a"), offer(&served.api, "d"));
    let (visitor, _) = shopper(&served, &served.api, "retail", 500);
    let page = visitor.get(SHOP);
    assert_eq!(
        figures(page.page(200)),
        ["Required 0", "Available 500", "Remaining 500"]
    );
    live(
        &visitor,
        &[("shelf", "1"), ("was_off", &a), ("on", &a), ("changed", &a)],
    );
    live(
        &visitor,
        &[("shelf", "1"), ("was_off", &d), ("on", &d), ("changed", &d)],
    );
    let tier = [("line", d.as_str()), ("had", "100"), ("quantity", "1000")];
    let list = live(&visitor, &tier);
    let both = ["Required 180", "Available 500", "Remaining 320"];
    assert_eq!(figures(&list), both);
    assert!(list.contains("180 tokens are £1.80"), "{list}");
    let page = visitor.get(SHOP);
    assert_eq!(figures(page.page(200)), both, "the same without script");
    assert!(
        cells(page.page(200), "Software A")[0]
            .as_ref()
            .unwrap()
            .contains(" checked")
    );
    let drawn = cells(page.page(200), "Software D")[3].clone().unwrap();
    assert!(
        drawn.contains("data-tier=\"1000\"><span class=\"amt\""),
        "{drawn}"
    );

    let untick = [("was_on", d.as_str()), ("changed", &d)];
    let list = live(&visitor, &untick);
    let one = ["Required 100", "Available 500", "Remaining 400"];
    assert_eq!(figures(&list), one);
    assert!(list.contains("<li class=\"off\">") && list.contains("<bdi>Software D</bdi>"));
    let tick = [("was_off", d.as_str()), ("on", &d)];
    assert_eq!(figures(&live(&visitor, &tick)), both);
    // Without script the browser comes back to where it was.
    let from = format!("http://localhost{SHOP}?category=Drawing");
    let back = visitor.post_with(LIST, &[("referer", &from)], &untick);
    assert_eq!(back.see(), format!("{SHOP}?category=Drawing"));
    let elsewhere = visitor.post_with(LIST, &[("referer", "http://evil.example/x")], &tick);
    assert_eq!(elsewhere.see(), LIST);
}

/// SHP-07: a click marks, a second one clears; the list is as it was.
fn ticking_again_restores_what_was_there(db: &TestDb) {
    let served = Served::start(db);
    programs(&served.api);
    let (b, d) = (offer(&served.api, "b"), offer(&served.api, "d"));
    let (visitor, _) = shopper(&served, &served.api, "retail", 500);
    let before = visitor.get(LIST).page(200).to_owned();
    let on = [("shelf", "1"), ("was_off", b.as_str()), ("on", &b)];
    visitor.post(LIST, &on).see();
    assert!(visitor.get(LIST).page(200).contains("Software B"));
    visitor.post(LIST, &[("shelf", "1"), ("was_on", &b)]).see();
    assert_eq!(visitor.get(LIST).page(200), before);
    // A tier that was chosen is not forgotten by a slip.
    visitor.post(
        LIST,
        &[
            ("line", &d),
            ("had", "100"),
            ("quantity", "10000"),
            ("put", &d),
        ],
    );
    // Each form has another key.
    let shown = || {
        let page = visitor.get(LIST).page(200).to_owned();
        page.replace(&hidden(&page, "key"), "")
    };
    let chosen = shown();
    assert!(chosen.contains("value=\"10000\" selected"));
    visitor.post(LIST, &[("shelf", "1"), ("was_on", &d)]).see();
    visitor
        .post(LIST, &[("shelf", "1"), ("was_off", &d), ("on", &d)])
        .see();
    assert_eq!(shown(), chosen);
}

/// SHP-07, SHP-11: two tabs; what the older one does not show stays.
fn an_old_page_undoes_nothing(db: &TestDb) {
    let served = Served::start(db);
    programs(&served.api);
    let [a, b, c] = ["a", "b", "c"].map(|sku| offer(&served.api, sku));
    let (visitor, _) = shopper(&served, &served.api, "retail", 500);
    // Both pages were drawn with nothing ticked.
    let drawn = [
        ("shelf", "1"),
        ("was_off", a.as_str()),
        ("was_off", &b),
        ("was_off", &c),
    ];
    let tick = |offer| [&drawn[..], &[("on", offer)]].concat();
    visitor.post(LIST, &tick(a.as_str())).see();
    visitor.post(LIST, &tick(b.as_str())).see();
    let list = visitor.get(LIST);
    assert_eq!(figures(list.page(200))[0], "Required 340");
    // The same when both have scripts: the page shows more than was drawn, and says what changed.
    let shown = [&tick(a.as_str())[..], &[("on", &c), ("changed", &c)]].concat();
    assert_eq!(figures(&live(&visitor, &shown))[0], "Required 500");
}

/// SHP-10: the tier 101 to 1,000 costs 80 and grants 1,000; a number of pieces is typed.
fn quantities_and_tiers_are_chosen_on_the_list(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    programs(api);
    product(
        api,
        "disk",
        &json!({"title": "Disk"}),
        &[("disk", priced("7.5"))],
    );
    let (d, disk) = (offer(api, "d"), offer(api, "disk"));
    let (visitor, id) = shopper(&served, api, "retail", 500);
    let put = json!({"quantity": 500});
    let path = format!("/v1/customers/{id}/order-list/{d}");
    api.put(&path, &put).expect(204);
    let answer = visitor.get(LIST);
    let page = answer.page(200);
    assert!(
        page.contains("<option value=\"1000\" selected>1,000 for 80 tokens"),
        "{page}"
    );
    assert!(page.contains("processings, £0.80"));
    let tier = |had, now| [("line", d.as_str()), ("had", had), ("quantity", now)];
    for (had, now, required) in [("1000", "10000", "600"), ("10000", "100", "10")] {
        visitor.post(LIST, &tier(had, now)).see();
        let page = visitor.get(LIST);
        assert_eq!(figures(page.page(200))[0], format!("Required {required}"));
    }
    let disks = json!({"quantity": 4});
    api.put(&format!("/v1/customers/{id}/order-list/{disk}"), &disks)
        .expect(204);
    let answer = visitor.get(LIST);
    let page = answer.page(200);
    assert!(page.contains("licenses at 7.5 tokens, £0.30"), "{page}");
    assert_eq!(figures(page)[0], "Required 40");
    let number = |now| [("line", disk.as_str()), ("had", "4"), ("quantity", now)];
    visitor.post(LIST, &number("2")).see();
    assert_eq!(figures(visitor.get(LIST).page(200))[0], "Required 25");
    // A wrong number is told at its field and kept; nothing is changed.
    for (odd, says) in [
        ("two", "whole number"),
        ("-1", "cannot be ordered, take 1 to"),
        ("99999999999", "cannot be ordered, take 1 to"),
        ("999999999", "at most 1000000000 tokens"),
    ] {
        let answer = visitor.post(LIST, &number(odd));
        let page = answer.page(422);
        assert!(page.contains(says), "{odd}: {page}");
        assert!(page.contains(&format!("value=\"{odd}\"")), "{odd} is kept");
        assert!(page.contains("aria-invalid=\"true\""));
        assert_eq!(figures(page)[0], "Required 25");
        let list = live(&visitor, &number(odd));
        assert!(list.contains(says) && list.contains("role=\"alert\""));
    }
    visitor.post(LIST, &number("0")).see();
    assert!(
        !visitor.get(LIST).page(200).contains("Disk"),
        "none is off the list"
    );
    visitor.post(LIST, &[("remove", &d)]).see();
    visitor.post(LIST, &[("remove", &d)]).see();
    let empty = visitor.get(LIST);
    assert!(empty.page(200).contains("Nothing on it yet"));
    assert_eq!(figures(empty.page(200))[0], "Required 0");
}

/// SHP-10: not sold any more, a tier that is gone, too few left.
fn lines_that_cannot_be_ordered_say_so(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    programs(api);
    let stocked = json!({"kind": "purchase", "price": "10", "initial_stock": 5});
    product(api, "disk", &json!({"title": "Disk"}), &[("disk", stocked)]);
    let [a, d, disk] = ["a", "d", "disk"].map(|sku| offer(api, sku));
    let (visitor, id) = shopper(&served, api, "retail", 5000);
    for (offer, quantity) in [(&a, 1), (&d, 10_000), (&disk, 9)] {
        let path = format!("/v1/customers/{id}/order-list/{offer}");
        api.put(&path, &json!({"quantity": quantity})).expect(204);
    }
    let gone = json!({"kind": "purchase", "price": "100", "active": false});
    product(
        api,
        "software-A",
        &json!({"title": "Software A"}),
        &[("a", gone)],
    );
    let fewer = tiered("processings", &[(100, "10"), (1000, "80")]);
    product(
        api,
        "software-D",
        &json!({"title": "Software D"}),
        &[("d", fewer)],
    );
    let answer = visitor.get(LIST);
    let page = answer.page(200);
    for words in [
        "Software A is not sold any more: remove it.",
        "quantity 10000 cannot be ordered, take 1 to 1000.",
        "no price",
        "Only 5 left: take fewer.",
        "<option value=\"\" selected>Choose</option>",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(figures(page)[0], "Required 90", "only what can be counted");
    assert_eq!(page.matches("type=\"checkbox\"").count(), 1);
    // A form that changes something else leaves the missing choice alone.
    let same = [
        ("line", d.as_str()),
        ("had", ""),
        ("quantity", ""),
        ("remove", &a),
    ];
    visitor.post(LIST, &same).see();
    let choose = [("line", d.as_str()), ("had", ""), ("quantity", "1000")];
    visitor.post(LIST, &choose).see();
    assert_eq!(figures(visitor.get(LIST).page(200))[0], "Required 170");
}

/// SHP-10, SHP-16: an expired session loses nothing; signing in leads back.
fn the_list_outlives_the_session(db: &TestDb) {
    let served = Served::start(db);
    programs(&served.api);
    let a = offer(&served.api, "a");
    let (visitor, id) = shopper(&served, &served.api, "retail", 500);
    visitor.post(LIST, &[("put", &a)]).see();
    let number = served.api.get(&format!("/v1/customers/{id}"));
    let number = number.expect(200)["number"].as_str().unwrap().to_owned();
    visitor.take_cookie("__Host-customer-retail", "expired");
    let from = format!("http://localhost{SHOP}");
    let lost = visitor.post_with(LIST, &[("referer", &from)], &[("remove", &a)]);
    assert_eq!(
        lost.see(),
        "/shops/retail/sign-in?next=%2Fshops%2Fretail%2Fshop"
    );
    sign_in(&visitor, "retail", &number);
    let page = visitor.get(LIST);
    assert_eq!(figures(page.page(200))[0], "Required 100");
}

fn awkward_forms_are_answered(db: &TestDb) {
    let served = Served::start(db);
    programs(&served.api);
    let [a, b] = ["a", "b"].map(|sku| offer(&served.api, sku));
    let (visitor, id) = shopper(&served, &served.api, "retail", 500);
    let unknown = "off_01h455vb4pex5vsknk084sn02q";
    for (fields, status) in [
        (&[("put", "off_1")][..], 422),
        (&[("on", "x")], 422),
        (&[("nonsense", "1")], 422),
        (&[("put", &a), ("put", &b)], 422),
        (&[("line", &a), ("quantity", "1")], 422),
        (&[("put", unknown)], 404),
        (&[("was_off", unknown), ("on", unknown)], 404),
    ] {
        visitor.post(LIST, fields).page(status);
    }
    for harmless in [&[("remove", unknown)][..], &[("was_on", unknown)], &[]] {
        visitor.post(LIST, harmless).see();
    }
    let many: Vec<String> = (0..500).map(|_| a.clone()).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|one| ("line", one.as_str())).collect();
    visitor.post(LIST, &many).page(422);
    // An offer of another shop is unknown here.
    product(
        &served.other,
        "x",
        &json!({"title": "X"}),
        &[("x", priced("1"))],
    );
    let other = offer(&served.other, "x");
    visitor.post(LIST, &[("put", &other)]).page(404);
    let list = served.api.get(&format!("/v1/customers/{id}/order-list"));
    assert_eq!(list.expect(200)["lines"], json!([]));
    visitor
        .post_with("/shops/none/list", &[], &[("put", &a)])
        .page(404);
}
