//! What a shop sells, over HTTP, without script.

use crate::client::Served;
use crate::market::{
    CONFIRM, LIST, SHOP, cells, figures, offer, priced, product, programs, sells, shopper, values,
};
use crate::visitor::Visitor;
use scrip_testkit::TestDb;
use serde_json::json;

both!(
    the_matrix_shows_what_is_offered_and_how,
    visitors_see_what_is_sold_and_the_way_in,
    categories_are_ticked_and_unticked,
    a_long_catalogue_comes_in_parts,
    products_are_found_filtered_and_sorted,
    a_shop_of_both_kinds_asks_which,
    a_product_says_all_there_is_to_say,
    goods_meet_no_questions_about_licenses,
    awkward_texts_stay_texts,
);

/// SHP-08: A is to keep, B also by time, C also by uses, D by processings only; nothing else can
/// be ticked.
fn the_matrix_shows_what_is_offered_and_how(db: &TestDb) {
    let served = Served::start(db);
    programs(&served.api);
    let (visitor, _) = shopper(&served, &served.api, "retail", 500);
    let answer = visitor.get(SHOP);
    let page = answer.page(200);
    for (title, offered) in [
        ("Software A", [true, false, false, false]),
        ("Software B", [true, true, false, false]),
        ("Software C", [true, false, true, false]),
        ("Software D", [false, false, false, true]),
    ] {
        let cells = cells(page, title);
        assert_eq!(
            cells.iter().map(Option::is_some).collect::<Vec<_>>(),
            offered,
            "{title}"
        );
        let boxes = cells.iter().flatten();
        assert!(
            boxes
                .into_iter()
                .all(|c| c.matches("checkbox").count() == 1)
        );
    }
    assert!(
        cells(page, "Software B")[1]
            .as_ref()
            .unwrap()
            .contains("30 days")
    );
    let first_tier = cells(page, "Software D")[3].clone().unwrap();
    assert!(first_tier.contains("<b>10</b>") && first_tier.contains("100 processings"));
    assert!(page.contains("4 programs"));
    // Only what is sold is there to tick.
    assert_eq!(page.matches("name=\"on\"").count(), 6);
    product(
        &served.api,
        "software-A",
        &json!({"title": "Software A"}),
        &[(
            "a",
            json!({"kind": "purchase", "price": "100", "active": false}),
        )],
    );
    let answer = visitor.get(SHOP);
    assert!(!answer.page(200).contains("Software A"), "no longer sold");
}

/// SHP-02, SHP-04, SHP-08: looking around needs no account; prices and ticking do.
fn visitors_see_what_is_sold_and_the_way_in(db: &TestDb) {
    let served = Served::start(db);
    let guest = Visitor::new(&served);
    sells(&served.api, "software");
    let empty = guest.get(SHOP);
    assert!(empty.page(200).contains("Nothing is for sale yet."));
    programs(&served.api);
    let answer = guest.get(&format!("{SHOP}?category=Drawing"));
    let page = answer.page(200);
    assert!(
        page.contains("Software B") && !page.contains("<b>") && !page.contains("data-offer="),
        "{page}"
    );
    let back = "/shops/retail/sign-in?next=%2Fshops%2Fretail%2Fshop%3Fcategory%3DDrawing";
    assert!(page.contains(back), "{page}");
    assert!(page.contains("href=\"/shops/retail/register\""));
    assert!(!page.contains("id=\"order-list\"") && !page.contains("class=\"stub\""));
    let product = guest.get(&format!("{SHOP}/p/software-D"));
    let product = product.page(200);
    assert!(product.contains("Up to 1,000") && !product.contains("name=\"put\""));
    assert!(!product.contains("<b>80</b>") && product.contains("Prices are shown to customers"));
    let a = offer(&served.api, "a");
    for answer in [
        guest.get(LIST),
        guest.post(LIST, &[("put", &a)]),
        guest.post_with(LIST, &[("x-fragment", "list")], &[("put", &a)]),
        guest.get(CONFIRM),
    ] {
        assert!(answer.see().starts_with("/shops/retail/sign-in?next="));
    }
}

