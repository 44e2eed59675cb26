//! What the commands should do, in plain maps and whole tokens. Nothing of the program is used
//! here, not even its arithmetic.

use std::collections::{BTreeMap, HashMap};

/// MT.
const MINIMUM: i64 = 20;
const GRACE_US: i64 = 30 * 24 * 3600 * 1_000_000;
const KEY_KEPT_US: i64 = 48 * 3600 * 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Inactive,
    Active,
    Closed,
}

/// Tokens that came together. Their place in the list is their age.
#[derive(Clone, Debug)]
pub struct Grant {
    pub expires_at: i64,
    pub restricted: bool,
    pub paid: bool,
    pub granted_at: i64,
}

impl Grant {
    /// As bought by card, ordered at a time.
    pub fn bought(granted_at: i64) -> Grant {
        Grant {
            expires_at: i64::MAX,
            restricted: false,
            paid: true,
            granted_at,
        }
    }
}

#[derive(Debug, Default)]
pub struct Wallet {
    /// grant -> tokens left.
    pub lots: BTreeMap<usize, i64>,
    pub standing: Option<Standing>,
    pub list: BTreeMap<usize, i64>,
}

#[derive(Clone, Debug)]
pub struct Goods {
    pub price: i64,
    pub price_before: i64,
    pub stock: Option<i64>,
    pub on_sale: bool,
    /// (up to, price).
    pub tiers: Vec<(i64, i64)>,
}

/// offer, quantity, price that was shown.
pub type WantedLine = (usize, i64, Option<i64>);

#[derive(Clone, Debug)]
struct SoldLine {
    offer: usize,
    quantity: i64,
    granted: i64,
    unit: i64,
    amount: i64,
    left: i64,
}

#[derive(Clone, Debug)]
pub struct Sale {
    pub who: usize,
    lines: Vec<SoldLine>,
    /// The grant of each token paid and not given back, in the order of payment.
    tokens: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// The number of the sale, RT and what remains.
    Done(usize, i64, i64),
    Refused(&'static str),
    Invalid,
    KeyReused,
}

struct Kept {
    lines: Vec<WantedLine>,
    answer: Placed,
    expires_at: i64,
}

#[derive(Default)]
pub struct Shadow {
    pub now: i64,
    pub grants: Vec<Grant>,
    pub wallets: Vec<Wallet>,
    pub goods: Vec<Goods>,
    pub sales: Vec<Sale>,
    pub refused: usize,
    /// who, tokens, cents, card, when.
    pub awaiting: Vec<(usize, i64, i64, &'static str, i64)>,
    pub cents: i64,
    pub issued: i64,
    pub spent: i64,
    pub expired: i64,
    keys: HashMap<(usize, u8), Kept>,
}

impl Shadow {
    pub fn register(&mut self) {
        self.wallets.push(Wallet {
            standing: Some(Standing::Inactive),
            ..Wallet::default()
        });
    }

    pub fn standing(&self, who: usize) -> Standing {
        self.wallets[who].standing.unwrap_or(Standing::Inactive)
    }

    fn grant(&mut self, grant: Grant) -> usize {
        self.grants.push(grant);
        self.grants.len() - 1
    }

    /// Tokens come in from outside; an account that has its minimum becomes active.
    pub fn credit(&mut self, who: usize, tokens: i64, grant: Grant) {
        let grant = self.grant(grant);
        self.issued += tokens;
        let wallet = &mut self.wallets[who];
        *wallet.lots.entry(grant).or_default() += tokens;
        let all: i64 = wallet.lots.values().sum();
        if wallet.standing == Some(Standing::Inactive) && all >= MINIMUM {
            wallet.standing = Some(Standing::Active);
        }
    }

    pub fn resolve(&mut self) -> usize {
        let (waiting, answered): (Vec<_>, Vec<_>) = std::mem::take(&mut self.awaiting)
            .into_iter()
            .partition(|a| a.3 == "test_timeout_long");
        self.awaiting = waiting;
        for (who, tokens, cents, card, since) in &answered {
            if *card == "test_timeout" {
                self.cents += cents;
                self.credit(*who, *tokens, Grant::bought(*since));
            }
        }
        answered.len()
    }

    fn usable(&self, grant: usize) -> bool {
        self.grants[grant].expires_at > self.now
    }

