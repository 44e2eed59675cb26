//! A node: the database and the master key.

mod store;

use crate::vault::Vault;
use scrip_engine::{Engine, Error, Result};
use std::sync::Arc;

/// What adapters hold to give commands.
#[derive(Clone)]
pub struct Node {
    /// The database.
    pub engine: Engine,
    /// The master key.
    pub vault: Arc<Vault>,
}

impl Node {
    /// Binds a database to its master key: at first use the key's fingerprint is noted, later
    /// another key is refused before it can harm anything.
    pub fn new(engine: Engine, vault: Vault) -> Result<Node> {
        let fingerprint = vault.fingerprint();
        let known = engine.read(|tx| store::fingerprint(tx))?;
        match known {
            Some(known) if known != fingerprint => {
                return Err(Error::Unavailable(format!(
                    "the database belongs to master key {known}, the key file holds {fingerprint}: \
                     give the right file with --key-file"
                )));
            }
            Some(_) => {}
            None => engine.write(move |tx| store::set_fingerprint(tx, &fingerprint))?,
        }
        Ok(Node {
            engine,
            vault: Arc::new(vault),
        })
    }
}
