//! Pure decisions about keys: scopes, and how a key is written.

use super::ApiKey;
use crate::id::ApiKeyId;
use crate::secret::is_token;
use crate::text::named;

named! {
    /// What a key may do.
    Scope, "the scope" {
        /// See customers and their accounts.
        CustomersRead = "customers:read",
        /// Register and change customers.
        CustomersWrite = "customers:write",
        /// Sell tokens.
        TokensWrite = "tokens:write",
        /// See orders.
        OrdersRead = "orders:read",
        /// Place orders.
        OrdersWrite = "orders:write",
        /// Give tokens back.
        RefundsWrite = "refunds:write",
        /// See products and offers that are not for sale, too.
        CatalogRead = "catalog:read",
        /// Change products and offers.
        CatalogWrite = "catalog:write",
        /// See the vendor's settings.
        VendorRead = "vendor:read",
        /// Change the vendor's settings.
        VendorWrite = "vendor:write",
        /// See reports.
        ReportsRead = "reports:read",
        /// See the ledger.
        LedgerRead = "ledger:read",
        /// See and change webhook endpoints.
        WebhooksWrite = "webhooks:write",
        /// Make and revoke keys.
        KeysWrite = "keys:write",
    }
}

/// Each scope once, in the order of [`Scope::ALL`].
pub(super) fn ordered(scopes: &[Scope]) -> Vec<Scope> {
    Scope::ALL
        .iter()
        .copied()
        .filter(|scope| scopes.contains(scope))
        .collect()
}

/// Refuses with the first scope that the creator lacks.
pub(super) fn may_give(creator: &ApiKey, scopes: &[Scope]) -> Result<(), Scope> {
    let lacks = |scope: &&Scope| !creator.allows(**scope);
    let needed = [Scope::KeysWrite];
    needed
        .iter()
        .chain(scopes)
        .find(lacks)
        .map_or(Ok(()), |scope| Err(*scope))
}

const PREFIX: &str = "scrip_";

/// A whole key.
pub(super) fn written(book_id: i64, id: ApiKeyId, secret: &str) -> String {
    let id = id.to_string();
    let id = id.strip_prefix("key_").unwrap_or(&id);
    format!("{PREFIX}{book_id}_{id}_{secret}")
}

/// Book and id of a key as presented, when it has the form of one. Only its own spelling is read.
pub(super) fn read(presented: &str) -> Option<(i64, ApiKeyId)> {
    let mut parts = presented.strip_prefix(PREFIX)?.splitn(3, '_');
    let (book, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
    let book_id: i64 = book.parse().ok().filter(|b| *b > 0)?;
    let id: ApiKeyId = format!("key_{id}").parse().ok()?;
    let is_canonical = is_token(secret) && written(book_id, id, secret) == presented;
    is_canonical.then_some((book_id, id))
}
