//! The one way in for writes: idempotency key, run, answer (ARC-08).
//!
//! A key is scoped by book and actor. The same key with the same request gives the first answer
//! again; with another request it is refused; two at once have one effect. Only hashes of the key
//! and the request are stored. The answer is encrypted under a key that is derived from the
//! idempotency key, so that whoever has the database alone cannot read it.

mod store;

use crate::id::CustomerId;
use crate::vault::{self, SecretKey};
use crate::{Actor, Node};
use scrip_engine::{Error as EngineError, Read, Ticket, Tx};
use serde::{Serialize, de::DeserializeOwned};

/// How long an answer can be asked for again.
const KEPT_S: i64 = 48 * 3600;
/// Characters of a key at most.
const KEY_AT_MOST: usize = 255;

/// A command's envelope.
#[derive(Clone, Debug)]
pub struct Keyed {
    /// The book that it is for.
    pub book_id: i64,
    /// Who gives it.
    pub actor: Actor,
    /// The idempotency key; `None` for commands that are safe to repeat.
    pub key: Option<String>,
    /// What is asked for, in a form that is equal for equal requests.
    pub request: Vec<u8>,
    /// The customer whom the answer is about: it is erased with the person.
    pub subject: Option<CustomerId>,
}

impl Keyed {
    /// The envelope of a part of a command that takes several transactions: a key of its own, made
    /// of the whole's, as long as a key may be.
    pub fn part(&self, name: &str) -> Keyed {
        let part = |key: &str| {
            let hash = vault::digest(key.as_bytes());
            let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{hex}#{name}")
        };
        Keyed {
            key: self.key.as_deref().map(part),
            ..self.clone()
        }
    }
}

/// An answer, and whether it is a repeated one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// What the command returned when it ran.
    pub value: T,
    /// True when it ran before and this is its stored answer.
    pub replayed: bool,
}

impl<T> Answer<T> {
    /// The same with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer {
            value: change(self.value),
            replayed: self.replayed,
        }
    }
}

/// Why an envelope was not opened.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommandError {
    /// The key was used for another request.
    #[error("this idempotency key was used for another request: use a fresh key for each request")]
    KeyReused,
    /// The key cannot be one.
    #[error("an idempotency key has 1 to 255 visible characters without spaces")]
    KeyInvalid,
    /// The first request under the key is not done, or broke off half-way.
    #[error(
        "the first request under this idempotency key has no outcome yet: repeat it in a moment, \
         or begin again under a fresh key"
    )]
    UnderWay,
    /// Below the rules.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Node {
    /// Runs a command in a transaction under its envelope.
    pub fn submit<T, E, F>(&self, keyed: Keyed, mut run: F) -> Ticket<Answer<T>, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
        E: From<CommandError> + From<EngineError> + Send + 'static,
    {
        let sealer = Sealer::new(self, &keyed);
        self.engine.submit(move |tx| {
            let Some(sealer) = sealer.as_ref() else {
                return run(tx).map(|value| Answer {
                    value,
                    replayed: false,
                });
            };
            let sealer = sealer.as_ref().map_err(|e| E::from(e.clone()))?;
            if let Some(value) = sealer.earlier(tx)? {
                return Ok(Answer {
                    value,
                    replayed: true,
                });
            }
            let value = run(tx).inspect_err(|_| sealer.stand_aside(tx))?;
            sealer.keep(tx, &value)?;
            Ok(Answer {
                value,
                replayed: false,
            })
        })
    }

    /// The answer of an envelope that was opened before, without running anything: for commands
    /// whose slow part comes before their transaction.
    pub fn earlier<T>(&self, keyed: &Keyed) -> Result<Option<Answer<T>>, CommandError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let Some(sealer) = Sealer::new(self, keyed).transpose()? else {
            return Ok(None);
        };
        let found = self.engine.write(move |tx| sealer.earlier::<T>(tx))?;
        Ok(found.map(|value| Answer {
            value,
            replayed: true,
        }))
    }

    /// Like [`Node::submit`], waiting for the answer.
    pub fn run<T, E, F>(&self, keyed: Keyed, run: F) -> Result<Answer<T>, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
        E: From<CommandError> + From<EngineError> + Send + 'static,
    {
        self.submit(keyed, run).wait()
    }
}

