//! Encryption of what must not lie open in the database (REG-13).
//!
//! One master key per node, kept outside the database. Each customer and each vendor has a data
//! key, stored encrypted under the master key; destroying a customer's data key erases what was
//! encrypted under it, wherever the key's row is gone. XChaCha20-Poly1305 throughout; every
//! ciphertext is bound to a label that says what it is and whose.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use scrip_engine::{Error as EngineError, Tx};
use sha2::{Digest, Sha256};
use std::fmt;

type Result<T> = std::result::Result<T, EngineError>;

const NONCE: usize = 24;

/// A 256-bit key.
#[derive(Clone)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// From its bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        SecretKey(bytes)
    }
    /// Its bytes, to be written to a key file.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// Holds the master key.
#[derive(Clone, Debug)]
pub struct Vault {
    master: SecretKey,
}

impl Vault {
    /// A vault with the given master key.
    pub fn new(master: SecretKey) -> Self {
        Vault { master }
    }

    /// Tells master keys apart without revealing them.
    pub fn fingerprint(&self) -> String {
        let hash = self.hash("fingerprint", &[]);
        hash.iter().take(8).map(|b| format!("{b:02x}")).collect()
    }

    /// A hash that nobody can compute without the master key, of parts that cannot run together.
    pub fn hash(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.mac();
        for part in [purpose.as_bytes()].iter().chain(parts) {
            mac.update(&part.len().to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn mac(&self) -> Hmac<Sha256> {
        // A 32-byte key is below the block size, so this is HMAC's ordinary keying.
        let mut key = [0; 64];
        key[..32].copy_from_slice(&self.master.0);
        <Hmac<Sha256> as hmac::KeyInit>::new(&key.into())
    }

    /// A key derived from the master key for one purpose.
    pub fn derived(&self, purpose: &str, parts: &[&[u8]]) -> SecretKey {
        SecretKey(self.hash(purpose, parts))
    }

    /// A fresh data key, and its encrypted form for the database.
    pub fn new_data_key(&self, tx: &mut Tx<'_>, label: &str) -> Result<(SecretKey, Vec<u8>)> {
        let mut bytes = [0; 32];
        tx.random(&mut bytes)?;
        let sealed = seal(tx, &self.master, label, &bytes)?;
        Ok((SecretKey(bytes), sealed))
    }

    /// The data key of its encrypted form.
    pub fn data_key(&self, label: &str, sealed: &[u8]) -> Result<SecretKey> {
        let bytes = open(&self.master, label, sealed)?;
        let bytes = bytes.try_into().map_err(|_| unreadable(label))?;
        Ok(SecretKey(bytes))
    }
}

fn unreadable(label: &str) -> EngineError {
    EngineError::Corrupt(format!(
        "{label} cannot be decrypted: wrong master key, or changed"
    ))
}

/// Encrypts; the result carries its random nonce.
pub fn seal(tx: &mut Tx<'_>, key: &SecretKey, label: &str, plain: &[u8]) -> Result<Vec<u8>> {
    let mut nonce = [0; NONCE];
    tx.random(&mut nonce)?;
    let sealed = XChaCha20Poly1305::new(&Key::from(key.0))
        .encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: plain,
                aad: label.as_bytes(),
            },
        )
        .map_err(|_| EngineError::Statement(format!("cannot encrypt {label}")))?;
    Ok([&nonce[..], &sealed].concat())
}

/// Decrypts what [`seal`] made under the same label.
pub fn open(key: &SecretKey, label: &str, sealed: &[u8]) -> Result<Vec<u8>> {
    let (nonce, body) = sealed
        .split_at_checked(NONCE)
        .ok_or_else(|| unreadable(label))?;
    let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| unreadable(label))?;
    XChaCha20Poly1305::new(&Key::from(key.0))
        .decrypt(
            &XNonce::from(nonce),
            Payload {
                msg: body,
                aad: label.as_bytes(),
            },
        )
        .map_err(|_| unreadable(label))
}

/// A short hash of public text, for comparing requests.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
