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
        let known = match Node::master_key(&engine)? {
            Some(known) => known,
            None => {
                let own = fingerprint.clone();
                // Another process may bind it at the same time: its key counts.
                engine.write(move |tx| match store::fingerprint(tx)? {
                    Some(known) => Ok(known),
                    None => store::set_fingerprint(tx, &own).map(|()| own.clone()),
                })?
            }
        };
        if known != fingerprint {
            return Err(Error::Unavailable(format!(
                "the database belongs to master key {known}, this is {fingerprint}"
            )));
        }
        Ok(Node {
            engine,
            vault: Arc::new(vault),
        })
    }

    /// The fingerprint of the master key that a database is bound to.
    pub fn master_key(engine: &Engine) -> Result<Option<String>> {
        engine.read(|tx| store::fingerprint(tx))
    }
}