/// What a key and a request come to.
struct Sealer {
    book_id: i64,
    key_hash: [u8; 16],
    request_hash: [u8; 16],
    answer_key: SecretKey,
    subject: Option<CustomerId>,
}

const LABEL: &str = "idempotency answer";

impl Sealer {
    /// `None` without a key.
    fn new(node: &Node, keyed: &Keyed) -> Option<Result<Self, CommandError>> {
        let key = keyed.key.as_ref()?;
        let visible = key.chars().all(|c| !c.is_control() && !c.is_whitespace());
        if key.is_empty() || key.chars().count() > KEY_AT_MOST || !visible {
            return Some(Err(CommandError::KeyInvalid));
        }
        let book = keyed.book_id.to_le_bytes();
        let actor = keyed.actor.to_string();
        let parts: [&[u8]; 3] = [&book, actor.as_bytes(), key.as_bytes()];
        Some(Ok(Sealer {
            book_id: keyed.book_id,
            key_hash: first_half(node.vault.hash("idempotency key", &parts)),
            request_hash: first_half(vault::digest(&keyed.request)),
            answer_key: node.vault.derived(LABEL, &parts),
            subject: keyed.subject,
        }))
    }

    fn earlier<T: DeserializeOwned>(&self, tx: &mut Tx<'_>) -> Result<Option<T>, CommandError> {
        let Some(stored) = store::answer(tx, self.book_id, &self.key_hash)? else {
            return Ok(None);
        };
        if stored.expires_at <= tx.now() {
            store::forget(tx, self.book_id, &self.key_hash)?;
            return Ok(None);
        }
        if stored.request_hash != self.request_hash {
            return Err(CommandError::KeyReused);
        }
        let plain = vault::open(&self.answer_key, LABEL, &stored.answer)?;
        let value = serde_json::from_slice(&plain)
            .map_err(|e| EngineError::Corrupt(format!("stored answer: {e}")))?;
        Ok(Some(value))
    }

    /// After a failure: a command under the same key may have committed since [`Self::earlier`]
    /// looked (PostgreSQL), and be the reason, for example by taking the reference of an order.
    /// Then its answer is the answer: running into its row makes this command run again.
    fn stand_aside(&self, tx: &mut Tx<'_>) {
        if let Ok(Some(stored)) = store::answer(tx, self.book_id, &self.key_hash) {
            drop(store::collide(tx, self.book_id, &self.key_hash, &stored));
        }
    }

    fn keep<T: Serialize>(&self, tx: &mut Tx<'_>, value: &T) -> Result<(), CommandError> {
        let plain = serde_json::to_vec(value)
            .map_err(|e| EngineError::Statement(format!("answer as JSON: {e}")))?;
        let answer = vault::seal(tx, &self.answer_key, LABEL, &plain)?;
        let expires_at = tx.now().plus_seconds(KEPT_S);
        let request_hash = self.request_hash.to_vec();
        // A command under the same key that commits first makes this one run again (PostgreSQL),
        // and it then finds the answer.
        let stored = store::Stored {
            request_hash,
            answer,
            expires_at,
        };
        store::keep(
            tx,
            self.book_id,
            &self.key_hash,
            &stored,
            self.subject.as_ref(),
        )?;
        Ok(())
    }
}

fn first_half(hash: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    half
}

/// Forgets the answers about a customer who is erased. Walks the answers of the last two days:
/// erasing is rare, and an index would be written with every purchase.
pub fn answers_forget(
    tx: &mut Tx<'_>,
    book_id: i64,
    customer: CustomerId,
) -> Result<(), EngineError> {
    store::forget_about(tx, book_id, customer)
}

/// Forgets the answers of a book whose time is over; returns how many.
pub fn answers_expire(tx: &mut Tx<'_>, book_id: i64) -> Result<u64, EngineError> {
    store::forget_expired(tx, book_id)
}
