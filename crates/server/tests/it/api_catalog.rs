//! The API for products, offers, stock and imports.

use crate::api_customers::{customer, sell};
use crate::client::{Answered, Api, Served, fresh_key};
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    products_and_offers_are_entered_and_changed,
    odd_names_travel_in_addresses,
    the_catalogue_is_read_a_page_at_a_time,
    deliveries_add_to_the_stock,
    a_file_is_entered_whole_or_not_at_all,
    a_dry_run_tells_what_goes_off_lists,
    files_that_cannot_be_taken_are_refused,
    bad_products_are_refused,
    bad_offers_are_refused,
);

/// Enters a product with one offer of the same name; the offer's id.
pub fn offer(api: &Api, sku: &str, price: &str, pieces: Option<i64>) -> String {
    let product = format!("/v1/products/{sku}");
    api.put(&product, &json!({"title": format!("The {sku}")}))
        .expect(201);
    let body = json!({"kind": "purchase", "price": price, "initial_stock": pieces});
    let made = api.put(&format!("{product}/offers/{sku}"), &body);
    made.expect(201)["offer_id"].as_str().unwrap().to_owned()
}

/// Enters an offer that is sold by tiers: (up to, tokens).
pub fn tiered(api: &Api, sku: &str, tiers: &[(i64, &str)]) -> String {
    let product = format!("/v1/products/{sku}");
    api.put(&product, &json!({"title": format!("The {sku}")}))
        .expect(201);
    let tier = |(up_to, price): &(i64, &str)| json!({"up_to": up_to, "price": price});
    let tiers: Vec<Value> = tiers.iter().map(tier).collect();
    let body = json!({"kind": "processings", "tiers": tiers});
    let made = api.put(&format!("{product}/offers/{sku}"), &body);
    made.expect(201)["offer_id"].as_str().unwrap().to_owned()
}

/// SHP-09, SHP-10: all that can be said about a product and its offers comes back as entered.
fn products_and_offers_are_entered_and_changed(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let lamp = json!({"title": " <b>Desk</b> lamp \u{202e}", "description": "Two\nlines.",
        "manufacturer": "Lumen & Co", "category": "Light", "image_url": "https://x.example/l.png",
        "download_kb": 3});
    let made = api.put("/v1/products/lamp", &lamp);
    let mut expected = lamp.clone();
    expected["title"] = json!("<b>Desk</b> lamp \u{202e}");
    expected["handle"] = json!("lamp");
    expected["offers"] = json!([]);
    expected["options"] = json!([]);
    expected["delivery"] = json!("usual");
    expected["product_id"] = made.expect(201)["product_id"].clone();
    assert_eq!(made.json, expected);
    assert_eq!(api.get("/v1/products/lamp").expect(200), &expected);

    let red = json!({"variant": "Red", "kind": "purchase", "price": "12.5", "on_sale": true,
        "initial_stock": 4});
    let made = api.put("/v1/products/lamp/offers/lamp-red", &red);
    let red = json!({
        "offer_id": made.expect(201)["offer_id"], "sku": "lamp-red",
        "title": "<b>Desk</b> lamp \u{202e}, Red", "variant": "Red", "kind": "purchase",
        "price": {"amount": "12.5", "asset": "RETAIL.TOKEN"}, "tiers": [], "on_sale": true,
        "active": true, "on_hand": 4, "options": [],
    });
    assert_eq!(made.json, red);
    let rent = json!({"kind": "time", "tiers": [{"up_to": 7, "price": "1"},
        {"up_to": 30, "price": "3.25"}]});
    let made = api.put("/v1/products/lamp/offers/lamp-rent", &rent);
    let rent = made.expect(201).clone();
    let price = json!({"amount": "3.25", "asset": "RETAIL.TOKEN"});
    assert_eq!(rent["tiers"][1], json!({"up_to": 30, "price": price}));
    assert_eq!(
        (&rent["price"], &rent["on_hand"]),
        (&Value::Null, &Value::Null)
    );
    expected["offers"] = json!([red, rent]);
    let seen = api.get("/v1/products/lamp").expect(200).clone();
    assert_eq!(sorted(&seen["offers"]), sorted(&expected["offers"]));

    // Changed as a whole: what is left out is empty; the stock stays.
    let plain = api.put("/v1/products/lamp", &json!({"title": "Lamp"}));
    let plain = plain.expect(200);
    assert_eq!(plain["product_id"], expected["product_id"]);
    assert_eq!(
        (&plain["description"], &plain["download_kb"]),
        (&json!(""), &json!(0))
    );
    let body = json!({"kind": "purchase", "price": "13", "active": false, "initial_stock": 99});
    let red = api.put("/v1/products/lamp/offers/lamp-red", &body);
    assert_eq!(
        red.expect(200)["offer_id"],
        expected["offers"][0]["offer_id"]
    );
    assert_eq!(
        (&red.json["on_hand"], &red.json["active"]),
        (&json!(4), &json!(false))
    );
    assert_eq!(
        (&red.json["title"], &red.json["on_sale"]),
        (&json!("Lamp"), &json!(false))
    );
    assert_eq!(api.get("/v1/offers/lamp-red").expect(200), &red.json);

    // An offer goes where it is put.
    api.put("/v1/products/desk", &json!({"title": "Desk"}))
        .expect(201);
    api.put("/v1/products/desk/offers/lamp-red", &body)
        .expect(200);
    let of = |handle: &str| {
        let product = api.get(&format!("/v1/products/{handle}"));
        product.expect(200)["offers"].as_array().unwrap().len()
    };
    assert_eq!((of("desk"), of("lamp")), (1, 1));
}

