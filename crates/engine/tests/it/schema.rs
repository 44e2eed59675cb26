//! Both engines have the same schema, books can be spread over servers, and the check that says
//! so finds each kind of fault.

use scrip_engine::schema::{Schema, describe};
use scrip_testkit::{TestDb, on_both_engines};

fn schema(db: &TestDb) -> Schema {
    describe(&db.open()).unwrap()
}

#[test]
fn both_engines_have_the_same_schema() {
    let (sqlite, postgres) = (schema(&TestDb::sqlite()), schema(&TestDb::postgres()));
    assert_eq!(sqlite.differences(&postgres), Vec::<String>::new());
    // And it was really read.
    assert!(sqlite.tables.len() > 30);
    let customer = &postgres.tables["customer"];
    assert_eq!(customer.primary_key, ["book_id", "customer_id"]);
    assert_eq!(customer.columns["serial"].kind, "int");
    assert_eq!(customer.columns["channel"].kind, "text");
    assert_eq!(customer.columns["customer_id"].kind, "blob");
    assert!(customer.columns["activated_at"].nullable && !customer.columns["serial"].nullable);
    assert!(
        customer
            .unique_keys
            .contains(["book_id".to_owned(), "serial".to_owned()].as_slice())
    );
    assert_eq!(customer.foreign_keys.len(), 1);
    let states = "state in 'inactive' , 'active' , 'closed'".to_owned();
    assert!(customer.checks.contains(&states), "{:?}", customer.checks);
}

on_both_engines!(every_table_of_a_book_leads_with_it, |db: &TestDb| {
    assert_eq!(schema(db).tenant_faults(), Vec::<String>::new());
});

/// Statements for each engine that plant a difference, and what must be said about it.
const DIFFERENCES: [(&str, &str, &str); 10] = [
    (
        "CREATE TABLE extra (book_id INTEGER NOT NULL PRIMARY KEY) STRICT",
        "",
        "table extra is only",
    ),
    ("", "DROP TABLE reference", "table reference is only"),
    (
        "ALTER TABLE lot ADD COLUMN pinned INTEGER",
        "",
        "column lot.pinned",
    ),
    (
        "",
        "ALTER TABLE lot ALTER COLUMN remaining DROP NOT NULL",
        "column lot.remaining",
    ),
    (
        "",
        "ALTER TABLE book ALTER COLUMN name TYPE VARCHAR(20)",
        "column book.name",
    ),
    (
        "",
        "ALTER TABLE book ALTER COLUMN name TYPE TEXT COLLATE \"default\"",
        "column book.name",
    ),
    (
        "CREATE INDEX entry_event ON entry (book_id, event_id)",
        "",
        "index entry_event of entry",
    ),
    (
        "CREATE INDEX entry_event ON entry (book_id, event_id)",
        "CREATE UNIQUE INDEX entry_event ON entry (book_id, event_id)",
        "index entry_event of entry",
    ),
    (
        "CREATE INDEX entry_event ON entry (book_id, event_id DESC)",
        "CREATE INDEX entry_event ON entry (book_id, event_id)",
        "index entry_event of entry",
    ),
    (
        "",
        "ALTER TABLE lot ADD CHECK (remaining < 1000)",
        "checks of lot",
    ),
];

#[test]
fn each_kind_of_difference_is_found() {
    for (sqlite, postgres, expected) in DIFFERENCES {
        expect_difference(sqlite, postgres, expected);
    }
    for (statement, expected) in [
        (
            "ALTER TABLE lot DROP CONSTRAINT lot_remaining_check",
            "checks of lot",
        ),
        (
            "ALTER TABLE staff DROP CONSTRAINT staff_book_id_name_key",
            "unique keys of staff",
        ),
        (
            "ALTER TABLE staff DROP CONSTRAINT staff_book_id_fkey",
            "foreign keys of staff",
        ),
        (
            "ALTER TABLE lot DROP CONSTRAINT lot_pkey, ADD PRIMARY KEY (book_id, grant_id, account_id)",
            "primary key of lot",
        ),
    ] {
        expect_difference("", statement, expected);
    }
}

fn expect_difference(sqlite: &str, postgres: &str, expected: &str) {
    let (a, b) = (TestDb::sqlite(), TestDb::postgres());
    drop((a.open(), b.open()));
    a.run_sql(sqlite);
    b.run_sql(postgres);
    let found = schema(&a).differences(&schema(&b));
    assert!(
        found.len() == 1 && found[0].starts_with(expected),
        "{sqlite} {postgres}: expected {expected:?}, found {found:?}"
    );
}

/// Statements that both engines read, and what must be said.
const TENANT_FAULTS: [(&str, &str); 6] = [
    (
        "CREATE TABLE extra (book_id INT NOT NULL, x INT NOT NULL, PRIMARY KEY (x, book_id))",
        "the primary key of extra",
    ),
    (
        "CREATE TABLE extra (book_id INT NOT NULL)",
        "the primary key of extra",
    ),
    (
        "CREATE TABLE extra (book_id INT PRIMARY KEY, x INT NOT NULL, UNIQUE (x))",
        "unique key [\"x\"] of extra",
    ),
    (
        "CREATE UNIQUE INDEX wrong ON orders (order_id)",
        "unique index wrong of orders",
    ),
    (
        "CREATE TABLE extra (book_id BIGINT PRIMARY KEY, home_book BIGINT REFERENCES vendor (book_id))",
        "foreign key (home_book) to vendor (book_id) of extra",
    ),
    (
        "CREATE TABLE extra (book_id BIGINT PRIMARY KEY, home_book BIGINT REFERENCES book (book_id))",
        "foreign key (home_book) to book (book_id) of extra",
    ),
];

on_both_engines!(each_kind_of_tenant_fault_is_found, |db: &TestDb| {
    drop(db.open());
    for (statement, expected) in TENANT_FAULTS {
        db.run_sql(statement);
        let found = schema(db).tenant_faults();
        assert!(
            found.len() == 1 && found[0].starts_with(expected),
            "{statement}: expected {expected:?}, found {found:?}"
        );
        let extra = statement.starts_with("CREATE TABLE");
        db.run_sql(if extra {
            "DROP TABLE extra"
        } else {
            "DROP INDEX wrong"
        });
    }
    db.run_sql("DROP TABLE directory");
    db.run_sql(
        "CREATE TABLE directory (login_hash INT PRIMARY KEY, book_id BIGINT REFERENCES vendor (book_id))",
    );
    let found = schema(db).tenant_faults();
    assert_eq!(found, ["directory is shared, but refers to vendor"]);
});
