//! What the benchmarks work on: an own database, filled through the same commands as any other.

use crate::failure::Failure;
use scrip_domain::catalog::{
    CatalogError, NewOffer, NewProduct, OfferKind, offer_put, product_put,
};
use scrip_domain::customer::{Customer, CustomerError, Details, customer_by_id, customer_register};
use scrip_domain::id::OfferId;
use scrip_domain::order::Wanted;
use scrip_domain::vault::{SecretKey, Vault};
use scrip_domain::vendor::{EntityKind, NewVendor, Vendor, vendor_create};
use scrip_domain::{Amount, Node};
use scrip_engine::{DatabaseUrl, Engine, Options, Timestamp};
use scrip_ledger::{
    AccountKind, Error as LedgerError, Leg, NewAccount, NewGrant, Origin, Posting, account_open,
    entry_post, grant_open,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder for databases of one benchmark, on the disk that is to be measured; removed at the
/// end.
pub struct Folder(PathBuf);

static FOLDERS: AtomicU64 = AtomicU64::new(0);

impl Folder {
    /// A new folder beside a SQLite database, which need not exist.
    pub fn beside(database: &DatabaseUrl) -> Result<Self, Failure> {
        let DatabaseUrl::Sqlite(file) = database else {
            let text = "this measures SQLite: give --database sqlite:PATH".to_owned();
            return Err(Failure::Refused(text));
        };
        let parent = file.parent().unwrap_or(Path::new(""));
        let n = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("scrip-bench-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|e| Failure::file(&path, e))?;
        Ok(Folder(path))
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// An engine on a new SQLite database in it.
    pub fn engine(&self, name: &str) -> Result<Engine, Failure> {
        Ok(scrip_ledger::open(
            &DatabaseUrl::Sqlite(self.file(name)),
            Options::default(),
        )?)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is a nuisance, not a failure.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A vendor on a node.
pub fn vendor(engine: Engine) -> Result<(Node, Vendor), Failure> {
    let node = Node::new(engine, Vault::new(SecretKey::new([7; 32])))?;
    let slug = format!("bench-{}", node.engine.now().0);
    let vendor = vendor_on(&node, slug)?;
    Ok((node, vendor))
}

/// A vendor of a short name, on a node that may have others.
pub fn vendor_on(node: &Node, slug: String) -> Result<Vendor, Failure> {
    let vault = node.vault.clone();
    let vendor = node.engine.write(move |tx| {
        let new = NewVendor {
            kind: EntityKind::Vendor,
            slug: slug.clone(),
            name: "Bench".into(),
            currency: "USD".into(),
            token_price: "0.01".into(),
            minimum_tokens: "0".into(),
            declines_allowed: 3,
        };
        vendor_create(tx, &vault, &new)
    })?;
    Ok(vendor)
}

/// Tokens that each wallet begins with: more than any run spends.
pub const FUNDS: i64 = 1_000_000_000_000;

/// Gives a wallet its tokens, as a grant of its own.
fn fund(tx: &mut scrip_engine::Tx<'_>, vendor: &Vendor, wallet: i64) -> Result<(), LedgerError> {
    let quantity = Amount::from_units(FUNDS);
    let grant = grant_open(
        tx,
        vendor.book_id,
        &NewGrant {
            asset_id: vendor.token.asset_id,
            origin: Origin::Paid,
            restriction: None,
            expires_at: Timestamp::NEVER,
            quantity,
            paid: Amount::ZERO,
            paid_asset_id: None,
            granted_at: Timestamp(0),
        },
    )?;
    let event_id = tx.new_id()?;
    let issued = vendor.accounts.issued;
    let leg = Leg {
        debit: issued,
        credit: wallet,
        amount: quantity,
        grant: Some(grant),
    };
    post(tx, vendor, event_id, "grant", &[leg])
}

/// Posts an entry of a benchmark.
pub fn post(
    tx: &mut scrip_engine::Tx<'_>,
    vendor: &Vendor,
    event_id: uuid::Uuid,
    code: &str,
    legs: &[Leg],
) -> Result<(), LedgerError> {
    let posting = Posting {
        book_id: vendor.book_id,
        event_id,
        code,
        actor: "system",
        reference: "",
        effective_at: Timestamp(0),
        legs,
    };
    entry_post(tx, &posting).map(|_| ())
}

/// Wallets that share one large grant, so that a transfer between any two moves a lot of it.
pub fn wallets(node: &Node, vendor: &Vendor, count: usize) -> Result<(Vec<i64>, i64), Failure> {
    let opened = vendor.clone();
    let grant = node.engine.write(move |tx| {
        let quantity = Amount::from_units(FUNDS).times(i64::try_from(count).unwrap_or(i64::MAX))?;
        let new = NewGrant {
            asset_id: opened.token.asset_id,
            origin: Origin::Free,
            restriction: None,
            expires_at: Timestamp::NEVER,
            quantity,
            paid: Amount::ZERO,
            paid_asset_id: None,
            granted_at: Timestamp(0),
        };
        grant_open(tx, opened.book_id, &new)
    })?;
    let mut wallets = Vec::with_capacity(count);
    while wallets.len() < count {
        let some = (count - wallets.len()).min(10_000);
        let vendor = vendor.clone();
        let opened = node.engine.write(move |tx| {
            let mut ids = Vec::with_capacity(some);
            let mut legs = Vec::with_capacity(some);
            for _ in 0..some {
                let wallet = account_open(
                    tx,
                    &NewAccount {
                        book_id: vendor.book_id,
                        asset_id: vendor.token.asset_id,
                        kind: AccountKind::Wallet,
                        label: "bench",
                        owner: None,
                        counterparty: None,
                    },
                )?;
                let amount = Amount::from_units(FUNDS);
                let debit = vendor.accounts.issued;
                legs.push(Leg {
                    debit,
                    credit: wallet,
                    amount,
                    grant: Some(grant),
                });
                ids.push(wallet);
            }
            let event_id = tx.new_id()?;
            post(tx, &vendor, event_id, "grant", &legs)?;
            Ok::<_, LedgerError>(ids)
        })?;
        wallets.extend(opened);
    }
    Ok((wallets, grant))
}

/// Registered customers with tokens.
pub fn customers(node: &Node, vendor: &Vendor, count: usize) -> Result<Vec<Customer>, Failure> {
    let mut customers = Vec::with_capacity(count);
    while customers.len() < count {
        let some = (count - customers.len()).min(500);
        let (vendor, vault) = (vendor.clone(), node.vault.clone());
        customers.extend(node.engine.write(move |tx| {
            let mut made = Vec::with_capacity(some);
            for _ in 0..some {
                let registered = customer_register(tx, &vault, &vendor, &Details::default())?;
                let customer = customer_by_id(tx, vendor.book_id, registered.customer_id)?;
                fund(tx, &vendor, customer.wallet)?;
                made.push(customer);
            }
            Ok::<_, CustomerError>(made)
        })?);
    }
    Ok(customers)
}

/// Offers to buy.
pub fn offers(node: &Node, vendor: &Vendor, count: usize) -> Result<Vec<OfferId>, Failure> {
    let vendor = vendor.clone();
    Ok(node.engine.write(move |tx| {
        let mut offers = Vec::with_capacity(count);
        for n in 0..count {
            let product = NewProduct {
                handle: format!("item-{n}"),
                title: format!("Item number {n}"),
                ..NewProduct::default()
            };
            let (product, _) = product_put(tx, &vendor, &product)?;
            let offer = NewOffer {
                sku: format!("item-{n}"),
                variant: String::new(),
                kind: OfferKind::Purchase,
                price: Amount::from_units(100),
                on_sale: false,
                active: true,
                stock: None,
                tiers: Vec::new(),
                options: Vec::new(),
            };
            offers.push(offer_put(tx, &vendor, product, &offer)?.0);
        }
        Ok::<_, CatalogError>(offers)
    })?)
}

/// What a purchase buys: one of an offer, and two of the next.
pub fn two_lines(choice: &mut Choice, offers: &[OfferId]) -> Vec<Wanted> {
    let first = choice.below(offers.len());
    let second = (first + 1) % offers.len();
    let line = |offer: usize, quantity: i64| Wanted {
        offer_id: offers[offer],
        quantity,
        quoted: None,
        entered: None,
    };
    vec![line(first, 1), line(second, 2)]
}

/// A cheap stream of numbers to choose with; the same in each run.
pub struct Choice(u64);

impl Choice {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Choice(seed.wrapping_mul(2).wrapping_add(1))
    }
    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap_or(0)
    }
}