fn sorted(list: &Value) -> Vec<String> {
    let mut list: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(Value::to_string)
        .collect();
    list.sort();
    list
}

/// Handles and SKUs are percent-encoded in addresses, so each that is allowed can be named.
fn odd_names_travel_in_addresses(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    for (name, encoded) in [
        ("a/b c", "a%2Fb%20c"),
        ("ring/6 - rose+gold", "ring%2F6%20-%20rose+gold"),
        ("50.5_x", "50.5_x"),
        ("Größe-42", "Gr%C3%B6%C3%9Fe-42"),
        ("日本", "%E6%97%A5%E6%9C%AC"),
        ("..x", "%2E%2Ex"),
        ("offers", "offers"),
    ] {
        let product = format!("/v1/products/{encoded}");
        let made = api.put(&product, &json!({"title": "Odd"}));
        assert_eq!(made.expect(201)["handle"], name);
        assert_eq!(api.get(&product).expect(200)["handle"], name);
        let body = json!({"kind": "purchase", "price": "1", "initial_stock": 1});
        let at = format!("{product}/offers/{encoded}");
        assert_eq!(api.put(&at, &body).expect(201)["sku"], name);
        let offer = format!("/v1/offers/{encoded}");
        assert_eq!(api.get(&offer).expect(200)["sku"], name);
        let more = api.post(&format!("{offer}/stock"), &json!({"add": 1}));
        assert_eq!(more.expect(200)["on_hand"], 2);
    }
    // Space around a name is not part of it, wherever it stands.
    api.put("/v1/products/%20a%2Fb%20c%20", &json!({"title": "Same"}))
        .expect(200);
    assert_eq!(
        api.get("/v1/products/%20a%2Fb%20c").expect(200)["title"],
        "Same"
    );
    for bad in [
        "a%00b",
        "a%26b",
        "%22",
        "a%0Ab",
        "%E2%80%AEx",
        "%20",
        &"x".repeat(201),
    ] {
        let at = format!("/v1/products/{bad}");
        api.put(&at, &json!({"title": "Odd"}))
            .problem(422, "catalog_invalid");
        api.get(&at).problem(404, "not_found");
        api.get(&format!("/v1/offers/{bad}"))
            .problem(404, "not_found");
    }
    for bad in ["%FF", "%C3%28"] {
        api.get(&format!("/v1/products/{bad}"))
            .problem(404, "not_found");
    }
}

