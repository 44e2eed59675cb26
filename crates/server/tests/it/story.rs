//! `scrip demo --story`.

use std::process::Command;

/// MSP-05, OPN-01, OPN-06, OPN-08, OPN-18: the figures are played to their end, and what is owed comes
/// to what the mall has kept.
#[test]
fn the_story_is_told_to_its_end() {
    let told = Command::new(env!("CARGO_BIN_EXE_scrip"))
        .args(["demo", "--story"])
        .output()
        .unwrap();
    let text = String::from_utf8(told.stdout).unwrap();
    let err = String::from_utf8(told.stderr).unwrap();
    assert!(told.status.success(), "{text}{err}");
    for part in [
        "FIG. 13",
        "FIG. 15",
        "FIG. 16",
        "FIG. 18",
        "FIG. 20",
        "the mall hears of it, and takes its royalty of 0.1",
        "paid: 59.99 by 59.99 universal of rasterworks",
        "What each member owes the mall now",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}