    /// What has expired leaves all wallets; returns how much.
    pub fn expire(&mut self) -> i64 {
        let over: Vec<bool> = (0..self.grants.len()).map(|g| !self.usable(g)).collect();
        let mut expired = 0;
        for wallet in &mut self.wallets {
            wallet.lots.retain(|grant, left| {
                expired += if over[*grant] { *left } else { 0 };
                !over[*grant]
            });
        }
        self.expired += expired;
        expired
    }

    /// AT.
    pub fn available(&self, who: usize) -> i64 {
        let lots = self.wallets[who].lots.iter();
        lots.filter(|l| self.usable(*l.0)).map(|l| l.1).sum()
    }

    /// True when something can be put on the list: active, with the price of the cheapest offer.
    pub fn may_order(&self, who: usize) -> bool {
        let least = |goods: &Goods| goods.tiers.iter().map(|t| t.1).min().unwrap_or(goods.price);
        let threshold = self.goods.iter().map(least).min().unwrap_or(0);
        self.standing(who) == Standing::Active && self.available(who) >= threshold
    }

    /// Unit price, amount and what is granted.
    fn priced(&self, offer: usize, quantity: i64) -> Option<(i64, i64, i64)> {
        let goods = &self.goods[offer];
        if quantity < 1 {
            return None;
        }
        if goods.tiers.is_empty() {
            return Some((goods.price, goods.price * quantity, quantity));
        }
        let tier = goods.tiers.iter().find(|t| quantity <= t.0)?;
        Some((tier.1, tier.1, tier.0))
    }

    pub fn place(&mut self, who: usize, lines: &[WantedLine], key: Option<u8>) -> (Placed, bool) {
        if let Some(kept) = key.and_then(|k| self.keys.get(&(who, k)))
            && kept.expires_at > self.now
        {
            let same = kept.lines == lines;
            let answer = if same {
                kept.answer.clone()
            } else {
                Placed::KeyReused
            };
            return (answer, same);
        }
        let answer = self.place_once(who, lines);
        if matches!(answer, Placed::Refused(_)) {
            self.refused += 1;
        }
        if let Some(key) = key.filter(|_| answer != Placed::Invalid) {
            let kept = Kept {
                lines: lines.to_vec(),
                answer: answer.clone(),
                expires_at: self.now + KEY_KEPT_US,
            };
            self.keys.insert((who, key), kept);
        }
        (answer, false)
    }

    fn place_once(&mut self, who: usize, lines: &[WantedLine]) -> Placed {
        let mut sold = Vec::new();
        for (offer, quantity, _) in lines {
            let Some((unit, amount, granted)) = self.priced(*offer, *quantity) else {
                return Placed::Invalid;
            };
            let (offer, quantity, left) = (*offer, *quantity, *quantity);
            sold.push(SoldLine {
                offer,
                quantity,
                granted,
                unit,
                amount,
                left,
            });
        }
        match self.standing(who) {
            Standing::Inactive => return Placed::Refused("inactive"),
            Standing::Closed => return Placed::Refused("closed"),
            Standing::Active => {}
        }
        if lines
            .iter()
            .zip(&sold)
            .any(|(l, s)| l.2.is_some_and(|q| q != s.unit))
        {
            return Placed::Refused("price_changed");
        }
        let required: i64 = sold.iter().map(|l| l.amount).sum();
        let available = self.available(who);
        if required > available {
            return Placed::Refused("shortage");
        }
        let on_sale = |l: &&SoldLine| self.goods[l.offer].on_sale;
        let for_sales: i64 = sold.iter().filter(on_sale).map(|l| l.amount).sum();
        let Some(paid) = self.allocate(who, required, for_sales) else {
            return Placed::Refused("restricted");
        };
        let mut taken: BTreeMap<usize, i64> = BTreeMap::new();
        for line in &sold {
            *taken.entry(line.offer).or_default() += line.granted;
        }
        let lacks = |(offer, n): (&usize, &i64)| self.goods[*offer].stock.is_some_and(|s| s < *n);
        if taken.iter().any(lacks) {
            return Placed::Refused("out_of_stock");
        }
        for (offer, n) in taken {
            self.goods[offer].stock = self.goods[offer].stock.map(|s| s - n);
        }
        let mut tokens = Vec::new();
        for (grant, n) in paid {
            self.take(who, grant, n);
            tokens.extend((0..n).map(|_| grant));
        }
        self.spent += required;
        self.sales.push(Sale {
            who,
            lines: sold,
            tokens,
        });
        Placed::Done(self.sales.len() - 1, required, available - required)
    }

