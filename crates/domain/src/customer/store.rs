//! The customer's tables.

use super::number::AccountNumber;
use super::{Buyer, Channel, Customer, CustomerSummary, Means, State};
use crate::id::{CustomerId, RegistrationId};
use crate::secret::{Attempts, Kept, SecretKind};
use scrip_engine::{Error, Read, Result, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;

fn channel(text: &str, of: &dyn std::fmt::Display) -> Result<Channel> {
    Channel::parse(text).map_err(|_| Error::Corrupt(format!("channel {text:?} of {of}")))
}

fn state_name(state: State) -> &'static str {
    match state {
        State::Inactive => "inactive",
        State::Active => "active",
        State::Closed => "closed",
    }
}

fn state(text: &str, id: CustomerId) -> Result<State> {
    match text {
        "inactive" => Ok(State::Inactive),
        "active" => Ok(State::Active),
        "closed" => Ok(State::Closed),
        other => Err(Error::Corrupt(format!("state {other:?} of {id}"))),
    }
}

/// A registration under way.
pub(super) struct Registration {
    pub stage: String,
    pub channel: Channel,
    pub details: Option<Vec<u8>>,
    pub expires_at: Timestamp,
    pub opened_by: String,
}

pub(super) fn insert_registration(
    tx: &mut Tx<'_>,
    book: i64,
    id: RegistrationId,
    new: &Registration,
) -> Result<()> {
    tx.put(
        "INSERT INTO registration (book_id, registration_id, stage, channel, details, means,
                                   customer_id, expires_at, opened_by)
         VALUES ($1, $2, $3, $4, NULL, NULL, NULL, $5, $6)",
        params![
            book,
            &id,
            &new.stage,
            new.channel.name(),
            new.expires_at.0,
            &new.opened_by
        ],
    )
}

/// Locked: two steps of one registration at once would make two customers.
pub(super) fn registration(
    tx: &mut Tx<'_>,
    book: i64,
    id: RegistrationId,
) -> Result<Option<Registration>> {
    let rows = tx.query_locked(
        "SELECT stage, channel, details, expires_at, opened_by FROM registration
         WHERE book_id = $1 AND registration_id = $2",
        params![book, &id],
    )?;
    rows.first()
        .map(|row| {
            Ok(Registration {
                stage: row.text(0)?.to_owned(),
                channel: channel(row.text(1)?, &id)?,
                details: row.opt_blob(2)?.map(<[u8]>::to_vec),
                expires_at: Timestamp(row.int(3)?),
                opened_by: row.text(4)?.to_owned(),
            })
        })
        .transpose()
}

/// A registration as a page shows it: not locked, without its details.
pub(super) struct Seen {
    pub stage: String,
    pub customer: Option<CustomerId>,
    pub expires_at: Timestamp,
}

pub(super) fn registration_seen(
    tx: &mut dyn Read,
    book: i64,
    id: RegistrationId,
) -> Result<Option<Seen>> {
    let row = tx.query_opt(
        "SELECT stage, customer_id, expires_at FROM registration
         WHERE book_id = $1 AND registration_id = $2",
        params![book, &id],
    )?;
    row.map(|row| {
        let made = row.opt_blob(1)?.is_some();
        Ok(Seen {
            stage: row.text(0)?.to_owned(),
            customer: made.then(|| CustomerId::from_row(&row, 1)).transpose()?,
            expires_at: Timestamp(row.int(2)?),
        })
    })
    .transpose()
}

pub(super) fn forget_registrations(tx: &mut Tx<'_>, book: i64) -> Result<u64> {
    let now = tx.now();
    tx.execute(
        "DELETE FROM registration WHERE book_id = $1 AND expires_at <= $2",
        params![book, now.0],
    )
}

