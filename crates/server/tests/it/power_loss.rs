//! The power goes while customers buy.

use crate::shop::{Done, Key, Shop, options};
use scrip_engine::{Durability, Engine};
use scrip_testkit::{PowerReport, PowerRounds, Workload, power_rounds};

struct Purchases;

impl Workload for Purchases {
    type Id = Done;

    fn prepare(&self, engine: &Engine) {
        Shop::create(engine);
    }

    fn write(&self, engine: &Engine, writer: usize, n: u64) -> Option<Done> {
        thread_local! {
            static SHOP: std::cell::OnceCell<Shop> = const { std::cell::OnceCell::new() };
        }
        SHOP.with(|shop| {
            let shop = shop.get_or_init(|| Shop::find(engine));
            let key = Key {
                round: 0,
                writer,
                n,
            };
            shop.buy(key).ok().map(|(id, _)| (key, id))
        })
    }

    fn faults(&self, engine: &Engine, acknowledged: &[Done]) -> Vec<String> {
        match Shop::look_for(engine) {
            Ok(shop) => shop.faults(acknowledged),
            Err(e) => vec![format!("the shop itself ({e}) is lost")],
        }
    }
}

fn rounds(durability: Durability) -> PowerReport {
    let how = PowerRounds {
        rounds: 20,
        writers: 8,
        options: options(),
        durability,
        seed: 611,
    };
    power_rounds(&Purchases, &how)
}

/// SHP-13, ARC-08: an acknowledged purchase survives a power cut, and its key has one effect.
#[test]
fn purchases_survive_a_power_loss() {
    let report = rounds(Durability::Full);
    assert_eq!(report.faults, Vec::<String>::new());
    assert!(report.acknowledged > 200, "{report:?}");
}

#[test]
fn without_syncing_purchases_are_lost() {
    let report = rounds(Durability::Off);
    let lost = report.faults.iter().filter(|f| f.ends_with("is lost"));
    assert!(lost.count() > 0, "{report:?}");
}
