//! What the tests of the shop `retail` put on its shelves, who shops there, and how pages are read.

use crate::client::{Api, Served};
use crate::visitor::Visitor;
use serde_json::{Value, json};

pub const SHOP: &str = "/shops/retail/shop";
pub const LIST: &str = "/shops/retail/list";
pub const CONFIRM: &str = "/shops/retail/confirm";
const PIN: &str = "40712";

/// Enters a product with its offers: SKU and body.
pub fn product(api: &Api, handle: &str, body: &Value, offers: &[(&str, Value)]) {
    let path = |text: &str| {
        text.replace('%', "%25")
            .replace('/', "%2F")
            .replace(' ', "%20")
    };
    let product = format!("/v1/products/{}", path(handle));
    let put = api.put(&product, body);
    assert!(matches!(put.status, 200 | 201), "{}", put.text);
    for (sku, offer) in offers {
        let put = api.put(&format!("{product}/offers/{}", path(sku)), offer);
        assert!(matches!(put.status, 200 | 201), "{}", put.text);
    }
}

pub fn priced(price: &str) -> Value {
    json!({"kind": "purchase", "price": price})
}

pub fn tiered(kind: &str, tiers: &[(i64, &str)]) -> Value {
    let tiers: Vec<Value> = tiers
        .iter()
        .map(|(up_to, price)| json!({"up_to": up_to, "price": price}))
        .collect();
    json!({"kind": kind, "tiers": tiers})
}

pub fn sells(api: &Api, what: &str) {
    let front = json!({"hue": "cobalt", "mark": "star", "sells": what});
    api.put("/v1/vendor/storefront", &front).expect(200);
}

/// The four programs of the requirements, at a shop that sells software.
pub fn programs(api: &Api) {
    sells(api, "software");
    let processings = tiered("processings", &[(100, "10"), (1000, "80"), (10_000, "600")]);
    let time = tiered("time", &[(30, "24")]);
    let uses = tiered("uses", &[(50, "40")]);
    for (name, offers) in [
        ("A", vec![("a", priced("100"))]),
        ("B", vec![("b", priced("240")), ("bt", time)]),
        ("C", vec![("c", priced("160")), ("cu", uses)]),
        ("D", vec![("d", processings)]),
    ] {
        let body = json!({
            "title": format!("Software {name}"), "category": "Drawing", "download_kb": 86_000,
            "description": "Repairs drawings. All of them.", "manufacturer": "Rasterworks",
        });
        product(api, &format!("software-{name}"), &body, &offers);
    }
}

/// A customer with tokens, signed in: the browser, and the id.
pub fn shopper(served: &Served<'_>, api: &Api, slug: &str, tokens: i64) -> (Visitor, String) {
    let body = json!({"person": {"name": "Ana Lind"}, "pin": PIN});
    let made = api.post("/v1/customers", &body);
    let made = made.expect(201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let (id, number) = (text("customer_id"), text("number"));
    if tokens > 0 {
        let body = json!({"tokens": tokens.to_string(), "card": "test_ok"});
        let path = format!("/v1/customers/{id}/token-orders");
        api.post(&path, &body).expect(201);
    }
    let visitor = Visitor::new(served);
    sign_in(&visitor, slug, &number);
    (visitor, id)
}

pub fn sign_in(visitor: &Visitor, slug: &str, number: &str) {
    let path = format!("/shops/{slug}/sign-in");
    visitor
        .post(&path, &[("name", number), ("secret", PIN)])
        .see();
}

/// The id of an offer.
pub fn offer(api: &Api, sku: &str) -> String {
    let found = api.get(&format!("/v1/offers/{sku}"));
    found.expect(200)["offer_id"].as_str().unwrap().to_owned()
}

/// Required, available, remaining of the order list on a page, as read aloud.
pub fn figures(page: &str) -> Vec<String> {
    let list = page.split("<dl class=\"trio\" aria-live").nth(1).unwrap();
    let list = list.split("</dl>").next().unwrap();
    let parts = list.split("<dt>").skip(1);
    parts
        .map(|part| {
            let (label, rest) = part.split_once("</dt>").unwrap();
            let number = match rest.split_once("</svg>") {
                Some((_, rest)) => rest.split('<').next().unwrap(),
                None => "unknown",
            };
            format!("{label} {number}")
        })
        .collect()
}

/// Values of the fields of a name, in order.
pub fn values<'p>(page: &'p str, name: &str) -> Vec<&'p str> {
    let begin = format!(" name=\"{name}\" value=\"");
    let after = page.split(begin.as_str()).skip(1);
    after.filter_map(|rest| rest.split('"').next()).collect()
}

/// Posts as the script does; the list.
pub fn live(visitor: &Visitor, fields: &[(&str, &str)]) -> String {
    let referer = format!("http://localhost{SHOP}");
    let headers = [("x-fragment", "list"), ("referer", referer.as_str())];
    let answer = visitor.post_with(LIST, &headers, fields);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(!answer.text.contains("<html"), "{}", answer.text);
    assert!(answer.text.contains("id=\"order-list\"") && answer.text.contains("class=\"stub\""));
    answer.text
}

/// A program with what its cells hold: nothing, or its texts.
pub fn cells(page: &str, title: &str) -> Vec<Option<String>> {
    let row = page
        .split("<tr role=\"row\">")
        .find(|row| row.contains(&format!("<bdi>{title}</bdi></span><br>")))
        .unwrap();
    let cells = row.split("<td").skip(1);
    cells
        .map(|cell| {
            (!cell.starts_with(" class=\"none\""))
                .then(|| cell.split("</td>").next().unwrap().to_owned())
        })
        .collect()
}
