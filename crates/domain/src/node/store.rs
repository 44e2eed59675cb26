//! The node's own facts in the database.

use scrip_engine::{Read, Result, Store, Tx, params};

pub(super) fn fingerprint(tx: &mut dyn Read) -> Result<Option<String>> {
    let row = tx.query_opt(
        "SELECT value FROM meta WHERE name = 'master_key'",
        params![],
    )?;
    row.map(|r| r.text(0).map(str::to_owned)).transpose()
}

pub(super) fn set_fingerprint(tx: &mut Tx<'_>, fingerprint: &str) -> Result<()> {
    tx.put(
        "INSERT INTO meta (name, value) VALUES ('master_key', $1)",
        params![fingerprint],
    )
}
