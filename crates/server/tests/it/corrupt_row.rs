//! Rows that were changed behind the program's back, so that they break their own rules.

use crate::shop::{Key, Shop, engine_error, options};
use scrip_engine::Error;
use scrip_testkit::TestDb;

both!(a_corrupt_row_stops_the_purchase);

/// Changes rows although a check forbids it.
fn change(db: &TestDb, table: &str, column: &str, sql: &str) {
    if db.is_sqlite() {
        db.run_sql(&format!("PRAGMA ignore_check_constraints = ON; {sql}"));
    } else {
        db.run_sql(&format!(
            "ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {table}_{column}_check; {sql}"
        ));
    }
}

/// SHP-13: a row that cannot be understood stops the purchase, which says which row; it is
/// not read as something else.
fn a_corrupt_row_stops_the_purchase(db: &TestDb) {
    let engine = db.open_with(&options());
    let shop = Shop::create(&engine);
    let key = Key {
        round: 0,
        writer: 0,
        n: 0,
    };
    let before = shop.orders();
    let cases = [
        (
            "customer",
            "state",
            "'asleep'",
            "'active'",
            shop.customers[0].to_string(),
        ),
        ("offer", "kind", "'stolen'", "'purchase'", "off_".to_owned()),
    ];
    for (table, column, wrong, right, named) in cases {
        change(
            db,
            table,
            column,
            &format!("UPDATE {table} SET {column} = {wrong}"),
        );
        let answer = shop.buy(key).unwrap_err();
        match engine_error(&answer) {
            Some(Error::Corrupt(text)) => {
                assert!(text.contains(wrong.trim_matches('\'')), "{text}");
                assert!(text.contains(&named), "{text} does not name {named}");
            }
            _ => panic!("{answer:?}"),
        }
        assert_eq!(shop.orders(), before);
        change(
            db,
            table,
            column,
            &format!("UPDATE {table} SET {column} = {right}"),
        );
    }
    assert_eq!(shop.verify(), Vec::<String>::new());
    // Nothing of the stopped attempts was kept under the key either.
    let (id, replayed) = shop.buy(key).unwrap();
    assert!(!replayed);
    assert_eq!(shop.faults(&[(key, id)]), Vec::<String>::new());
}
