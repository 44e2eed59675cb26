//! Reserved pieces and parcels on the pages, without script, and over the API.

use crate::club::{Club, Member, says};
use crate::pages_order::{CONFIRM, LIST, confirm, form, put};
use scrip_testkit::TestDb;
use serde_json::json;

both!(
    the_pages_say_what_is_reserved,
    a_parcel_from_the_confirmation_to_its_door,
    two_staff_move_one_parcel,
    the_api_takes_addresses_and_moves_parcels,
);

fn reserving(club: &Club<'_>, minutes: i64) {
    let held = club.api.get("/v1/vendor/policy").expect(200)["version"].clone();
    let policy = json!({"checkout": {"reserve_minutes": minutes}});
    let body = json!({"version": held, "policy": policy});
    club.api.put("/v1/vendor/policy", &body).expect(200);
}

/// SHP-09, SHP-13: the list, the confirmation and the product page say what is reserved; somebody
/// else is told why there are fewer.
fn the_pages_say_what_is_reserved(db: &TestDb) {
    let club = Club::start(db);
    let pot = club.offer("pot", "Clay pot", 10, Some(3));
    let (ana, ben) = (club.member("Ana", 500), club.member("Ben", 500));
    put(&ana.visitor, &pot, 2);
    let product = "/shops/club/shop/p/pot";
    let page = ana.visitor.get(LIST);
    assert!(
        !page.page(200).contains("Reserve"),
        "nothing is reserved here"
    );
    reserving(&club, 15);
    says(&ana.visitor.get(LIST), 200, &["Reserve these pieces"]);
    ana.visitor.post(LIST, &[("reserve", "yes")]).see();
    let page = ana.visitor.get(LIST);
    let page = says(&page, 200, &["Reserved for you until <time"]);
    assert!(!page.contains("Reserve these pieces"));
    says(&ana.visitor.get(CONFIRM), 200, &["Reserved for you until"]);
    says(
        &ana.visitor.get(product),
        200,
        &["2 reserved for you until"],
    );
    says(
        &ben.visitor.get(product),
        200,
        &["2 reserved by others for now", "In stock, 1 left"],
    );
    put(&ben.visitor, &pot, 3);
    let few = "Only 1 free, others have reserved the rest";
    says(&ben.visitor.get(LIST), 200, &[few]);
    let page = ben.visitor.get(CONFIRM);
    let few = "Only 1 of Clay pot are free, because others have reserved the rest";
    let page = says(&page, 200, &[few]);
    let listed = club
        .api
        .get(&format!("/v1/customers/{}/order-list", ben.id));
    let line = listed.expect(200)["lines"][0].clone();
    assert_eq!(
        (line["on_hand"].clone(), line["reserved_by_others"].clone()),
        (json!(3), json!(2))
    );
    assert_eq!(line["reserved"]["pieces"], 1);
    // The page was drawn with one; three are asked for.
    let mut fields = form(&page);
    for (name, value) in &mut fields {
        if name == "quantity" {
            "3".clone_into(value);
        }
    }
    let told = confirm(&ben.visitor, &fields);
    says(
        &told,
        409,
        &["Nothing was taken", "others have reserved the rest"],
    );
    let body = json!({"customer_id": ben.id, "lines": [{"sku": "pot", "quantity": 3}]});
    let told = club.api.post("/v1/orders", &body);
    told.problem(409, "reserved");
    assert_eq!(
        (&told.json["on_hand"], &told.json["reserved"]),
        (&json!(1), &json!(2))
    );
    let page = ana.visitor.get(CONFIRM);
    confirm(&ana.visitor, &form(page.page(200))).see();
    assert_eq!(club.on_hand("pot"), 1);
    let stock = club.visitor().get(product);
    assert!(!stock.page(200).contains("reserved by others") || stock.text.contains("1 reserved"));
}

const TO: [(&str, &str); 5] = [
    ("to_name", "Wilma Quack"),
    ("to_lines", "17 Unusual Street"),
    ("to_postal_code", "OD1 7XX"),
    ("to_city", "Oddtown"),
    ("to_country", "Ireland"),
];

fn with_address(page: &str) -> Vec<(String, String)> {
    let mut fields = form(page);
    fields.extend(TO.map(|(name, value)| (name.to_owned(), value.to_owned())));
    fields
}

