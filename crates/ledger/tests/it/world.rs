//! A database with a set clock, and books with accounts to move value in.

use scrip_engine::{Clock, Engine, Options, Read, ReadTx, SetClock, Timestamp, Tx};
use scrip_ledger::{
    AccountKind, Amount, Book, BookKind, Leg, NewAccount, NewGrant, Origin, Piece, Posting, Result,
    account_balance, account_open, asset_currency, asset_token_create, book_create, entry_post,
    grant_open, hold_place, lots_available, memory, verify::book_verify,
};
use scrip_testkit::TestDb;
use std::sync::Arc;

/// Makes of functions of a `&TestDb` tests on both engines, of the same names.
macro_rules! both {
    ($($name:ident),+ $(,)?) => {
        $(scrip_testkit::on_both_engines!($name, $name);)+
    };
}
pub(crate) use both;

/// Monday.
pub const START: Timestamp = Timestamp(1_700_000_000_000_000);

/// An amount of units.
pub fn units(n: i64) -> Amount {
    Amount::from_units(n)
}

/// A database, opened.
pub struct World<'a> {
    db: &'a TestDb,
    pub clock: Arc<SetClock>,
    options: Options,
    engine: Option<Engine>,
}

impl<'a> World<'a> {
    pub fn new(db: &'a TestDb) -> Self {
        World::with(db, |_| {})
    }

    /// With other options.
    pub fn with(db: &'a TestDb, change: impl FnOnce(&mut Options)) -> Self {
        let clock = Arc::new(SetClock::new(START));
        let mut options = Options {
            clock: clock.clone(),
            memory: memory(),
            workers: 8,
            ..Options::default()
        };
        change(&mut options);
        let engine = Some(db.open_with(&options));
        World {
            db,
            clock,
            options,
            engine,
        }
    }

    pub fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("it is open between tests")
    }

    /// The clock's time plus so many seconds.
    pub fn clock_at(&self, seconds: i64) -> Timestamp {
        self.clock.now().plus_seconds(seconds)
    }

    /// Closes the engine and opens it again.
    pub fn reopen(&mut self) {
        self.engine = None;
        self.engine = Some(self.db.open_with(&self.options));
    }

    /// Runs statements behind the ledger's back; what writers hold in memory is forgotten.
    pub fn tamper(&mut self, sql: &str) {
        self.engine = None;
        self.db.run_sql(sql);
        self.engine = Some(self.db.open_with(&self.options));
    }

    pub fn write<T: Send + 'static>(
        &self,
        command: impl FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.engine().write(command)
    }

    pub fn read<T>(&self, read: impl FnOnce(&mut ReadTx<'_>) -> Result<T>) -> T {
        self.engine().read(read).expect("read")
    }

    /// A vendor's book.
    pub fn shop(&self, slug: &'static str) -> Shop {
        self.shop_named(slug, "A shop").0
    }

    pub fn shop_named(&self, slug: &str, name: &str) -> (Shop, Book) {
        let (slug, name) = (slug.to_owned(), name.to_owned());
        self.write(move |tx| {
            let book = book_create(tx, BookKind::Vendor, &slug, &name)?;
            let token = asset_token_create(tx, &book, "TOKEN", 6)?.asset_id;
            let money = asset_currency(tx, "EUR")?.asset_id;
            let mut open = |asset_id, kind| {
                account_open(
                    tx,
                    &NewAccount {
                        book_id: book.book_id,
                        asset_id,
                        kind,
                        label: "main",
                        owner: None,
                        counterparty: None,
                    },
                )
            };
            let shop = Shop {
                book: book.book_id,
                token,
                money,
                issued: open(token, AccountKind::Issued)?,
                spent: open(token, AccountKind::Spent)?,
                expired: open(token, AccountKind::Expired)?,
                processor: open(money, AccountKind::Processor)?,
                deferred: open(money, AccountKind::Deferred)?,
            };
            Ok((shop, book))
        })
        .expect("create a shop")
    }
}

/// The numbers of a book and its accounts.
#[derive(Clone, Copy, Debug)]
pub struct Shop {
    pub book: i64,
    pub token: i64,
    pub money: i64,
    pub issued: i64,
    pub spent: i64,
    pub expired: i64,
    pub processor: i64,
    pub deferred: i64,
}

/// A movement of tokens.
pub fn leg(debit: i64, credit: i64, amount: i64, grant: i64) -> Leg {
    Leg {
        debit,
        credit,
        amount: units(amount),
        grant: Some(grant),
    }
}

/// A movement without a grant.
pub fn plain(debit: i64, credit: i64, amount: i64) -> Leg {
    Leg {
        debit,
        credit,
        amount: units(amount),
        grant: None,
    }
}

