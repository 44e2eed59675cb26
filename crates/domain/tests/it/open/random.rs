//! Random malls against a model: nothing is created or lost, positions agree, and no token pays where
//! its rule forbids it.

use super::plaza::{MAKER, Plaza};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use scrip_domain::checkout::{CheckoutError, CheckoutOutcome};
use scrip_domain::id::{CustomerId, OfferId, OrderId};
use scrip_domain::mall::MemberState;
use scrip_domain::open_token::{OpenKind, outstanding};
use scrip_domain::{Actor, Amount};
use scrip_ledger::Origin;
use scrip_testkit::TestDb;
use std::collections::BTreeMap;

both!(random_malls_agree_with_a_model);

#[derive(Clone, Debug)]
enum Step {
    Issue {
        debtor: usize,
        to: usize,
        kind: OpenKind,
        units: i64,
    },
    Gift {
        issuer: usize,
        to: usize,
        units: i64,
    },
    Buy {
        who: usize,
        seller: usize,
        offer: usize,
    },
    Back {
        order: usize,
    },
    Suspend {
        of: usize,
        is_off: bool,
    },
    Terms {
        of: usize,
        service: i64,
        royalty: i64,
        commission: i64,
    },
    Honour {
        acceptor: usize,
        issuer: usize,
        takes: bool,
    },
    Clear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let place = 0_usize..3;
    let kind = prop_oneof![
        4 => Just(OpenKind::Universal), 1 => Just(OpenKind::M1), 2 => Just(OpenKind::M2),
        2 => Just(OpenKind::Group),
    ];
    let issue = (place.clone(), place.clone(), kind, 1_i64..3_000_000_000).prop_map(
        |(debtor, to, kind, units)| Step::Issue {
            debtor,
            to,
            kind,
            units,
        },
    );
    let gift = (place.clone(), place.clone(), 1_i64..2_000_000_000)
        .prop_map(|(issuer, to, units)| Step::Gift { issuer, to, units });
    let buy = (place.clone(), place.clone(), 0_usize..3)
        .prop_map(|(who, seller, offer)| Step::Buy { who, seller, offer });
    let suspend =
        (place.clone(), any::<bool>()).prop_map(|(of, is_off)| Step::Suspend { of, is_off });
    let terms = (place.clone(), 0_i64..30, 0_i64..30, 0_i64..30).prop_map(
        |(of, service, royalty, commission)| Step::Terms {
            of,
            service,
            royalty,
            commission,
        },
    );
    let honour =
        (place.clone(), place, any::<bool>()).prop_map(|(acceptor, issuer, takes)| Step::Honour {
            acceptor,
            issuer,
            takes,
        });
    let back = (0_usize..20).prop_map(|order| Step::Back { order });
    let step = prop_oneof![
        6 => issue, 3 => gift, 14 => buy, 2 => back, 1 => suspend, 1 => terms, 2 => honour,
        1 => Just(Step::Clear),
    ];
    prop::collection::vec(step, 5..40)
}

/// What the model keeps: tokens issued less those spent, and what each owes.
#[derive(Default)]
struct Model {
    issued: i64,
    spent: i64,
    owes: [i64; 4],
    kept: i64,
    terms: [(i64, i64, i64); 4],
    off: [bool; 4],
    honours: BTreeMap<(usize, usize), bool>,
    /// Order, seller, and what it changed: owed by member, kept by the mall, tokens.
    sold: Vec<(OrderId, usize, [i64; 4], i64, i64)>,
}

struct Run {
    plaza: Plaza,
    who: [(usize, CustomerId); 3],
    offers: [[OfferId; 3]; 3],
    model: Model,
}

impl Run {
    fn new(db: &TestDb) -> Run {
        let plaza = Plaza::new(db);
        plaza.arcade(&[0, 1]);
        plaza.list("kettle", 30);
        let offers = [0, 1, 2].map(|place| {
            let world = plaza.world(place);
            [
                world.offer("kettle", 77),
                world.offer("lamp", 33),
                world.offer("rug", 210),
            ]
        });
        let who = [0, 1, 2].map(|place| (place, plaza.customer(place)));
        Run {
            plaza,
            who,
            offers,
            model: Model::default(),
        }
    }