    fn take(&mut self, who: usize, grant: usize, n: i64) {
        let lots = &mut self.wallets[who].lots;
        let left = lots.get(&grant).copied().unwrap_or(0) - n;
        lots.insert(grant, left);
        lots.retain(|_, left| *left > 0);
    }

    /// Lot by lot in the order of preference as much as leaves the order payable.
    fn allocate(&self, who: usize, required: i64, for_sales: i64) -> Option<Vec<(usize, i64)>> {
        let mut lots: Vec<(usize, i64)> = self.wallets[who]
            .lots
            .iter()
            .map(|(g, n)| (*g, *n))
            .filter(|l| self.usable(l.0))
            .collect();
        lots.sort_by_key(|(g, _)| {
            let grant = &self.grants[*g];
            (
                grant.expires_at,
                !grant.restricted,
                grant.paid,
                grant.granted_at,
                *g,
            )
        });
        // What restricted and ordinary tokens have paid, and what later lots could pay.
        let (mut fixed, mut later) = ([0; 2], [0; 2]);
        let kind = |g: usize| usize::from(!self.grants[g].restricted);
        for (grant, n) in &lots {
            later[kind(*grant)] += n;
        }
        let payable = |fixed: [i64; 2], later: [i64; 2]| {
            let least = fixed[0].max(required - fixed[1] - later[1]);
            let most = (fixed[0] + later[0])
                .min(for_sales)
                .min(required - fixed[1]);
            least <= most
        };
        if !payable(fixed, later) {
            return None;
        }
        let mut paid = Vec::new();
        for (grant, n) in lots {
            let kind = kind(grant);
            later[kind] -= n;
            let with = |used: i64| {
                let mut fixed = fixed;
                fixed[kind] += used;
                fixed
            };
            let used = (0..=n).rev().find(|used| payable(with(*used), later))?;
            fixed = with(used);
            if used > 0 {
                paid.push((grant, used));
            }
        }
        Some(paid)
    }

    /// Tokens given back; `None` when it is refused. Lines count from 1; none for the whole.
    pub fn refund(&mut self, sale: usize, lines: &[(i64, i64)], restock: bool) -> Option<i64> {
        let sold = &self.sales[sale].lines;
        let mut asked: BTreeMap<usize, i64> = BTreeMap::new();
        for (line, pieces) in lines {
            let at = usize::try_from(*line).ok()?.checked_sub(1)?;
            *asked.entry(at).or_default() += pieces;
        }
        if lines.is_empty() {
            let left = sold.iter().enumerate().filter(|l| l.1.left > 0);
            asked = left.map(|(at, l)| (at, l.left)).collect();
        }
        let mut back = 0;
        for (at, pieces) in &asked {
            let line = sold.get(*at).filter(|l| (1..=l.left).contains(pieces))?;
            let whole = *pieces == line.quantity;
            let tier = line.unit * line.quantity != line.amount;
            back += match (whole, tier) {
                (true, _) => line.amount,
                (false, true) => return None,
                (false, false) => line.unit * pieces,
            };
        }
        if back == 0 {
            return None;
        }
        for (at, pieces) in asked {
            let line = &mut self.sales[sale].lines[at];
            line.left -= pieces;
            let returned = if pieces == line.quantity {
                line.granted
            } else {
                pieces
            };
            let goods = &mut self.goods[line.offer];
            if restock {
                goods.stock = goods.stock.map(|s| s + returned);
            }
        }
        self.give_back(sale, back);
        Some(back)
    }

    fn give_back(&mut self, sale: usize, tokens: i64) {
        self.spent -= tokens;
        let who = self.sales[sale].who;
        // (grant that paid, grant that gets it back).
        let mut last: Option<(usize, usize)> = None;
        for _ in 0..tokens {
            let paid = self.sales[sale].tokens.pop().expect("it was paid");
            let back = match last {
                Some((same, back)) if same == paid => back,
                _ if self.usable(paid) => paid,
                _ => {
                    let again = Grant {
                        expires_at: self.now + GRACE_US,
                        granted_at: self.now,
                        ..self.grants[paid].clone()
                    };
                    self.grant(again)
                }
            };
            last = Some((paid, back));
            *self.wallets[who].lots.entry(back).or_default() += 1;
        }
    }
}
