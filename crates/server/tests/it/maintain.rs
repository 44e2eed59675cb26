//! `scrip maintain` does what waits, once, and changes no balance.

use crate::program::{Program, sample};
use scrip_testkit::TestDb;

both!(what_waits_is_done_once);

fn what_waits_is_done_once(db: &TestDb) {
    let program = Program::with_vendor(db);
    program.ok(&["replay", "--vendor", "retail", &sample()]);
    let before = program.exports();
    let done = program.json(&["maintain"]);
    assert!(done["entries_sealed"].as_i64() > Some(0), "{done}");
    let again = program.json(&["maintain"]);
    assert_eq!(again["entries_sealed"], 0, "{again}");
    assert_eq!(
        program.exports(),
        before,
        "the same balances, rolled up now"
    );
    let verified = program.json(&["verify"]);
    assert!(verified[0]["seals"].as_i64() > Some(0), "{verified}");
}