    fn place_of(&self, book: i64) -> usize {
        (0..4)
            .find(|place| self.plaza.world(*place).book() == book)
            .unwrap()
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Issue {
                debtor,
                to,
                kind,
                units,
            } => {
                let is_maker = matches!(kind, OpenKind::M1 | OpenKind::M2);
                let debtor = if is_maker { MAKER } else { *debtor };
                let origin = match kind {
                    OpenKind::M2 => Origin::Free,
                    _ => Origin::Paid,
                };
                let text = Amount::from_units(*units).decimal(8);
                let issued = self
                    .plaza
                    .issue(debtor, self.who[*to], (*kind, &text), origin);
                let may = !self.model.off[debtor] && (*kind != OpenKind::Group || debtor < 2);
                assert_eq!(issued.is_ok(), may, "{issued:?}");
                if may {
                    self.model.issued += units;
                }
            }
            Step::Gift { issuer, to, units } => {
                let text = Amount::from_units(*units).decimal(8);
                let never = scrip_engine::Timestamp::NEVER;
                let of = (Origin::Paid, never);
                let made = self.plaza.certificates_as(*issuer, (&text, 1), of);
                assert_eq!(made.is_ok(), !self.model.off[*issuer]);
                if let Ok(printed) = made {
                    self.plaza.claim(self.who[*to], &printed[0].code);
                    self.model.issued += units;
                }
            }
            Step::Buy { who, seller, offer } => self.buy(*who, *seller, *offer),
            Step::Back { order } => self.back(*order),
            Step::Suspend { of, is_off } => {
                self.plaza.mall.stand(
                    *of,
                    match is_off {
                        true => MemberState::Suspended,
                        false => MemberState::Active,
                    },
                );
                self.model.off[*of] = *is_off;
            }
            Step::Terms {
                of,
                service,
                royalty,
                commission,
            } => {
                self.plaza.terms(*of, *service, *royalty, *commission);
                self.model.terms[*of] = (*service, *royalty, *commission);
            }
            Step::Honour {
                acceptor,
                issuer,
                takes,
            } => {
                if acceptor != issuer {
                    self.plaza.honour(*acceptor, *issuer, *takes);
                    self.model.honours.insert((*acceptor, *issuer), *takes);
                }
            }
            Step::Clear => {
                let mall = self.plaza.mall.mall.clone();
                let cleared = self
                    .plaza
                    .world(0)
                    .write(move |tx| scrip_domain::mall::clearing_close(tx, Actor::System, &mall));
                let nets = cleared.unwrap().positions;
                for (_, position) in nets {
                    let sum = position.paid.plus(position.carried).unwrap();
                    assert_eq!(sum, position.net);
                }
            }
        }
    }

    fn buy(&mut self, who: usize, seller: usize, offer: usize) {
        let sku = offer;
        let outcome = self
            .plaza
            .buy(self.who[who], seller, self.offers[seller][sku]);
        let receipt = match outcome {
            Ok(CheckoutOutcome::Paid(receipt)) => receipt,
            Ok(CheckoutOutcome::Refused { .. }) => return,
            Err(CheckoutError::Mall(_)) => {
                assert!(self.model.off[seller], "only who is cut off refuses");
                return;
            }
            Err(e) => panic!("{e}"),
        };
        assert!(!self.model.off[seller]);
        let price = Amount::sum(receipt.split.iter().map(|part| part.amount));
        assert_eq!(price.unwrap(), receipt.price);
        let (mut owes, mut kept, mut gone) = ([0_i64; 4], 0_i64, 0_i64);
        for part in &receipt.split {
            let debtor = self.place_of(part.debtor);
            self.allowed(seller, debtor, part.kind, sku);
            let amount = part.amount.units();
            let (service, _, commission) = self.model.terms[debtor];
            let rate = match (debtor == seller, part.kind) {
                (true, _) => 0,
                (false, OpenKind::Gift) => commission,
                (false, _) => service,
            };
            let service = amount * rate / 100;
            let royalty = amount * self.model.terms[seller].1 / 100;
            let royalty = royalty.min(amount - service - 1);
            owes[debtor] += amount - service;
            owes[seller] -= amount - service - royalty;
            kept += royalty;
            gone += amount;
        }
        self.apply(owes, kept, gone, 1);
        self.model
            .sold
            .push((receipt.order_id, seller, owes, kept, gone));
    }

    fn apply(&mut self, owes: [i64; 4], kept: i64, gone: i64, sign: i64) {
        for (sum, change) in self.model.owes.iter_mut().zip(owes) {
            *sum += sign * change;
        }
        self.model.kept += sign * kept;
        self.model.spent += sign * gone;
    }

    /// The type's own rule allows it there.
    fn allowed(&self, seller: usize, debtor: usize, kind: OpenKind, sku: usize) {
        assert!(debtor == seller || !self.model.off[debtor], "cut off");
        match kind {
            OpenKind::M1 | OpenKind::M2 => assert_eq!((sku, debtor), (0, MAKER)),
            OpenKind::Group => assert!(seller < 2 && debtor < 2),
            OpenKind::Gift => {
                let honours = self.model.honours.get(&(seller, debtor));
                assert!(debtor == seller || honours == Some(&true));
            }
            OpenKind::Universal => {}
        }
    }

    fn back(&mut self, order: usize) {
        if order >= self.model.sold.len() {
            return;
        }
        let (id, seller, owes, kept, gone) = self.model.sold[order];
        match self.plaza.reverse(seller, id) {
            Ok(_) => {
                self.model.sold.remove(order);
                self.apply(owes, kept, gone, -1);
            }
            Err(CheckoutError::SurplusSpent) => {}
            Err(e) => panic!("{e}"),
        }
    }

    fn check(&self) {
        for place in 0..4 {
            let says = Amount::from_units(self.model.owes[place]);
            assert_eq!(self.plaza.mall.position(place), says, "member {place}");
        }
        assert_eq!(self.plaza.mall.kept(), Amount::from_units(self.model.kept));
        let engine = &self.plaza.world(0).node.engine;
        let out = engine.read(|tx| outstanding(tx, &self.plaza.mall.mall));
        let out = Amount::sum(out.unwrap().into_iter().map(|(_, _, tokens)| tokens));
        let says = Amount::from_units(self.model.issued - self.model.spent);
        assert_eq!(out.unwrap(), says, "nothing is created or lost");
        self.plaza.mall.dues_agree();
    }
}

/// OPN-09, OPN-18, OPN-20, GOV-08, GOV-10, MIC-01: whatever happens in the middle of things.
fn random_malls_agree_with_a_model(db: &TestDb) {
    let config = Config {
        cases: 1,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let mut run = Run::new(db);
    for _ in 0..6 {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        for step in &steps {
            run.step(step);
        }
        run.check();
    }
}