/// An order of a pen and a vase, which is sent, and where its receipt is; the confirmation asks
/// where to and keeps what was typed.
fn ordered(club: &Club<'_>, ana: &Member, vase: &str) -> String {
    let pen = club.offer("pen", "Pen", 5, None);
    put(&ana.visitor, &pen, 1);
    let page = ana.visitor.get(CONFIRM);
    assert!(
        !page.page(200).contains("Where it is sent to"),
        "nothing is sent"
    );
    put(&ana.visitor, vase, 1);
    let page = ana.visitor.get(CONFIRM);
    let page = says(
        &page,
        200,
        &["Where it is sent to", "value=\"Ana\"", "Postal code"],
    );
    let missing = confirm(&ana.visitor, &form(&page));
    let words = ["Say where the order is sent to.", "Nothing was taken."];
    let again = says(&missing, 422, &words);
    let mut wrong = with_address(&again);
    wrong.retain(|(name, _)| name != "to_city");
    let told = confirm(&ana.visitor, &wrong);
    let words = [
        "The city is empty: fill it in",
        "17 Unusual Street",
        "aria-invalid",
    ];
    let page = says(&told, 422, &words);
    assert_eq!(club.available(&ana.id), "500");
    confirm(&ana.visitor, &with_address(&page)).see().to_owned()
}

/// SHP-12, SHP-13, REG-13: the confirmation asks where to, keeps what was typed, the receipt says
/// how far it is, staff pack and send it.
fn a_parcel_from_the_confirmation_to_its_door(db: &TestDb) {
    let club = Club::start(db);
    let ana = club.member("Ana", 500);
    let vase = club.shipped_offer("vase", "Glass vase", 30);
    let at = ordered(&club, &ana, &vase);
    let receipt = says(
        &ana.visitor.get(&at),
        200,
        &["Where it is sent to", "To be packed", "Oddtown"],
    );
    assert!(!receipt.contains("Tracking"));
    let order = at.rsplit('/').next().unwrap();
    let cashier = club.staff("cashier");
    let queue = says(
        &cashier.get("/shops/club/staff/shipping"),
        200,
        &["1 × Glass vase"],
    );
    assert!(!queue.contains("Pen"), "only what is sent");
    let page = format!("/shops/club/staff/orders/{order}");
    let slip = cashier.get(&format!("{page}/packing-slip"));
    let slip = says(
        &slip,
        200,
        &["Glass vase", "17 Unusual Street", "OD1 7XX Oddtown"],
    );
    assert!(!slip.contains("tokens</"), "a slip says no prices");
    let step = format!("{page}/shipment");
    let no_carrier = [("from", "to_pack"), ("to", "shipped"), ("number", "17")];
    let told = cashier.post(&step, &no_carrier);
    says(
        &told,
        422,
        &["The carrier is empty: fill it in", "value=\"17\""],
    );
    let sent = [
        ("from", "to_pack"),
        ("to", "shipped"),
        ("carrier", "Post"),
        ("number", "1Z 9"),
    ];
    let done = cashier.post(&step, &sent);
    let page = cashier.get(done.see());
    says(
        &page,
        200,
        &["The parcel moved on.", "It is now: shipped.", "It arrived"],
    );
    says(&ana.visitor.get(&at), 200, &["Shipped", "Post", "1Z 9"]);
    let ben = club.member("Ben", 60);
    assert_eq!(ben.visitor.get(&at).status, 404, "not everybody's");
    // The next time the form begins with it.
    put(&ana.visitor, &vase, 1);
    says(
        &ana.visitor.get(CONFIRM),
        200,
        &["value=\"Wilma Quack\"", "value=\"Oddtown\""],
    );
    let auditor = club.staff("auditor");
    let looks = auditor.get(&format!("/shops/club/staff/orders/{order}"));
    assert!(
        !looks.page(200).contains("It arrived"),
        "an auditor moves nothing"
    );
    assert_eq!(auditor.post(&step, &sent).status, 403);
}