pub(super) fn set_details(
    tx: &mut Tx<'_>,
    book: i64,
    id: RegistrationId,
    sealed: &[u8],
) -> Result<()> {
    tx.put(
        "UPDATE registration SET stage = 'details', details = $3
         WHERE book_id = $1 AND registration_id = $2",
        params![book, &id, sealed],
    )
}

/// The details now belong to the customer and are kept there alone.
pub(super) fn finish_registration(
    tx: &mut Tx<'_>,
    book: i64,
    id: RegistrationId,
    customer: CustomerId,
) -> Result<()> {
    tx.put(
        "UPDATE registration SET stage = 'account', details = NULL, customer_id = $3
         WHERE book_id = $1 AND registration_id = $2",
        params![book, &id, &customer],
    )
}

/// False when the name is taken.
pub(super) fn insert_login(
    tx: &mut Tx<'_>,
    hash: &[u8],
    book: i64,
    customer: CustomerId,
) -> Result<bool> {
    let rows = tx.execute_returning(
        "INSERT INTO directory (login_hash, book_id, customer_id) VALUES ($1, $2, $3)
         ON CONFLICT (login_hash) DO NOTHING RETURNING book_id",
        params![hash, book, &customer],
    )?;
    Ok(!rows.is_empty())
}

/// Counts a book's customers; the row is the lock.
pub(super) fn next_customer(tx: &mut Tx<'_>, book: i64) -> Result<i64> {
    let rows = tx.execute_returning(
        "UPDATE counter SET value = value + 1 WHERE book_id = $1 AND name = 'customer'
         RETURNING value",
        params![book],
    )?;
    rows.first()
        .ok_or_else(|| Error::Corrupt(format!("book {book} has no counter")))?
        .int(0)
}

pub(super) struct NewCustomer {
    pub book_id: i64,
    pub customer_id: CustomerId,
    pub number: AccountNumber,
    pub state: State,
    pub channel: Channel,
    pub means: Means,
    pub country: String,
    pub opened_by: String,
}

pub(super) fn insert_customer(tx: &mut Tx<'_>, new: &NewCustomer, data_key: &[u8]) -> Result<()> {
    let now = tx.now();
    let activated_at = (new.state == State::Active).then_some(now.0);
    tx.put(
        "INSERT INTO customer (book_id, customer_id, serial, state, channel, means, data_key,
                               created_at, activated_at, country, opened_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        params![
            new.book_id,
            &new.customer_id,
            new.number.serial(),
            state_name(new.state),
            new.channel.name(),
            new.means.name(),
            data_key,
            now.0,
            activated_at,
            &new.country,
            &new.opened_by
        ],
    )
}

pub(super) fn set_person(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    sealed: &[u8],
) -> Result<()> {
    tx.put(
        "INSERT INTO person_data (book_id, customer_id, sealed) VALUES ($1, $2, $3)
         ON CONFLICT (book_id, customer_id) DO UPDATE SET sealed = excluded.sealed",
        params![book, &customer, sealed],
    )
}

