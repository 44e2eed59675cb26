//! localstripe as a peer: somebody else's idea of Stripe's interface.

use super::world::{World, approved, declined};
use crate::config::StripeSettings;
use crate::stripe::peer::{Deadline, Peer, Said};
use scrip_domain::order::by_card;
use scrip_domain::token_sale::{CardProcessor, Outcome, TokenOrderState};
use scrip_testkit::TestDb;
use serde_json::Value;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The running peer.
struct LocalStripe {
    url: String,
    child: Child,
}

impl LocalStripe {
    fn start() -> LocalStripe {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let program = root.join("target/tools/venv/bin/localstripe");
        assert!(
            program.exists(),
            "localstripe is missing: run scripts/install-test-tools, which puts it in target/tools"
        );
        let port = {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap().port()
        };
        let child = Command::new(program)
            .args(["--from-scratch", "--port", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let peer = LocalStripe {
            url: format!("http://127.0.0.1:{port}"),
            child,
        };
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return peer;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("localstripe did not begin to listen within a minute");
    }

    /// Enters a card as a browser does, past the node.
    fn card(&self, number: &str) -> String {
        let fields = [
            ("type", "card"),
            ("card[number]", number),
            ("card[exp_month]", "11"),
            ("card[exp_year]", "2031"),
            ("card[cvc]", "123"),
        ];
        let made = self.post("payment_methods", &fields);
        made["id"].as_str().unwrap().to_owned()
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Value {
        match self.peer().post(path, "any", fields, soon()) {
            Said::Done(made) => made,
            other => panic!("{path}: {other:?}"),
        }
    }

    fn get(&self, path: &str) -> Value {
        match self.peer().get(path, soon()) {
            Said::Done(found) => found,
            other => panic!("{path}: {other:?}"),
        }
    }

    fn peer(&self) -> Peer {
        Peer::new(StripeSettings::of_peer(&self.url))
    }
}

impl Drop for LocalStripe {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn soon() -> Deadline {
    Deadline::within(Duration::from_secs(20))
}

/// TOK-08, TOK-09: a charge by localstripe credits what was paid, in the currency's own unit; a
/// declined card credits nothing; a card that asks a question waits.
#[test]
fn localstripe_charges_declines_and_asks() {
    let peer = LocalStripe::start();
    let db = TestDb::sqlite();
    let world = World::new(&db, &peer.url);
    let id = world.customer();
    let good = peer.card("4242424242424242");
    let (order, outcome) = world.buy(id, 500, &good);
    assert!(approved(&outcome), "{outcome:?}");
    assert_eq!(world.balance(id), 500);
    let payment = peer.get(&format!("payment_intents/{}", world.payment(order)));
    let found = (&payment["status"], &payment["amount"], &payment["currency"]);
    assert_eq!(found, (&"succeeded".into(), &500.into(), &"gbp".into()));
    assert_eq!(payment["metadata"]["scrip_order"], order.to_string());
    assert!(payment["customer"].is_null(), "nothing is kept unasked");

    let bad = peer.card("4000000000000341");
    let (order, outcome) = world.buy(id, 700, &bad);
    assert!(declined(&outcome).contains("card"), "{outcome:?}");
    let payment = peer.get(&format!("payment_intents/{}", world.payment(order)));
    assert_eq!(payment["status"], "canceled", "it cannot succeed later");
    assert_eq!(world.balance(id), 500);

    let asks = peer.card("4000002500003155");
    let (order, outcome) = world.buy(id, 900, &asks);
    assert_eq!(outcome, Outcome::Awaiting);
    let charge = world.charge(order);
    let secret = world.stripe.question(&charge).unwrap().unwrap();
    let name = world.payment(order);
    let answer = [("client_secret", secret.as_str()), ("success", "true")];
    peer.post(&format!("payment_intents/{name}/_authenticate"), &answer);
    assert!(approved(&world.resolve(order)));
    assert_eq!(world.balance(id), 1400);
    assert_eq!(world.stripe.question(&charge), Ok(None));
    assert_eq!(world.state(order), TokenOrderState::Cleared);
    world.stripe.give_back(&charge, &name).unwrap();
    let refunds = peer.get(&format!("refunds?payment_intent={name}"));
    assert_eq!(refunds["data"][0]["amount"], 900);
}

/// A card that nobody has, and a card that is kept, used again, and forgotten.
#[test]
fn localstripe_keeps_and_forgets_cards() {
    let peer = LocalStripe::start();
    let db = TestDb::sqlite();
    let world = World::new(&db, &peer.url);
    let id = world.customer();
    let (_, outcome) = world.buy(id, 500, "pm_nobody_has_it");
    assert!(declined(&outcome).contains("enter it again"), "{outcome:?}");

    let method = peer.card("4242424242424242");
    world.wish(id, &method);
    assert!(approved(&world.buy(id, 500, &method).1));
    let kept = world.cards(id);
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].looks.last_four, "4242");
    assert_eq!(
        (kept[0].looks.expiry_year, kept[0].looks.expiry_month),
        (2031, 11)
    );
    let (order, outcome) = world.buy(id, 500, &method);
    assert!(approved(&outcome), "{outcome:?}");
    let payment = peer.get(&format!("payment_intents/{}", world.payment(order)));
    let holder = peer.get(&format!("payment_methods/{method}"))["customer"].clone();
    assert!(holder.is_string());
    assert_eq!(payment["customer"], holder);

    let other = world.customer();
    let (_, outcome) = world.buy(other, 500, &method);
    assert!(
        declined(&outcome).contains("another account"),
        "{outcome:?}"
    );
    world.stripe.card_forget(&method).unwrap();
    let method = peer.get(&format!("payment_methods/{method}"));
    assert!(method["customer"].is_null());
    let entry = world.stripe.card_entry(world.book(), id).unwrap().unwrap();
    assert!(entry.secret.starts_with("seti_"), "{entry:?}");
}

/// SHP-17: a card pays for goods and no token moves; a declined one sells nothing; one whose bank asks
/// waits for the answer; the money goes back to the card that paid.
#[test]
fn localstripe_pays_for_goods() {
    let peer = LocalStripe::start();
    let db = TestDb::sqlite();
    let world = World::new(&db, &peer.url);
    let id = world.customer();
    let good = peer.card("4242424242424242");
    let (ordered, outcome) = world.order_by_card(id, 250, &good);
    let by_card::Outcome::Completed { order_id } = outcome else {
        panic!("not paid: {outcome:?}");
    };
    assert_eq!(world.balance(id), 0);
    let payment = peer.get(&format!("payment_intents/{}", world.payment(ordered)));
    let found = (&payment["status"], &payment["amount"], &payment["currency"]);
    assert_eq!(found, (&"succeeded".into(), &250.into(), &"gbp".into()));
    assert_eq!(payment["metadata"]["scrip_order"], ordered.to_string());

    let bad = peer.card("4000000000000341");
    let (_, outcome) = world.order_by_card(id, 300, &bad);
    assert!(
        matches!(outcome, by_card::Outcome::Declined { .. }),
        "{outcome:?}"
    );

    let asks = peer.card("4000002500003155");
    let (asked, outcome) = world.order_by_card(id, 400, &asks);
    assert_eq!(outcome, by_card::Outcome::Awaiting);
    let engine = &world.node.engine;
    let charge = engine.read(|tx| by_card::card_order_charge(tx, &world.vendor, asked));
    let secret = world.stripe.question(&charge.unwrap().0).unwrap().unwrap();
    let answer = [("client_secret", secret.as_str()), ("success", "true")];
    let name = world.payment(asked);
    peer.post(&format!("payment_intents/{name}/_authenticate"), &answer);
    let resolve = || by_card::card_order_resolve(&world.node, &world.stripe, &world.vendor, asked);
    let outcome = resolve().unwrap();
    assert!(
        matches!(outcome, by_card::Outcome::Completed { .. }),
        "{outcome:?}"
    );
    assert_eq!(
        resolve().unwrap(),
        outcome,
        "asked again, it is the same order"
    );

    assert!(world.money_back(order_id));
    let name = world.payment(ordered);
    let refunds = peer.get(&format!("refunds?payment_intent={name}"));
    let refunded = refunds["data"].as_array().unwrap();
    let amounts: Vec<_> = refunded.iter().map(|refund| &refund["amount"]).collect();
    assert_eq!(amounts, [&Value::from(250)]);
}