impl Shop {
    /// Posts an entry within a transaction.
    pub fn post(&self, tx: &mut Tx<'_>, code: &str, legs: &[Leg]) -> Result<i64> {
        let event_id = tx.new_id()?;
        let effective_at = tx.now();
        entry_post(
            tx,
            &Posting {
                book_id: self.book,
                event_id,
                code,
                actor: "tester",
                reference: "R-1",
                effective_at,
                legs,
            },
        )
    }

    /// Posts an entry.
    pub fn entry(self, w: &World<'_>, legs: &[Leg]) -> Result<i64> {
        let legs = legs.to_vec();
        w.write(move |tx| self.post(tx, "order", &legs))
    }

    pub fn wallet(self, w: &World<'_>, label: &'static str) -> i64 {
        self.account(w, AccountKind::Wallet, self.token, label)
    }

    pub fn account(
        self,
        w: &World<'_>,
        kind: AccountKind,
        asset_id: i64,
        label: &'static str,
    ) -> i64 {
        w.write(move |tx| {
            account_open(
                tx,
                &NewAccount {
                    book_id: self.book,
                    asset_id,
                    kind,
                    label,
                    owner: None,
                    counterparty: None,
                },
            )
        })
        .expect("open an account")
    }

    /// Makes a grant within a transaction.
    pub fn grant_in(&self, tx: &mut Tx<'_>, amount: i64, expires_at: Timestamp) -> Result<i64> {
        let granted_at = tx.now();
        grant_open(
            tx,
            self.book,
            &NewGrant {
                asset_id: self.token,
                origin: Origin::Paid,
                restriction: None,
                expires_at,
                quantity: units(amount),
                paid: Amount::ZERO,
                paid_asset_id: Some(self.money),
                granted_at,
            },
        )
    }

    /// Makes a grant without giving it to anybody.
    pub fn grant(self, w: &World<'_>, amount: i64) -> i64 {
        w.write(move |tx| self.grant_in(tx, amount, Timestamp::NEVER))
            .expect("make a grant")
    }

    /// Grants tokens to a wallet; returns the grant.
    pub fn issue(self, w: &World<'_>, wallet: i64, amount: i64) -> i64 {
        self.issue_until(w, wallet, amount, Timestamp::NEVER).0
    }

    /// Grants tokens that expire; returns the grant and the entry.
    pub fn issue_until(
        self,
        w: &World<'_>,
        wallet: i64,
        amount: i64,
        expires_at: Timestamp,
    ) -> (i64, i64) {
        w.write(move |tx| {
            let grant = self.grant_in(tx, amount, expires_at)?;
            let legs = [leg(self.issued, wallet, amount, grant)];
            let entry = self.post(tx, "token_sale", &legs)?;
            Ok((grant, entry))
        })
        .expect("issue tokens")
    }

    pub fn spend(self, w: &World<'_>, wallet: i64, grant: i64, amount: i64) -> Result<i64> {
        self.entry(w, &[leg(wallet, self.spent, amount, grant)])
    }

    /// Sets pieces of (grant, amount) aside for an hour.
    pub fn hold(self, w: &World<'_>, wallet: i64, pieces: &[(i64, i64)]) -> Result<i64> {
        let pieces: Vec<Piece> = pieces
            .iter()
            .map(|(grant, amount)| Piece {
                grant: *grant,
                amount: units(*amount),
            })
            .collect();
        w.write(move |tx| {
            let event_id = tx.new_id()?;
            let now = tx.now();
            let posting = Posting {
                book_id: self.book,
                event_id,
                code: "hold",
                actor: "tester",
                reference: "H-1",
                effective_at: now,
                legs: &[],
            };
            hold_place(tx, &posting, wallet, &pieces, now.plus_seconds(3600))
        })
    }

    pub fn balance(self, w: &World<'_>, account: i64) -> i64 {
        w.read(|tx| account_balance(tx, self.book, account)).units()
    }

    /// (grant, remaining) of a wallet.
    pub fn lots(self, w: &World<'_>, account: i64) -> Vec<(i64, i64)> {
        w.read(|tx| lots_available(tx, self.book, account))
            .iter()
            .map(|lot| (lot.grant.grant_id, lot.remaining.units()))
            .collect()
    }

    /// (table, key) of each finding.
    pub fn findings(self, w: &World<'_>) -> Vec<(&'static str, String)> {
        let report = w.read(|tx| book_verify(tx, self.book));
        let found = report.findings.into_iter();
        found.map(|f| (f.table, f.key)).collect()
    }

    pub fn assert_clean(self, w: &World<'_>) {
        let report = w.read(|tx| book_verify(tx, self.book));
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
    }
}

/// The name of an error's variant.
pub fn name_of(error: &scrip_ledger::Error) -> String {
    let text = format!("{error:?}");
    text.chars()
        .take_while(|c| c.is_ascii_alphanumeric())
        .collect()
}

/// The name of the error that a result must be.
pub fn refused<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => "Ok".into(),
        Err(error) => name_of(&error),
    }
}