/// Nothing is known of the person any more.
pub(super) fn forget_person(tx: &mut Tx<'_>, book: i64, customer: CustomerId) -> Result<()> {
    tx.put(
        "DELETE FROM person_data WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )
}

/// Sign-in names of the customer lead nowhere any more, and are free.
pub(super) fn forget_logins(tx: &mut Tx<'_>, book: i64, customer: CustomerId) -> Result<()> {
    tx.put(
        "DELETE FROM directory WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )
}

pub(super) fn forget_secrets(tx: &mut Tx<'_>, book: i64, customer: CustomerId) -> Result<()> {
    tx.put(
        "DELETE FROM credential WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )
}

pub(super) fn replace_key(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    data_key: &[u8],
) -> Result<()> {
    tx.put(
        "UPDATE customer SET data_key = $3 WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer, data_key],
    )
}

pub(super) fn set_merged(tx: &mut Tx<'_>, closed: &Customer, kept: CustomerId) -> Result<()> {
    tx.put(
        "UPDATE customer SET merged_into = $3 WHERE book_id = $1 AND customer_id = $2",
        params![closed.book_id, &closed.customer_id, &kept],
    )
}

/// The customer's data key, encrypted; empty when it was destroyed.
pub(super) fn data_key(
    tx: &mut dyn Read,
    book: i64,
    customer: CustomerId,
) -> Result<Option<Vec<u8>>> {
    let row = tx.query_opt(
        "SELECT data_key FROM customer WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )?;
    row.map(|row| Ok(row.blob(0)?.to_vec())).transpose()
}

/// The customer's data key and personal data, both encrypted.
pub(super) fn person(
    tx: &mut dyn Read,
    book: i64,
    customer: CustomerId,
) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    let row = tx.query_opt(
        "SELECT c.data_key, p.sealed FROM customer c
         JOIN person_data p ON p.book_id = c.book_id AND p.customer_id = c.customer_id
         WHERE c.book_id = $1 AND c.customer_id = $2",
        params![book, &customer],
    )?;
    row.map(|row| Ok((row.blob(0)?.to_vec(), row.blob(1)?.to_vec())))
        .transpose()
}

pub(super) fn link_wallet(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    asset: i64,
    account: i64,
) -> Result<()> {
    tx.put(
        "INSERT INTO wallet_link (book_id, customer_id, asset_id, debtor_book, account_id)
         VALUES ($1, $2, $3, $4, $5)",
        params![book, &customer, asset, book, account],
    )
}

const BY_SERIAL: &str = "SELECT c.customer_id, c.book_id, c.serial, c.state, w.account_id,
        v.token_id, v.spent_account, v.threshold, c.has_parent, v.promotions_until,
        v.is_taxed, c.country
    FROM customer c
    JOIN vendor v ON v.book_id = c.book_id
    JOIN wallet_link w ON w.book_id = c.book_id AND w.customer_id = c.customer_id
        AND w.asset_id = v.token_id
    WHERE c.book_id = $1 AND c.serial = $2";
const BY_ID: &str = "SELECT c.customer_id, c.book_id, c.serial, c.state, w.account_id,
        v.token_id, v.spent_account, v.threshold, c.has_parent, v.promotions_until,
        v.is_taxed, c.country
    FROM customer c
    JOIN vendor v ON v.book_id = c.book_id
    JOIN wallet_link w ON w.book_id = c.book_id AND w.customer_id = c.customer_id
        AND w.asset_id = v.token_id
    WHERE c.book_id = $1 AND c.customer_id = $2";

fn buyer_row(row: &Row) -> Result<Buyer> {
    let book_id = row.int(1)?;
    let customer_id = CustomerId::from_row(row, 0)?;
    let customer = Customer {
        customer_id,
        book_id,
        number: AccountNumber::from_row(book_id, row.int(2)?)?,
        state: state(row.text(3)?, customer_id)?,
        wallet: row.int(4)?,
        country: row.text(11)?.to_owned(),
    };
    Ok(Buyer {
        customer,
        token_id: row.int(5)?,
        spent_account: row.int(6)?,
        threshold: row.opt_int(7)?.map(Amount::from_units),
        has_parent: row.bool(8)?,
        promotions_until: Timestamp(row.int(9)?),
        is_taxed: row.bool(10)?,
    })
}

pub(super) fn by_number(tx: &mut dyn Read, number: AccountNumber) -> Result<Option<Customer>> {
    let row = tx.query_opt(BY_SERIAL, params![number.book_id(), number.serial()])?;
    row.map(|row| buyer_row(&row).map(|b| b.customer))
        .transpose()
}

pub(super) fn by_id(tx: &mut dyn Read, book: i64, id: CustomerId) -> Result<Option<Customer>> {
    Ok(buyer(tx, book, id)?.map(|b| b.customer))
}

pub(super) fn buyer(tx: &mut dyn Read, book: i64, id: CustomerId) -> Result<Option<Buyer>> {
    let row = tx.query_opt(BY_ID, params![book, &id])?;
    row.map(|row| buyer_row(&row)).transpose()
}

pub(super) fn by_login(tx: &mut dyn Read, hash: &[u8]) -> Result<Option<(i64, CustomerId)>> {
    let row = tx.query_opt(
        "SELECT book_id, customer_id FROM directory WHERE login_hash = $1",
        params![hash],
    )?;
    row.map(|row| Ok((row.int(0)?, CustomerId::from_row(&row, 1)?)))
        .transpose()
}

pub(super) fn set_reference(
    tx: &mut Tx<'_>,
    book: i64,
    reference: &str,
    customer: CustomerId,
) -> Result<()> {
    tx.put(
        "INSERT INTO reference (book_id, kind, reference, target) VALUES ($1, 'customer', $2, $3)",
        params![book, reference, &customer],
    )
}

pub(super) fn by_reference(
    tx: &mut dyn Read,
    book: i64,
    reference: &str,
) -> Result<Option<CustomerId>> {
    let row = tx.query_opt(
        "SELECT target FROM reference
         WHERE book_id = $1 AND kind = 'customer' AND reference = $2",
        params![book, reference],
    )?;
    row.map(|row| CustomerId::from_row(&row, 0)).transpose()
}

/// Activates a customer who is inactive by now; false when it is not, whatever was read before.
pub(super) fn activate(tx: &mut Tx<'_>, customer: &Customer) -> Result<bool> {
    let now = tx.now();
    let rows = tx.execute_returning(
        "UPDATE customer SET state = 'active', activated_at = $3
         WHERE book_id = $1 AND customer_id = $2 AND state = 'inactive' RETURNING serial",
        params![customer.book_id, &customer.customer_id, now.0],
    )?;
    Ok(!rows.is_empty())
}

/// Closes an account; false when it is closed already.
pub(super) fn close(tx: &mut Tx<'_>, customer: &Customer) -> Result<bool> {
    let rows = tx.execute_returning(
        "UPDATE customer SET state = 'closed'
         WHERE book_id = $1 AND customer_id = $2 AND state <> 'closed' RETURNING serial",
        params![customer.book_id, &customer.customer_id],
    )?;
    Ok(!rows.is_empty())
}

pub(super) fn set_secret(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
    kind: SecretKind,
    hash: &str,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO credential (book_id, customer_id, kind, hash, failures, locked_until,
                                 changed_at)
         VALUES ($1, $2, $3, $4, 0, 0, $5)
         ON CONFLICT (book_id, customer_id, kind) DO UPDATE SET hash = excluded.hash,
            failures = 0, locked_until = 0, changed_at = excluded.changed_at",
        params![book, &customer, kind.name(), hash, now.0],
    )
}

pub(super) fn secret_locked(
    tx: &mut Tx<'_>,
    customer: &Customer,
    kind: SecretKind,
) -> Result<Option<Kept>> {
    let rows = tx.query_locked(
        "SELECT hash, failures, locked_until FROM credential
         WHERE book_id = $1 AND customer_id = $2 AND kind = $3",
        params![customer.book_id, &customer.customer_id, kind.name()],
    )?;
    rows.first()
        .map(|row| {
            Ok(Kept {
                hash: row.text(0)?.to_owned(),
                attempts: Attempts {
                    failures: row.int(1)?,
                    locked_until: Timestamp(row.int(2)?),
                },
            })
        })
        .transpose()
}

pub(super) fn set_attempts(
    tx: &mut Tx<'_>,
    customer: &Customer,
    kind: SecretKind,
    attempts: Attempts,
) -> Result<()> {
    tx.put(
        "UPDATE credential SET failures = $4, locked_until = $5
         WHERE book_id = $1 AND customer_id = $2 AND kind = $3",
        params![
            customer.book_id,
            &customer.customer_id,
            kind.name(),
            attempts.failures,
            attempts.locked_until.0
        ],
    )
}

/// A code with which a forgotten PIN is replaced.
pub(super) struct Reset {
    pub code_hash: Vec<u8>,
    pub failures: i64,
    pub expires_at: Timestamp,
}

/// Replaces an earlier one.
pub(super) fn set_reset(
    tx: &mut Tx<'_>,
    customer: &Customer,
    reset: &Reset,
    created_by: &str,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO pin_reset (book_id, customer_id, code_hash, failures, created_at, created_by,
                                expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (book_id, customer_id) DO UPDATE SET code_hash = excluded.code_hash,
            failures = excluded.failures, created_at = excluded.created_at,
            created_by = excluded.created_by, expires_at = excluded.expires_at",
        params![
            customer.book_id,
            &customer.customer_id,
            &reset.code_hash,
            reset.failures,
            now.0,
            created_by,
            reset.expires_at.0
        ],
    )
}

pub(super) fn reset_locked(tx: &mut Tx<'_>, customer: &Customer) -> Result<Option<Reset>> {
    let rows = tx.query_locked(
        "SELECT code_hash, failures, expires_at FROM pin_reset
         WHERE book_id = $1 AND customer_id = $2",
        params![customer.book_id, &customer.customer_id],
    )?;
    rows.first()
        .map(|row| {
            Ok(Reset {
                code_hash: row.blob(0)?.to_vec(),
                failures: row.int(1)?,
                expires_at: Timestamp(row.int(2)?),
            })
        })
        .transpose()
}

pub(super) fn set_reset_failures(
    tx: &mut Tx<'_>,
    customer: &Customer,
    failures: i64,
) -> Result<()> {
    tx.put(
        "UPDATE pin_reset SET failures = $3 WHERE book_id = $1 AND customer_id = $2",
        params![customer.book_id, &customer.customer_id, failures],
    )
}

pub(super) fn end_reset(tx: &mut Tx<'_>, customer: &Customer) -> Result<()> {
    tx.put(
        "DELETE FROM pin_reset WHERE book_id = $1 AND customer_id = $2",
        params![customer.book_id, &customer.customer_id],
    )
}

/// A book's customers by serial, above `after`.
pub(super) fn list(
    tx: &mut dyn Read,
    book: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<CustomerSummary>> {
    let rows = tx.query(
        "SELECT customer_id, serial, state, channel, created_at, activated_at FROM customer
         WHERE book_id = $1 AND serial > $2 ORDER BY serial LIMIT $3",
        params![book, after, limit],
    )?;
    rows.iter()
        .map(|row| {
            let customer_id = CustomerId::from_row(row, 0)?;
            Ok(CustomerSummary {
                customer_id,
                number: AccountNumber::from_row(book, row.int(1)?)?,
                state: state(row.text(2)?, customer_id)?,
                channel: channel(row.text(3)?, &customer_id)?,
                created_at: Timestamp(row.int(4)?),
                activated_at: row.opt_int(5)?.map(Timestamp),
            })
        })
        .collect()
}

pub(super) fn sweep_locked(tx: &mut Tx<'_>, book: i64) -> Result<Option<i64>> {
    let rows = tx.query_locked(
        "SELECT after_serial FROM activation_sweep WHERE book_id = $1",
        params![book],
    )?;
    rows.first().map(|row| row.int(0)).transpose()
}

pub(super) fn set_sweep(tx: &mut Tx<'_>, book: i64, after: i64) -> Result<()> {
    tx.put(
        "UPDATE activation_sweep SET after_serial = $2 WHERE book_id = $1",
        params![book, after],
    )?;
    Ok(())
}

pub(super) fn end_sweep(tx: &mut Tx<'_>, book: i64) -> Result<()> {
    tx.put(
        "DELETE FROM activation_sweep WHERE book_id = $1",
        params![book],
    )?;
    Ok(())
}