/// SHP-07: categories are links that tick and untick.
fn categories_are_ticked_and_unticked(db: &TestDb) {
    let served = Served::start(db);
    sells(&served.api, "goods");
    for (handle, category) in [("pot", "Garden & more"), ("bed", "Indoor"), ("odd", "")] {
        let body = json!({"title": format!("The {handle}"), "category": category});
        product(&served.api, handle, &body, &[(handle, priced("5"))]);
    }
    let guest = Visitor::new(&served);
    let answer = guest.get(SHOP);
    let page = answer.page(200);
    let all = "/shops/retail/shop";
    assert!(page.contains("3 products"));
    let garden = format!("{all}?category=Garden+%26+more");
    let escaped = garden.replace('&', "&#38;");
    assert!(
        page.contains(&format!("href=\"{escaped}\"><bdi>Garden &#38; more</bdi>")),
        "{page}"
    );
    assert!(
        page.contains("<bdi>Other</bdi>"),
        "those without a category"
    );
    let answer = guest.get(&garden);
    let page = answer.page(200);
    assert!(page.contains("The pot") && !page.contains("The bed"));
    let off = format!("href=\"{all}\" aria-current=\"true\"");
    assert!(page.contains(&off), "a second click unticks: {page}");
    let both = guest.get(&format!("{garden}&category=Indoor"));
    let both = both.page(200);
    assert!(both.contains("The pot") && both.contains("The bed") && !both.contains("The odd"));
    assert_eq!(both.matches("aria-current=\"true\"").count(), 2);
    let other = guest.get(&format!("{all}?category="));
    assert!(other.page(200).contains("The odd") && !other.page(200).contains("The pot"));
    let none = guest.get(&format!("{all}?category=Sea"));
    assert!(none.page(200).contains("Nothing is sold here."));
    let odd = guest.get(&format!("{all}?{}", "category=x&".repeat(200)));
    odd.page(422);
}

/// SHP-07: `1 to 24 of 30`.
fn a_long_catalogue_comes_in_parts(db: &TestDb) {
    let served = Served::start(db);
    for n in 1..=30 {
        let (handle, title) = (format!("p{n}"), format!("Thing {n}."));
        let body = json!({"title": title, "category": "Things"});
        product(&served.api, &handle, &body, &[(&handle, priced("5"))]);
    }
    let guest = Visitor::new(&served);
    let first = guest.get(SHOP);
    let first = first.page(200);
    assert!(first.contains("1 to 24 of 30 products"), "{first}");
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap();
    let next = next.split('"').next().unwrap().replace("&#38;", "&");
    assert!(first.contains(">Next 6<"));
    let second = guest.get(&next);
    let second = second.page(200);
    assert!(second.contains("25 to 30 of 30 products"), "{second}");
    assert!(second.contains(">Previous<") && !second.contains("rel=\"next\""));
    for n in 1..=30 {
        let title = format!("Thing {n}.");
        assert!(first.contains(&title) != second.contains(&title), "{title}");
    }
    // What stands in the address is only words.
    let odd = next.replace("seen=24", "seen=4000000000");
    assert!(guest.get(&odd).page(200).contains("25 to 30 of 30"));
    guest.get(&next.replace("prd_", "prd-")).page(422);
    let back = second.split("rel=\"prev\" href=\"").nth(1).unwrap();
    let back = back.split('"').next().unwrap().replace("&#38;", "&");
    let back = guest.get(&back);
    assert!(back.page(200).contains("1 to 24 of 30 products"));
}

