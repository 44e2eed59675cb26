//! Proving under an idempotency key (ARC-08): a repeated request costs no second attempt.
//!
//! Two answers are stored, because the slow comparison lies between two transactions: that the
//! attempt was counted, under the key itself; how it ended, under a key made from it. Neither has
//! the secret or its hash.

use super::{Attempt, Proof, compare};
use crate::Node;
use crate::command::{Answer, CommandError, Keyed};
use crate::vault;
use scrip_engine::{Error as EngineError, Timestamp, Tx};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// The first stored answer.
#[derive(Debug, Serialize, Deserialize)]
enum Begun {
    Compare,
    Locked { until_us: i64 },
}

/// Like [`super::prove`], under an envelope with a key. A repeated request gets the stored
/// outcome; while there is none it is told that the first one is under way.
pub fn prove_keyed<T, E>(
    node: &Node,
    keyed: Keyed,
    found: T,
    secret: &str,
    mut begin: impl FnMut(&mut Tx<'_>, &T) -> Result<Attempt, E> + Send + 'static,
    mut end: impl FnMut(&mut Tx<'_>, &T, &str) -> Result<bool, E> + Send + 'static,
) -> Result<Answer<Proof<()>>, E>
where
    T: Clone + Send + 'static,
    E: From<CommandError> + From<EngineError> + Send + 'static,
{
    let outcome_keyed = Keyed {
        key: keyed.key.as_deref().map(outcome_key),
        ..keyed.clone()
    };
    // The hash comes out beside the answer that is stored.
    let kept: Arc<Mutex<Option<String>>> = Arc::default();
    let (put, begun_for) = (kept.clone(), found.clone());
    let begun = node.run::<_, E, _>(keyed, move |tx| {
        Ok(match begin(tx, &begun_for)? {
            Attempt::Locked { until } => Begun::Locked { until_us: until.0 },
            Attempt::Compare { hash } => {
                *put.lock().unwrap_or_else(PoisonError::into_inner) = hash;
                Begun::Compare
            }
        })
    })?;
    let replayed = begun.replayed;
    if let Begun::Locked { until_us } = begun.value {
        let value = Proof::Locked {
            until: Timestamp(until_us),
        };
        return Ok(Answer { value, replayed });
    }
    if replayed {
        let ended =
            node.run::<bool, E, _>(outcome_keyed, |_| Err(CommandError::UnderWay.into()))?;
        return Ok(ended.map(proof));
    }
    let hash = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
    // As slow where there is none, so that time tells nothing.
    let right = compare(hash.as_deref(), secret);
    let hash = hash.filter(|_| right);
    let ended = node.run::<_, E, _>(outcome_keyed, move |tx| match &hash {
        Some(hash) => end(tx, &found, hash),
        None => Ok(false),
    })?;
    Ok(ended.map(proof))
}

fn proof(right: bool) -> Proof<()> {
    if right {
        Proof::Proven(())
    } else {
        Proof::Wrong
    }
}

/// As long as a key may be, whatever the caller's key is.
fn outcome_key(key: &str) -> String {
    let hash = vault::digest(key.as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}#outcome")
}
