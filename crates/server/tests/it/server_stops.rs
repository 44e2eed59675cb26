//! PostgreSQL stops at once, or ends its connections, while customers buy.

use crate::shop::{Done, Key, Shop, engine_error, options};
use scrip_engine::{Engine, Error};
use scrip_testkit::PostgresServer;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Buys until told to stop, asking again under the same key for as long as the database cannot
/// say how a purchase ended. Returns what was acknowledged, and how often it had to ask again.
fn buy_until(shop: &Shop, writer: usize, stop: &AtomicBool) -> (Vec<Done>, u64) {
    let (mut done, mut again) = (Vec::new(), 0);
    for n in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let key = Key {
            round: 0,
            writer,
            n,
        };
        loop {
            match shop.buy(key) {
                Ok((id, _)) => {
                    done.push((key, id));
                    break;
                }
                Err(e) => match engine_error(&e) {
                    Some(Error::OutcomeUnknown(_) | Error::Unavailable(_)) => {
                        again += 1;
                        thread::sleep(Duration::from_millis(20));
                    }
                    _ => panic!("key {}: {e:?}", key.text()),
                },
            }
        }
    }
    (done, again)
}

/// SHP-13, ARC-08: no acknowledged purchase is lost and no key has two effects, however the
/// server ends; whoever asks again under the same key learns the outcome.
#[test]
fn purchases_survive_immediate_stops_and_ended_connections() {
    let server = PostgresServer::new();
    let database = server.database();
    let url = database.url().parse().unwrap();
    let engine = Engine::open(&url, &options()).unwrap();
    let shop = Shop::create(&engine);
    let stop = AtomicBool::new(false);
    let results = thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (shop, stop) = (&shop, &stop);
                scope.spawn(move || buy_until(shop, writer, stop))
            })
            .collect();
        for round in 0..20_u64 {
            thread::sleep(Duration::from_millis(100 + 37 * (round % 5)));
            if round % 2 == 0 {
                server.terminate_backends(database.name());
            } else {
                server.stop_immediate();
                server.start();
            }
        }
        thread::sleep(Duration::from_millis(200));
        stop.store(true, Ordering::SeqCst);
        let joined = writers.into_iter().map(|w| w.join().unwrap());
        joined.collect::<Vec<_>>()
    });
    let again: u64 = results.iter().map(|r| r.1).sum();
    let done: Vec<Done> = results.into_iter().flat_map(|r| r.0).collect();
    assert!(again > 0, "no purchase was disturbed");
    assert!(done.len() > 200, "only {} purchases", done.len());
    assert_eq!(shop.faults(&done), Vec::<String>::new());
    // Nothing but what was answered: every writer went on until it had its answer.
    assert_eq!(shop.orders().len(), done.len());
}
