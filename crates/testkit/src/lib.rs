//! What tests are built on: databases on both engines, a PostgreSQL server of one's own, and a
//! disk that loses power. Only for tests: what cannot be set up panics and says why.
//!
//! Read on: `database.rs` ([`TestDb`], [`on_both_engines`]), `server.rs` ([`PostgresServer`]),
//! `power.rs` ([`power::PowerVfs`]), `power_rounds.rs` ([`power_rounds`]).

mod database;
pub mod power;
mod power_rounds;
mod server;

pub use database::{PostgresDatabase, TestDb, postgres_database};
pub use power_rounds::{PowerReport, PowerRounds, Workload, power_rounds};
pub use server::PostgresServer;

/// Makes one test for each engine, `name::sqlite` and `name::postgres`, from one body that takes
/// `&TestDb`.
///
/// ```ignore
/// on_both_engines!(write_is_read_back, |db: &TestDb| { drop(db.open()) });
/// ```
#[macro_export]
macro_rules! on_both_engines {
    ($(#[$attribute:meta])* $name:ident, $body:expr $(,)?) => {
        $(#[$attribute])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            fn body(db: &$crate::TestDb) {
                let body: fn(&$crate::TestDb) = $body;
                body(db);
            }

            #[test]
            fn sqlite() {
                body(&$crate::TestDb::sqlite());
            }

            #[test]
            fn postgres() {
                body(&$crate::TestDb::postgres());
            }
        }
    };
}