/// SHP-13: of two staff, the second is told what holds by then, and nothing is done twice.
fn two_staff_move_one_parcel(db: &TestDb) {
    let club = Club::start(db);
    let ana = club.member("Ana", 500);
    let order = club.parcel(&ana.id, "vase");
    let (cashier, owner) = (club.staff("cashier"), club.staff("owner"));
    let step = format!("/shops/club/staff/orders/{order}/shipment");
    cashier
        .post(&step, &[("from", "to_pack"), ("to", "cancelled")])
        .see();
    let sent = [("from", "to_pack"), ("to", "shipped"), ("carrier", "Post")];
    let told = owner.post(&step, &sent);
    let words = [
        "Somebody moved this parcel meanwhile, it is cancelled now",
        "Not sent",
    ];
    says(&told, 409, &words);
    let back = owner.post(
        &step,
        &[
            ("from", "cancelled"),
            ("to", "shipped"),
            ("carrier", "Post"),
        ],
    );
    says(
        &back,
        409,
        &["A parcel that is cancelled cannot become shipped"],
    );
    let odd = owner.post(&step, &[("from", "cancelled"), ("to", "to_pack")]);
    assert_eq!(odd.status, 422);
    let odd = owner.post(&step, &[("from", "cancelled"), ("to", "lost")]);
    assert_eq!(odd.status, 422);
}

/// SHP-12, SHP-13: the same rules over the API; a repeated request has one effect, and another
/// address under the same key is another request.
fn the_api_takes_addresses_and_moves_parcels(db: &TestDb) {
    let club = Club::start(db);
    let ana = club.member("Ana", 500);
    club.shipped_offer("vase", "Glass vase", 30);
    let order = |to: serde_json::Value| {
        let lines = json!([{"sku": "vase", "quantity": 1}]);
        json!({"customer_id": ana.id, "lines": lines, "delivery_address": to})
    };
    let to = json!({"name": "W", "lines": "1 Road", "city": "Town", "country": "Ireland"});
    let none = club.api.post("/v1/orders", &order(json!(null)));
    none.problem(422, "address_missing");
    let mut no_city = to.clone();
    no_city["city"] = json!("  ");
    let told = club.api.post("/v1/orders", &order(no_city));
    told.problem(422, "address_invalid");
    assert_eq!(told.json["field"], "city");
    let key = [
        ("idempotency-key", "vase-1"),
        ("content-type", "application/json"),
    ];
    let send = |body: serde_json::Value| {
        club.api
            .send("POST", "/v1/orders", &key, body.to_string().as_bytes())
    };
    let placed = send(order(to.clone()));
    let id = placed.expect(201)["order_id"].as_str().unwrap().to_owned();
    assert_eq!(send(order(to.clone())).expect(201)["order_id"], id.as_str());
    let mut elsewhere = to.clone();
    elsewhere["city"] = json!("Village");
    send(order(elsewhere)).problem(422, "idempotency_key_reused");
    assert_eq!(club.available(&ana.id), "470");
    let path = format!("/v1/orders/{id}/shipment");
    let parcel = club.api.get(&path).expect(200).clone();
    assert_eq!(
        (parcel["state"].clone(), parcel["address"]["city"].clone()),
        (json!("to_pack"), json!("Town"))
    );
    assert_eq!(parcel["carrier"], json!(null));
    let waiting = club.api.get("/v1/shipments").expect(200)["items"].clone();
    assert_eq!(waiting[0]["order_id"], id.as_str());
    assert!(
        waiting[0].get("address").is_none(),
        "a list says no addresses"
    );
    let step =
        json!({"from": "to_pack", "state": "shipped", "carrier": "Post", "tracking_number": "1Z"});
    club.api.put(&path, &step).expect(200);
    let told = club.api.put(&path, &step);
    told.problem(409, "shipment_moved");
    assert_eq!(told.json["now"], "shipped");
    let early = json!({"from": "shipped", "state": "cancelled"});
    club.api.put(&path, &early).problem(409, "shipment_step");
    let odd = json!({"from": "shipped", "state": "delivered", "carrier": "Post"});
    club.api.put(&path, &odd).problem(422, "shipment_invalid");
    assert_eq!(club.api.get(&path).expect(200)["tracking_number"], "1Z");
    let pen = club.offer("pen", "Pen", 5, None);
    assert!(!pen.is_empty());
    let plain = club.order(&ana.id, &[("pen", 1)]);
    club.api
        .get(&format!("/v1/orders/{plain}/shipment"))
        .problem(404, "not_found");
}