/// SHP-09: words, filters and order are plain fields of a form, and stay while paging.
fn products_are_found_filtered_and_sorted(db: &TestDb) {
    let served = Served::start(db);
    for n in 1..=30 {
        let (handle, title) = (format!("p{n}"), format!("Crème {n}."));
        let maker = ["Acme", "Birch"][n % 2];
        let body = json!({"title": title, "manufacturer": maker});
        product(
            &served.api,
            &handle,
            &body,
            &[(&handle, priced(&n.to_string()))],
        );
    }
    let (guest, _) = shopper(&served, &served.api, "retail", 100);
    let all = "q=&sort=&kind=&maker=&from=&to=";
    assert!(
        guest
            .get(&format!("{SHOP}?{all}"))
            .page(200)
            .contains("1 to 24 of 30 products")
    );
    let found = guest.get(&format!("{SHOP}?q=creme+7"));
    let found = found.page(200);
    assert!(
        found.contains("Crème 7.") && found.contains("1 product<"),
        "{found}"
    );
    assert!(
        found.contains("value=\"creme 7\""),
        "what was typed stands there"
    );
    let dear = guest.get(&format!("{SHOP}?sort=dearest&maker=Acme&from=3&to=20,0"));
    let dear = dear.page(200);
    assert!(dear.contains("9 products"), "{dear}");
    let place = |title: &str| dear.find(&format!("<bdi>{title}</bdi>"));
    assert!(place("Crème 20.") < place("Crème 4.") && place("Crème 21.").is_none());
    let sorted = guest.get(&format!("{SHOP}?q=creme&sort=name"));
    assert!(
        sorted
            .page(200)
            .contains("q=creme&#38;sort=name&#38;after=")
    );
    let odd = guest.get(&format!("{SHOP}?from=x&kind=lease&sort=size&after="));
    odd.page(422);
    let odd = guest.get(&format!("{SHOP}?from=x&kind=lease&sort=size"));
    assert!(
        odd.page(200)
            .contains("Not all of the filter was understood.")
    );
    let nothing = guest.get(&format!("{SHOP}?q=%00%25%27+OR"));
    assert!(nothing.page(200).contains("Nothing is sold here."));
    let answer = served
        .api
        .get("/v1/products?search=CREM&manufacturer=Birch&sort=cheapest&limit=2");
    let items = answer.json.clone();
    assert_eq!(items["items"][1]["handle"], "p3", "{items}");
}

/// SHP-06: who sells both asks which; who sells one kind does not.
fn a_shop_of_both_kinds_asks_which(db: &TestDb) {
    let served = Served::start(db);
    sells(&served.api, "both");
    let software = json!({"title": "Scan tool", "delivery": "download"});
    product(&served.api, "scan", &software, &[("scan", priced("5"))]);
    product(
        &served.api,
        "cup",
        &json!({"title": "Blue cup"}),
        &[("cup", priced("5"))],
    );
    let guest = Visitor::new(&served);
    let question = guest.get(SHOP);
    let question = question.page(200);
    assert!(question.contains("What are you looking for?") && !question.contains("Scan tool"));
    assert!(
        question.contains("?part=software\">Software</a>"),
        "{question}"
    );
    let software = guest.get(&format!("{SHOP}?part=software"));
    let software = software.page(200);
    assert!(software.contains("Scan tool") && !software.contains("Blue cup"));
    assert!(software.contains("class=\"matrix\"") && software.contains("for good"));
    let goods = guest.get(&format!("{SHOP}?part=goods"));
    let goods = goods.page(200);
    assert!(goods.contains("Blue cup") && !goods.contains("Scan tool"));
    for words in ["license", "for good", "matrix"] {
        assert!(!goods.contains(words), "{words}: {goods}");
    }
    let found = guest.get(&format!("{SHOP}?q=scan"));
    assert!(
        found.page(200).contains("Scan tool"),
        "a search looks in both"
    );
    for kind in ["software", "goods"] {
        sells(&served.api, kind);
        assert!(
            !guest
                .get(SHOP)
                .page(200)
                .contains("What are you looking for?")
        );
    }
}