/// SHP-07, SHP-08: categories are counted and filter the pages; every product comes once.
fn the_catalogue_is_read_a_page_at_a_time(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    for n in 0..25 {
        let body = json!({"title": format!("Product {n}"), "category": format!("c{}", n % 3)});
        api.put(&format!("/v1/products/p{n}"), &body).expect(201);
        // Every fifth is not for sale.
        let offer = json!({"kind": "purchase", "price": "1", "active": n % 5 != 0});
        api.put(&format!("/v1/products/p{n}/offers/p{n}"), &offer)
            .expect(201);
    }
    let counted = api.get("/v1/categories");
    let counts: Vec<_> = counted.expect(200)["items"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    let count = |name: &str, products: i64| json!({"category": name, "products": products});
    assert_eq!(counts, [&count("c0", 7), &count("c1", 7), &count("c2", 6)]);
    let all = |query: &str| {
        let items = api.all(&format!("/v1/products?{query}"), 4);
        let handle = |product: &Value| product["handle"].as_str().unwrap().to_owned();
        items.iter().map(handle).collect::<Vec<_>>()
    };
    let every: Vec<_> = (0..25).map(|n| format!("p{n}")).collect();
    assert_eq!(all(""), every, "in order of entry");
    let sold: Vec<_> = (0..25)
        .filter(|n| n % 5 != 0)
        .map(|n| format!("p{n}"))
        .collect();
    assert_eq!(all("for_sale=true&"), sold);
    let two: Vec<_> = (0..25)
        .filter(|n| n % 3 != 1)
        .map(|n| format!("p{n}"))
        .collect();
    assert_eq!(all("category=c0&category=c2&"), two);
    assert_eq!(all("category=none&"), Vec::<String>::new());
    assert_eq!(
        served.other.get("/v1/products").expect(200)["items"],
        json!([])
    );
    assert_eq!(
        served.other.get("/v1/categories").expect(200)["items"],
        json!([])
    );
    for (query, code) in [
        ("limit=0", "limit_invalid"),
        ("limit=101", "limit_invalid"),
        ("limit=x", "query_invalid"),
        ("limit=1&limit=2", "query_invalid"),
        ("cursor=x", "cursor_invalid"),
        ("cursor=off_01kb3v8z9mfxmr4x1qk2s7b0de", "cursor_invalid"),
        ("for_sale=yes", "query_invalid"),
        ("colour=red", "query_invalid"),
        ("category=%FF", "query_invalid"),
        ("category=%00", "query_invalid"),
    ] {
        api.get(&format!("/v1/products?{query}")).problem(422, code);
    }
    let many: String = (0..101).map(|n| format!("category=c{n}&")).collect();
    api.get(&format!("/v1/products?{many}"))
        .problem(422, "catalog_invalid");
}

fn deliveries_add_to_the_stock(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    offer(api, "pen", "2", Some(3));
    offer(api, "advice", "2", None);
    let id = customer(api);
    sell(api, &id, "100");
    let buy = |quantity: i64| {
        let lines = json!([{"sku": "pen", "quantity": quantity}]);
        api.post("/v1/orders", &json!({"customer_id": id, "lines": lines}))
    };
    let refused = buy(5);
    refused.problem(409, "out_of_stock");
    assert_eq!(refused.json["on_hand"], 3);
    let add = |key: &str| api.post_under(key, "/v1/offers/pen/stock", &json!({"add": 4}));
    assert_eq!(add("d1").expect(200)["on_hand"], 7);
    buy(5).expect(201);
    let again = add("d1");
    assert_eq!(
        (again.expect(200)["on_hand"].as_i64(), again.replayed()),
        (Some(7), true)
    );
    assert_eq!(api.get("/v1/offers/pen").expect(200)["on_hand"], 2);
    let stock = |sku: &str, body: Value| api.post(&format!("/v1/offers/{sku}/stock"), &body);
    stock("advice", json!({"add": 1})).problem(409, "stock_not_counted");
    stock("nothing", json!({"add": 1})).problem(404, "not_found");
    for bad in [
        json!({"add": 0}),
        json!({"add": -1}),
        json!({"add": 1.5}),
        json!({"add": "1"}),
        json!({"add": 1_000_000_001_i64}),
        json!({}),
        json!({"add": 1, "sub": 1}),
        json!([1]),
    ] {
        stock("pen", bad).problem(422, "field_invalid");
    }
    assert_eq!(api.get("/v1/offers/pen").expect(200)["on_hand"], 2);
    let most = i64::MAX;
    let import = format!("{HEADER}\nfull,Full,full,1,shop,{most}\n");
    import_csv(api, "", import.as_bytes()).expect(200);
    stock("full", json!({"add": 1})).problem(422, "amount_invalid");
}

const HEADER: &str =
    "Handle,Title,Variant SKU,Variant Price,Variant Inventory Tracker,Variant Inventory Qty";

fn import_csv(api: &Api, query: &str, body: &[u8]) -> Answered {
    import_under(api, &fresh_key(), query, body)
}

fn import_under(api: &Api, key: &str, query: &str, body: &[u8]) -> Answered {
    let headers = [
        ("content-type", "text/csv; charset=utf-8"),
        ("idempotency-key", key),
    ];
    api.send(
        "POST",
        &format!("/v1/products:import{query}"),
        &headers,
        body,
    )
}

/// SHP-09: rows that are wrong are named; nothing is entered beside them unless that is asked for.
fn a_file_is_entered_whole_or_not_at_all(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let good = format!(
        "\u{feff}{HEADER}\nlamp,Lamp,lamp-1,12.50,shop,5\nlamp,,lamp-2,13,,\n\
                        größe,Größe 猫,,1,,\n"
    );
    let counts = |answer: &Answered| {
        let answer = answer.expect(200);
        [
            "products",
            "offers",
            "new_products",
            "changed_products",
            "new_offers",
            "changed_offers",
            "errors_total",
        ]
        .map(|n| answer[n].as_i64().unwrap())
    };
    let tried = import_csv(api, "?dry_run=true", good.as_bytes());
    assert_eq!(counts(&tried), [2, 3, 0, 0, 0, 0, 0]);
    assert_eq!(tried.json["entered"], false);
    assert_eq!(api.get("/v1/products").expect(200)["items"], json!([]));

    let done = import_under(api, "file-1", "", good.as_bytes());
    assert_eq!(counts(&done), [2, 3, 2, 0, 3, 0, 0]);
    assert_eq!(done.json["entered"], true);
    let again = import_under(api, "file-1", "", good.as_bytes());
    assert_eq!((again.json == done.json, again.replayed()), (true, true));
    let more = format!("{good}\n");
    import_under(api, "file-1", "", more.as_bytes()).problem(422, "idempotency_key_reused");
    // A token costs a penny.
    let lamp = api.get("/v1/offers/lamp-1");
    assert_eq!(lamp.expect(200)["price"]["amount"], "1250");
    assert_eq!(
        counts(&import_csv(api, "", good.as_bytes())),
        [2, 3, 0, 2, 0, 3, 0]
    );

    let mixed = format!(
        "{HEADER}\nlamp,Bright lamp,lamp-1,14,shop,5\nbad,Bad,,12p,,\n,No,,1,,\n\
                         pen,Pen,,1,shop,-1\ncup,Cup,,2,,\n"
    );
    let refused = import_csv(api, "", mixed.as_bytes());
    refused.problem(422, "rows_wrong");
    let rows: Vec<_> = refused.json["errors"].as_array().unwrap().iter().collect();
    assert_eq!(
        rows.iter()
            .map(|r| r["row"].as_i64().unwrap())
            .collect::<Vec<_>>(),
        [3, 4, 5]
    );
    assert!(rows[0]["problem"].as_str().unwrap().contains("12p"));
    assert_eq!(
        api.get("/v1/products/lamp").expect(200)["title"],
        "Lamp",
        "nothing was entered"
    );
    let tried = import_csv(api, "?dry_run=true&skip_errors=true", mixed.as_bytes());
    assert_eq!(counts(&tried), [2, 2, 0, 0, 0, 0, 3]);
    let skipped = import_csv(api, "?skip_errors=true", mixed.as_bytes());
    assert_eq!(counts(&skipped), [2, 2, 1, 1, 1, 1, 3]);
    assert_eq!(
        api.get("/v1/products/lamp").expect(200)["title"],
        "Bright lamp"
    );
}

/// SHP-09: a file of any encoding; what goes off sale is told with the lists that hold it.
fn a_dry_run_tells_what_goes_off_lists(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let file = format!("{HEADER},Published\ncafe,Café,cafe,1,,,true\n");
    let wide: Vec<u8> = file.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide = [&b"\xff\xfe"[..], &wide].concat();
    assert_eq!(
        import_csv(api, "", &wide).expect(200)["off_sale"],
        json!([])
    );
    assert_eq!(api.get("/v1/products/cafe").expect(200)["title"], "Café");
    let ana = customer(api);
    sell(api, &ana, "100");
    let offer = api.get("/v1/offers/cafe").expect(200)["offer_id"].clone();
    let list = format!("/v1/customers/{ana}/order-list/{}", offer.as_str().unwrap());
    assert_eq!(api.put(&list, &json!({ "quantity": 2 })).status, 204);
    let off = file.replace("true", "false");
    let latin: Vec<u8> = off.chars().map(|c| u8::try_from(c).unwrap()).collect();
    let told = json!([{ "row": 2, "sku": "cafe", "order_lists": 1 }]);
    for query in ["?dry_run=true", ""] {
        assert_eq!(import_csv(api, query, &latin).expect(200)["off_sale"], told);
    }
    assert_eq!(
        import_csv(api, "", &latin).expect(200)["off_sale"],
        json!([])
    );
}

fn files_that_cannot_be_taken_are_refused(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let good = format!("{HEADER}\nlamp,Lamp,lamp-1,12.50,shop,5\n");
    for (body, status, code) in [
        (b"".as_slice(), 422, "import_invalid"),
        (b"{\"products\": []}", 422, "import_invalid"),
        (b"Handle,T\xfftle\n", 422, "import_invalid"),
        ("\n".repeat(200_001).as_bytes(), 422, "import_too_large"),
        (&vec![b'x'; 8 * 1024 * 1024 + 1], 413, "body_too_large"),
    ] {
        import_csv(api, "", body).problem(status, code);
    }
    let many: String = (0..5_001).map(|n| format!("p{n},P,,1,,\n")).collect();
    import_csv(api, "", format!("{HEADER}\n{many}").as_bytes()).problem(422, "import_too_large");
    let wrong: String = (0..1_500).map(|n| format!("p{n},P,,x,,\n")).collect();
    let wrong = import_csv(api, "", format!("{HEADER}\n{wrong}").as_bytes());
    wrong.problem(422, "rows_wrong");
    let told = wrong.json["errors"].as_array().unwrap().len();
    assert_eq!(
        (told, wrong.json["errors_total"].as_i64()),
        (1_000, Some(1_500))
    );
    let json = [
        ("content-type", "application/json"),
        ("idempotency-key", "k"),
    ];
    api.send("POST", "/v1/products:import", &json, good.as_bytes())
        .problem(415, "media_type_unsupported");
    import_csv(api, "?dryrun=true", good.as_bytes()).problem(422, "query_invalid");
}

fn bad_products_are_refused(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let good = json!({"title": "Lamp"});
    api.put("/v1/products/lamp", &good).expect(201);
    for (field, bad) in [
        ("title", json!("")),
        ("title", json!("t".repeat(10_000))),
        ("title", json!("two\nlines")),
        ("title", json!("nul\u{0}")),
        ("title", json!(null)),
        ("title", json!(1)),
        ("description", json!("d".repeat(100_001))),
        ("description", json!("\u{1b}[31m")),
        ("category", json!("c".repeat(201))),
        ("image_url", json!("u".repeat(2_001))),
        ("download_kb", json!(-1)),
        ("download_kb", json!(1_000_000_000_001_i64)),
        ("download_kb", json!(1.5)),
        ("handle", json!("lamp")),
    ] {
        let mut body = good.clone();
        body[field] = bad;
        let refused = api.put("/v1/products/lamp", &body);
        let told = refused.problem(422, "field_invalid");
        assert!(told.contains(field), "{field}: {told}");
    }
    api.put("/v1/products/lamp", &json!({"title": " \u{a0}"}))
        .problem(422, "catalog_invalid");
    let long = json!({"title": "ü".repeat(500), "description": "日".repeat(100_000)});
    api.put("/v1/products/lamp", &long).expect(200);
}

fn bad_offers_are_refused(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    api.put("/v1/products/lamp", &json!({"title": "Lamp"}))
        .expect(201);
    let at = "/v1/products/lamp/offers/lamp";
    let tier = |up_to: Value, price: &str| json!({"up_to": up_to, "price": price});
    for (body, code) in [
        (json!({"kind": "purchase"}), "catalog_invalid"),
        (
            json!({"kind": "purchase", "price": null, "tiers": []}),
            "catalog_invalid",
        ),
        (
            json!({"kind": "uses", "price": "1", "tiers": [tier(json!(1), "1")]}),
            "catalog_invalid",
        ),
        (
            json!({"kind": "uses", "tiers": [tier(json!(5), "1"), tier(json!(5), "2")]}),
            "catalog_invalid",
        ),
        (
            json!({"kind": "uses", "tiers": [tier(json!(0), "1")]}),
            "field_invalid",
        ),
        (
            json!({"kind": "uses", "tiers": vec![tier(json!(1), "1"); 101]}),
            "field_invalid",
        ),
        (json!({"kind": "gift", "price": "1"}), "field_invalid"),
        (json!({"kind": "Purchase", "price": "1"}), "field_invalid"),
        (json!({"price": "1"}), "field_invalid"),
        (json!({"kind": "purchase", "price": 1}), "field_invalid"),
        (json!({"kind": "purchase", "price": "-1"}), "field_invalid"),
        (json!({"kind": "purchase", "price": "1e3"}), "field_invalid"),
        (json!({"kind": "purchase", "price": "1,5"}), "field_invalid"),
        (
            json!({"kind": "purchase", "price": "0.0000001"}),
            "amount_invalid",
        ),
        (
            json!({"kind": "purchase", "price": "9999999999999"}),
            "amount_invalid",
        ),
        (
            json!({"kind": "purchase", "price": "1", "initial_stock": -1}),
            "field_invalid",
        ),
        (
            json!({"kind": "purchase", "price": "1", "active": "yes"}),
            "field_invalid",
        ),
        (
            json!({"kind": "purchase", "price": "1", "variant": "v".repeat(201)}),
            "field_invalid",
        ),
        (
            json!({"kind": "purchase", "price": "1", "sku": "x"}),
            "field_invalid",
        ),
    ] {
        api.put(at, &body).problem(422, code);
    }
    let fine = json!({"kind": "purchase", "price": "0"});
    api.put("/v1/products/nothing/offers/x", &fine)
        .problem(404, "not_found");
    api.put("/v1/products/lamp/offers/a%26b", &fine)
        .problem(422, "catalog_invalid");
    api.get("/v1/offers/lamp").problem(404, "not_found");
}
