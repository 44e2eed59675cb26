//! The table: every operation with the scope that it needs, an address and a body.

use super::{DISPUTE, Door, Foreign, SKU, World};
use crate::api_promotions::in_days;
use serde_json::{Value, json};

/// All operations, each as a door to be tried.
struct Doors<'a> {
    world: &'a World,
    all: Vec<Door>,
}

/// Every operation, in an order in which each can be done.
pub(super) fn doors(world: &World) -> Vec<Door> {
    let mut doors = Doors {
        world,
        all: Vec::new(),
    };
    doors.add_reads();
    doors.add_creations();
    doors.add_settings();
    doors.add_sales();
    doors.add_mall();
    doors.add_accounts();
    doors.add_cards();
    doors.add_endings();
    let mut doors = doors.all;
    // What these need in their query.
    for (template, query) in [
        ("/v1/ledger/export", "?format=csv"),
        ("/v1/token-price", "?tokens=10"),
    ] {
        for door in doors.iter_mut().filter(|d| d.template == template) {
            door.address.push_str(query);
        }
    }
    doors
}

impl Doors<'_> {
    fn door(
        &mut self,
        method: &'static str,
        template: &'static str,
        scope: &'static str,
        id: &str,
        body: Value,
    ) {
        let address = template.replacen("{id}", id, 1).replacen("{handle}", id, 1);
        let address = address.replace("{sku}", SKU).replacen("{report}", id, 1);
        let address = address
            .replace("{vendor}", "bakery")
            .replace("{dispute}", DISPUTE)
            .replace("{code}", "kettle")
            .replace("{order}", &self.world.open_order);
        let address = address.replace("{card_id}", &self.world.card);
        let address = address.replace("{image_id}", &self.world.image);
        let address = address.replace("{offer_id}", &self.world.offer);
        let is_named =
            self.world.is_named_in(&address) || self.world.is_named_in(&body.to_string());
        self.all.push(Door {
            method,
            template,
            scope,
            address,
            body,
            foreign: match is_named {
                true if template == "/v1/orders:batch" => Foreign::NotFoundInside,
                true => Foreign::NotFound,
                false => Foreign::Own,
            },
        });
    }

    fn add_reads(&mut self) {
        for (template, scope) in [
            ("/v1/api-keys", "keys:write"),
            ("/v1/audit", "vendor:read"),
            ("/v1/categories", "catalog:read"),
            ("/v1/customers", "customers:read"),
            ("/v1/disputes", "reports:read"),
            ("/v1/paybacks", "reports:read"),
            ("/v1/mall", "vendor:read"),
            ("/v1/mall/statement", "reports:read"),
            ("/v1/mall/open-tokens", "vendor:read"),
            ("/v1/mall/uses", "reports:read"),
            ("/v1/mall/invoices", "reports:read"),
            ("/v1/mall/disputes", "reports:read"),
            ("/v1/gift-certificates", "reports:read"),
            ("/v1/ledger/entries", "ledger:read"),
            ("/v1/ledger/export", "ledger:read"),
            ("/v1/ledger/verification", "ledger:read"),
            ("/v1/orders", "orders:read"),
            ("/v1/products", "catalog:read"),
            ("/v1/refund-requests", "orders:read"),
            ("/v1/shipments", "orders:read"),
            ("/v1/reports/sales", "reports:read"),
            ("/v1/reports/today", "reports:read"),
            ("/v1/staff", "vendor:read"),
            ("/v1/offline-orders", "customers:read"),
            ("/v1/offline-orders/ageing", "customers:read"),
            ("/v1/promotions", "vendor:read"),
            ("/v1/token-packs", "vendor:read"),
            ("/v1/token-price", "vendor:read"),
            ("/v1/token-tiers", "vendor:read"),
            ("/v1/vendor/country-prices", "vendor:read"),
            ("/v1/vendor/token-price-history", "vendor:read"),
            ("/v1/vendor", "vendor:read"),
            ("/v1/vendor/policy", "vendor:read"),
            ("/v1/vendor/storefront", "vendor:read"),
            ("/v1/vendor/token-prices", "vendor:read"),
            ("/v1/webhook-endpoints", "webhooks:write"),
        ] {
            self.door("GET", template, scope, "", Value::Null);
        }
        let figures = "/v1/reports/figures/{report}";
        self.door("GET", figures, "reports:read", "sales", Value::Null);
        self.add_reads_of_one();
    }

    fn add_reads_of_one(&mut self) {
        let customer = self.world.customer.as_str();
        for (template, scope) in [
            ("/v1/customers/{id}", "customers:read"),
            ("/v1/customers/{id}/balance", "customers:read"),
            ("/v1/customers/{id}/cards", "customers:read"),
            ("/v1/customers/{id}/top-up", "customers:read"),
            ("/v1/customers/{id}/history", "customers:read"),
            ("/v1/customers/{id}/order-list", "orders:read"),
            ("/v1/customers/{id}/orders", "orders:read"),
            ("/v1/customers/{id}/identity-check", "customers:read"),
            ("/v1/customers/{id}/person", "customers:read"),
            ("/v1/customers/{id}/gifts", "customers:read"),
            ("/v1/customers/{id}/offline-orders", "customers:read"),
            ("/v1/customers/{id}/token-orders", "customers:read"),
        ] {
            self.door("GET", template, scope, customer, Value::Null);
        }
        let card_order = self.world.card_order.as_str();
        let (registration, order) = (self.world.registration.as_str(), self.world.order.as_str());
        for (template, scope, id) in [
            ("/v1/registrations/{id}", "customers:read", registration),
            ("/v1/orders/{id}", "orders:read", order),
            ("/v1/orders/{id}/shipment", "customers:read", order),
            (
                "/v1/promotions/{id}",
                "vendor:read",
                self.world.promotion.as_str(),
            ),
            (
                "/v1/token-orders/{id}",
                "customers:read",
                self.world.token_order.as_str(),
            ),
            ("/v1/card-orders/{id}", "orders:read", card_order),
            (
                "/v1/offline-orders/{id}",
                "customers:read",
                self.world.offline[0].as_str(),
            ),
            ("/v1/products/{handle}", "catalog:read", SKU),
            ("/v1/products/{handle}/images", "catalog:read", SKU),
            ("/v1/offers/{sku}", "catalog:read", ""),
        ] {
            self.door("GET", template, scope, id, Value::Null);
        }
    }

    fn add_creations(&mut self) {
        let customer = self.world.customer.as_str();
        let bought = json!({"customer_id": customer, "lines": [{"sku": SKU, "quantity": 1}]});
        let mut by_card = bought.clone();
        by_card["card"] = json!("test_ok");
        let returned = json!({"customer_id": customer, "reference": "CN-1",
            "goods": [{"sku": SKU, "unit_price": "2", "quantity": 1}]});
        let hook = json!({"url": "https://shop.example/more"});
        for (template, scope, body) in [
            (
                "/v1/api-keys",
                "keys:write",
                json!({"name": "more", "scopes": ["keys:write"]}),
            ),
            ("/v1/customers", "customers:write", json!({})),
            ("/v1/goods-returns", "refunds:write", returned),
            ("/v1/orders", "orders:write", bought.clone()),
            ("/v1/card-orders", "orders:write", by_card),
            (
                "/v1/orders:batch",
                "orders:write",
                json!({"orders": [&bought]}),
            ),
            (
                "/v1/products:import",
                "catalog:write",
                json!("Handle,Title,Variant Price\na,A,1\n"),
            ),
            ("/v1/quotes", "orders:read", bought),
            ("/v1/registrations", "customers:write", Value::Null),
            (
                "/v1/staff",
                "vendor:write",
                json!({"name": "Ada", "role": "auditor"}),
            ),
            ("/v1/token-orders:resolve", "tokens:write", Value::Null),
            (
                "/v1/promotions",
                "vendor:write",
                json!({"name": "Sale", "ends_at": in_days(2), "rate": 500}),
            ),
            (
                "/v1/token-packs",
                "vendor:write",
                json!({"name": "Silver set", "tokens": "100", "off": 500}),
            ),
            (
                "/v1/vendor/country-prices",
                "vendor:write",
                json!({"country": "CH", "price": "0.02"}),
            ),
            (
                "/v1/vendor/token-prices",
                "vendor:write",
                json!({"price": "0.02"}),
            ),
            ("/v1/webhook-endpoints", "webhooks:write", hook),
        ] {
            self.door("POST", template, scope, "", body);
        }
    }

    fn add_settings(&mut self) {
        let customer = self.world.customer.as_str();
        let storefront = json!({"hue": "moss", "mark": "leaf", "sells": "goods"});
        self.door(
            "PUT",
            "/v1/vendor/storefront",
            "vendor:write",
            "",
            storefront,
        );
        let policy = json!({"version": 0, "policy": {"checkout": {"cash_shown": true}}});
        self.door("PUT", "/v1/vendor/policy", "vendor:write", "", policy);
        let line = json!({"quantity": 1});
        self.door(
            "PUT",
            "/v1/customers/{id}/order-list/{offer_id}",
            "orders:write",
            customer,
            line,
        );
        self.door(
            "DELETE",
            "/v1/customers/{id}/order-list/{offer_id}",
            "orders:write",
            customer,
            Value::Null,
        );
        self.door(
            "PUT",
            "/v1/products/{handle}",
            "catalog:write",
            "another",
            json!({"title": "Lamp"}),
        );
        let offer = json!({"kind": "purchase", "price": "2"});
        self.door(
            "PUT",
            "/v1/products/{handle}/offers/{sku}",
            "catalog:write",
            SKU,
            offer,
        );
        self.door(
            "POST",
            "/v1/offers/{sku}/stock",
            "catalog:write",
            "",
            json!({"add": 1}),
        );
        self.door(
            "POST",
            "/v1/offers/{sku}/stock-corrections",
            "catalog:write",
            "",
            json!({"had": null, "has": 1, "reason": "counted"}),
        );
    }

    fn add_sales(&mut self) {
        let (world, tiers) = (self.world, json!({"seen": [], "tiers": []}));
        let pack = json!({"version": 1, "pack": {"name": "Gold", "tokens": "10", "off": 500}});
        self.door("PUT", "/v1/token-tiers", "vendor:write", "", tiers);
        self.door(
            "PUT",
            "/v1/token-packs/{id}",
            "vendor:write",
            &world.pack,
            pack,
        );
        let coupon = json!({
            "name": "Autumn", "begins_at": in_days(1), "ends_at": in_days(4), "rate": 900,
            "coupon": {},
        });
        let id = world.promotion.as_str();
        let change = json!({"version": 1, "promotion": coupon});
        self.door("PUT", "/v1/promotions/{id}", "vendor:write", id, change);
        for (template, body) in [
            ("/v1/promotions/{id}/codes", json!({"count": 2})),
            ("/v1/promotions/{id}/stop", Value::Null),
        ] {
            self.door("POST", template, "vendor:write", id, body);
        }
        let [first, second, third] = &world.offline;
        let ordered = json!({"tokens": "5", "means": "check"});
        for (template, scope, id, body) in [
            (
                "/v1/token-packs/{id}/withdraw",
                "vendor:write",
                &world.pack,
                Value::Null,
            ),
            (
                "/v1/customers/{id}/gifts",
                "tokens:write",
                &world.customer,
                json!({"tokens": "5", "route": "contest", "reason": "First prize"}),
            ),
            (
                "/v1/customers/{id}/offline-orders",
                "tokens:write",
                &world.customer,
                ordered,
            ),
            (
                "/v1/offline-orders/{id}/accept",
                "tokens:write",
                first,
                Value::Null,
            ),
            (
                "/v1/offline-orders/{id}/payments",
                "tokens:write",
                first,
                json!({}),
            ),
            (
                "/v1/offline-orders/{id}/fail",
                "tokens:write",
                second,
                json!({"reason": "No money."}),
            ),
            (
                "/v1/offline-orders/{id}/cancel",
                "tokens:write",
                third,
                Value::Null,
            ),
        ] {
            self.door("POST", template, scope, id, body);
        }
    }

    fn add_mall(&mut self) {
        let acceptance = "/v1/mall/acceptance/{vendor}";
        for method in ["PUT", "DELETE"] {
            self.door(method, acceptance, "vendor:write", "", Value::Null);
        }
        let wrong = json!({"event_id": self.world.event, "reason": "It came back"});
        self.door("POST", "/v1/mall/disputes", "vendor:write", "", wrong);
        let quotes = "/v1/customers/{id}/exchange-quotes";
        let wanted = json!({"to": "bakery", "tokens": "1"});
        let customer = self.world.customer.as_str();
        self.door("POST", quotes, "orders:write", customer, wanted);
        let taken = json!({"exchange_id": self.world.exchange});
        self.door("POST", "/v1/exchanges", "orders:write", "", taken);
        self.add_open();
    }

    fn add_open(&mut self) {
        let customer = self.world.customer.as_str();
        let of_customer = "/v1/customers/{id}/open-tokens";
        self.door("GET", of_customer, "customers:read", customer, Value::Null);
        let acceptance = "/v1/mall/gift-acceptance/{vendor}";
        for method in ["PUT", "DELETE"] {
            self.door(method, acceptance, "vendor:write", "", Value::Null);
        }
        let issued = json!({
            "customer_id": customer, "kind": "universal", "tokens": "25", "origin": "paid",
        });
        let many = json!({"face": "5", "count": 2, "origin": "free"});
        let discount = json!({"kind": "universal", "percent": "5"});
        let (cap, paid) = (json!({"cap_percent": "20"}), json!({"grant_id": 9_999_999}));
        let listed = "/v1/mall/products/{code}";
        for (method, template, scope, body) in [
            ("POST", "/v1/open-tokens", "tokens:write", issued),
            ("POST", "/v1/gift-certificates", "tokens:write", many),
            ("PUT", "/v1/open-tokens/discount", "vendor:write", discount),
            ("POST", "/v1/open-tokens/payments", "tokens:write", paid),
            (
                "PUT",
                "/v1/mall/franchise-value",
                "vendor:write",
                json!({"value": "0.01"}),
            ),
            ("PUT", listed, "vendor:write", cap),
        ] {
            self.door(method, template, scope, "", body);
        }
        self.door("DELETE", listed, "vendor:write", "", Value::Null);
        if let Some(delisting) = self.all.last_mut() {
            delisting.foreign = Foreign::NotFound;
        }
        let wanted = json!({"at": "retail", "lines": [{"sku": SKU, "quantity": 1}]});
        let code = json!({"code": "7Q2XK-M4T9A"});
        let other = json!({"at": "retail", "pay_with": "gift"});
        for (method, template, body) in [
            ("POST", "/v1/customers/{id}/gift-certificates", code),
            ("POST", "/v1/customers/{id}/open-quotes", wanted.clone()),
            ("POST", "/v1/customers/{id}/open-orders", wanted),
            (
                "PUT",
                "/v1/customers/{id}/open-orders/{order}/payment",
                other,
            ),
        ] {
            self.door(method, template, "orders:write", customer, body);
        }
        let (back, order) = (
            "/v1/orders/{id}/open-reversal",
            self.world.open_order.as_str(),
        );
        self.door("POST", back, "refunds:write", order, json!({}));
    }

    fn add_accounts(&mut self) {
        let customer = self.world.customer.as_str();
        let pin = json!({"pin": "4719"});
        let change = json!({"old_pin": "4719", "pin": "8305"});
        let code = json!({"code": "7Q2XK-M4T9A", "pin": "8305"});
        self.door(
            "PUT",
            "/v1/customers/{id}/pin",
            "customers:write",
            customer,
            pin.clone(),
        );
        for (template, scope, body) in [
            ("/v1/customers/{id}/pin-changes", "customers:write", change),
            (
                "/v1/customers/{id}/pin-resets",
                "customers:write",
                Value::Null,
            ),
            (
                "/v1/customers/{id}/pin-resets:finish",
                "customers:write",
                code,
            ),
            ("/v1/customers/{id}/verifications", "customers:read", pin),
            (
                "/v1/customers/{id}/identity-checks",
                "customers:write",
                json!({"question": "First school?", "answer": "Oak"}),
            ),
            (
                "/v1/customers/{id}/payment-sessions",
                "tokens:write",
                Value::Null,
            ),
            (
                "/v1/customers/{id}/token-orders",
                "tokens:write",
                json!({"tokens": "5", "card": "test_ok"}),
            ),
        ] {
            self.door("POST", template, scope, customer, body);
        }
    }

    fn add_cards(&mut self) {
        let (customer, card) = (self.world.customer.as_str(), self.world.card.as_str());
        let rule = json!({"card_id": card, "below": "5", "tokens": "10"});
        let top_up = "/v1/customers/{id}/top-up";
        self.door("PUT", top_up, "tokens:write", customer, rule);
        self.door("DELETE", top_up, "tokens:write", customer, Value::Null);
        let kept = "/v1/customers/{id}/cards/{card_id}";
        self.door("DELETE", kept, "tokens:write", customer, Value::Null);
        let decision = json!({"decision": "leave", "reason": "A mistake of the bank"});
        let dispute = "/v1/disputes/{dispute}/decision";
        self.door("POST", dispute, "refunds:write", "", decision);
        let settled = json!({"reference": "TR 1"});
        let payback = "/v1/paybacks/{id}/settlement";
        let order = self.world.token_order.as_str();
        self.door("POST", payback, "refunds:write", order, settled);
        let add = "/v1/products/{handle}/images";
        self.door("POST", add, "catalog:write", SKU, json!("no picture"));
        let image = "/v1/products/{handle}/images/{image_id}";
        let alt = json!({"alt": "The lamp", "first": true});
        self.door("PUT", image, "catalog:write", SKU, alt);
        self.door("DELETE", image, "catalog:write", SKU, Value::Null);
    }

    fn add_endings(&mut self) {
        let customer = self.world.customer.as_str();
        let (registration, order) = (self.world.registration.as_str(), self.world.order.as_str());
        let reference = json!({"reference": "crm-1042"});
        self.door(
            "PUT",
            "/v1/customers/{id}/reference",
            "customers:write",
            customer,
            reference,
        );
        self.door(
            "PUT",
            "/v1/customers/{id}/identity-answers",
            "customers:write",
            customer,
            json!({"answers": [{"question": "First school?", "answer": "Oak"}]}),
        );
        self.door(
            "PUT",
            "/v1/registrations/{id}/details",
            "customers:write",
            registration,
            json!({}),
        );
        self.door(
            "POST",
            "/v1/registrations/{id}/account",
            "customers:write",
            registration,
            json!({"means": "card"}),
        );
        self.door(
            "PUT",
            "/v1/staff/{id}/password",
            "vendor:write",
            &self.world.staff,
            json!({"password": "a long pass phrase"}),
        );
        let asked = "/v1/orders/{id}/refund-requests";
        let reason = json!({"reason": "It broke."});
        self.door("POST", asked, "orders:write", order, reason);
        let declined = "/v1/orders/{id}/refund-requests/decline";
        let answer = json!({"answer": "No."});
        self.door("POST", declined, "refunds:write", order, answer);
        let parcel = "/v1/orders/{id}/shipment";
        let step = json!({"from": "to_pack", "state": "shipped", "carrier": "Post"});
        self.door("PUT", parcel, "orders:write", order, step);
        let refunds = "/v1/orders/{id}/refunds";
        self.door("POST", refunds, "refunds:write", order, json!({}));
        self.door(
            "POST",
            "/v1/customers/{id}/close",
            "customers:write",
            customer,
            Value::Null,
        );
        self.door(
            "DELETE",
            "/v1/api-keys/{id}",
            "keys:write",
            &self.world.key,
            Value::Null,
        );
        let endpoint = self.world.endpoint.as_str();
        for (method, template) in [
            ("POST", "/v1/webhook-endpoints/{id}/secrets"),
            ("POST", "/v1/webhook-endpoints/{id}/tests"),
            ("DELETE", "/v1/webhook-endpoints/{id}"),
        ] {
            self.door(method, template, "webhooks:write", endpoint, Value::Null);
        }
    }
}