/// SHP-09: name, prices, description, picture, manufacturer, stock, download, payment; the stock
/// falls with a sale.
fn a_product_says_all_there_is_to_say(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let body = json!({
        "title": "Clay Plant Pot", "description": "Line one.\nLine two.", "category": "Garden",
        "manufacturer": "Company 123", "download_kb": 120_000,
    });
    let stocked = json!({"kind": "purchase", "price": "100", "initial_stock": 2});
    product(api, "pots/clay pot+1", &body, &[("clay", stocked)]);
    let (visitor, _) = shopper(&served, api, "retail", 500);
    let grid = visitor.get(SHOP);
    assert!(grid.page(200).contains("Only 2 left"));
    assert!(grid.page(200).contains("art.svg") && grid.page(200).contains("#pot\""));
    let at = format!("{SHOP}/p/pots%2Fclay%20pot%2B1");
    assert!(
        grid.page(200).contains(&format!("href=\"{at}\"")),
        "{}",
        grid.text
    );
    let answer = visitor.get(&at);
    let page = answer.page(200);
    for words in [
        "<h1 class=\"big\"><bdi>Clay Plant Pot</bdi></h1>",
        "Line one.\nLine two.",
        "Company 123",
        "Garden",
        "In stock, 2 left",
        "120 MB, about 2 minutes",
        "no card is asked for",
        "<b>100</b> <span>tokens</span>",
        "£1.00",
        "#pot\"",
        "Put on my list",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    // The address may have its slash as it is.
    visitor
        .get(&format!("{SHOP}/p/pots/clay%20pot+1"))
        .page(200);
    visitor.get(&format!("{SHOP}/p/none")).page(404);
    let clay = offer(api, "clay");
    let put = [
        ("line", clay.as_str()),
        ("had", "1"),
        ("quantity", "2"),
        ("put", &clay),
    ];
    visitor.post(LIST, &put).see();
    let page = visitor.get(CONFIRM).page(200).to_owned();
    let fields: Vec<(&str, &str)> = ["key", "offer", "quantity", "price"]
        .map(|name| (name, values(&page, name)[0]))
        .to_vec();
    visitor.post(CONFIRM, &fields).see();
    let page = visitor.get(&at);
    assert!(page.page(200).contains("Out of stock"));
    assert!(!page.page(200).contains("name=\"put\""));
    assert!(visitor.get(SHOP).page(200).contains("Out of stock"));
}

/// SHP-06: a shop for goods shows a grid, with the cheapest of several kinds, and no rentals.
fn goods_meet_no_questions_about_licenses(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let kind = |variant: &str, price: &str| json!({"kind": "purchase", "price": price, "variant": variant});
    let top = json!({"title": "Varsity Top", "category": "women"});
    let sizes = [
        ("small", kind("Small", "60")),
        ("large", kind("Large", "75")),
    ];
    product(api, "top", &top, &sizes);
    let sale = json!({"kind": "purchase", "price": "10", "on_sale": true});
    product(api, "hat", &json!({"title": "Hat"}), &[("hat", sale)]);
    let (visitor, _) = shopper(&served, api, "retail", 100);
    let answer = visitor.get(SHOP);
    let page = answer.page(200);
    for word in ["Rent", "license", "processing", "Purchase", "code"] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(
        page.contains("2 kinds, in stock") && page.contains(">from</span>"),
        "{page}"
    );
    assert!(page.contains(">Choose<") && page.contains("On sale"));
    let answer = visitor.get(&format!("{SHOP}/p/top"));
    let page = answer.page(200);
    assert!(page.contains("<h3><bdi>Small</bdi></h3>") && page.contains("<b>75</b>"));
    let large = offer(api, "large");
    visitor.post(LIST, &[("put", &large)]).see();
    let list = visitor.get(LIST);
    let list = list.page(200);
    assert!(list.contains("<bdi>Varsity Top, Large</bdi>") && list.contains("piece, £0.75"));
    assert_eq!(figures(list)[0], "Required 75");
}

/// Markup, long texts and marks that turn the direction of writing, in every text of a product.
fn awkward_texts_stay_texts(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let nasty = "<script>alert(1)</script>\u{202e}\"'&";
    let body = json!({
        "title": nasty, "description": format!("{nasty} {}", "long ".repeat(10_000)),
        "category": nasty, "manufacturer": nasty,
    });
    let offer_body = json!({"kind": "purchase", "price": "1", "variant": nasty});
    product(api, "n", &body, &[("n", offer_body)]);
    product(
        api,
        "o",
        &json!({"title": "o".repeat(500)}),
        &[("o", priced("1"))],
    );
    for what in ["software", "goods"] {
        sells(api, what);
        let (visitor, _) = shopper(&served, api, "retail", 10);
        let (n, o) = (offer(api, "n"), offer(api, "o"));
        visitor.post(LIST, &[("put", &n)]).see();
        visitor.post(LIST, &[("put", &o)]).see();
        for path in [
            SHOP,
            LIST,
            CONFIRM,
            &format!("{SHOP}/p/n"),
            &format!("{SHOP}/p/o"),
        ] {
            let answer = visitor.get(path);
            let page = answer.page(200);
            assert!(!page.contains("<script>alert"), "{what} {path}");
            for place in page.split("aria-label=\"").skip(1) {
                let label = place.split('"').next().unwrap();
                assert!(!label.contains('\u{202e}'), "{what} {path}: {label}");
            }
        }
    }
}
