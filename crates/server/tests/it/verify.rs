//! `scrip verify` finds rows that were changed behind the program's back.

use crate::program::{Program, sample};
use scrip_engine::{Options, Read};
use scrip_testkit::TestDb;

both!(changed_rows_are_found_and_named, removed_rows_are_found);

/// A row to change: in which table, by which key it is named, which column becomes how much more,
/// and which row.
struct Change {
    table: &'static str,
    key: &'static str,
    column: &'static str,
    by: i64,
    order: &'static str,
}

const CHANGES: [Change; 8] = [
    Change {
        table: "transfer",
        key: "transfer_id",
        column: "amount",
        by: 1,
        order: "transfer_id",
    },
    Change {
        table: "account_head",
        key: "account_id",
        column: "balance",
        by: 1,
        order: "account_id",
    },
    Change {
        table: "lot",
        key: "account_id",
        column: "remaining",
        by: 1,
        order: "account_id",
    },
    Change {
        table: "token_grant",
        key: "grant_id",
        column: "quantity",
        by: -1,
        order: "grant_id",
    },
    Change {
        table: "entry",
        key: "entry_id",
        column: "effective_at",
        by: 1,
        order: "entry_id",
    },
    Change {
        table: "orders",
        key: "order_id",
        column: "total",
        by: 1,
        order: "recorded_at",
    },
    Change {
        table: "refund",
        key: "order_id",
        column: "amount",
        by: 1,
        order: "recorded_at",
    },
    Change {
        table: "token_order",
        key: "token_order_id",
        column: "quantity",
        by: -1,
        order: "created_at",
    },
];

impl Change {
    /// The row's key as `verify` writes it, and its condition in SQL.
    fn row(&self, db: &TestDb) -> (String, String) {
        let options = Options {
            read_only: true,
            ..Options::default()
        };
        let engine = db.open_with(&options);
        let query = format!(
            "SELECT {} FROM {} ORDER BY {} LIMIT 1",
            self.key, self.table, self.order
        );
        let row = engine.read(|tx| tx.query_one(Box::leak(query.into_boxed_str()), &[]));
        let row = row.unwrap();
        if let Ok(number) = row.int(0) {
            return (number.to_string(), format!("{} = {number}", self.key));
        }
        let id = row.uuid(0).unwrap();
        let hex = id.simple();
        let literal = if db.is_sqlite() {
            format!("x'{hex}'")
        } else {
            format!("'\\x{hex}'")
        };
        (id.to_string(), format!("{} = {literal}", self.key))
    }
}

/// MIC-07: an edited row of the ledger, of an order, a refund or a token sale is found, and
/// named with its table and key.
fn changed_rows_are_found_and_named(db: &TestDb) {
    let program = Program::with_vendor(db);
    program.ok(&["replay", "--vendor", "retail", &sample()]);
    assert!(program.ok(&["verify"]).contains("all is well"));
    for change in &CHANGES {
        let (key, row) = change.row(db);
        let Change {
            table, column, by, ..
        } = change;
        db.run_sql(&format!(
            "UPDATE {table} SET {column} = {column} + {by} WHERE {row}"
        ));
        let ran = program.run(&["verify"]);
        assert_eq!(ran.code, 1, "{table} {key}: {ran:?}");
        assert!(ran.err.contains("rows are wrong"), "{ran:?}");
        let named = format!("\n  {table} {key}");
        assert!(ran.out.contains(&named), "{named:?} is not in {}", ran.out);
        let ran = program.run(&["verify", "--json"]);
        assert_eq!(ran.code, 1);
        let found: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let findings = found[0]["findings"].as_array().unwrap();
        assert!(findings.iter().any(|f| f["table"] == *table), "{found}");
        db.run_sql(&format!(
            "UPDATE {table} SET {column} = {column} - {by} WHERE {row}"
        ));
    }
    let verified = program.json(&["verify"]);
    assert_eq!(verified[0]["book"], "retail");
    assert_eq!(verified[0]["findings"], serde_json::json!([]));
    assert!(verified[0]["transfers"].as_u64().unwrap() > 100);
}

/// MIC-07: a removed row is found as well.
fn removed_rows_are_found(db: &TestDb) {
    let program = Program::with_vendor(db);
    program.ok(&["replay", "--vendor", "retail", &sample()]);
    let mut wrong = 0;
    for table in ["refund_line", "order_line", "transfer"] {
        db.run_sql(&format!(
            "DELETE FROM {table} WHERE book_id = 1
                 AND amount = (SELECT MAX(amount) FROM {table})"
        ));
        let ran = program.run(&["verify", "--json"]);
        let found: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let findings = found[0]["findings"].as_array().unwrap().len();
        assert!(ran.code == 1 && findings > wrong, "{table}: {ran:?}");
        wrong = findings;
    }
}
