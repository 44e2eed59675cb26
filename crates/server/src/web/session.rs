//! Who is looking at a page: the shop of the address, and the customer or member of staff of the
//! cookie.
//!
//! Each shop has a cookie of its own, so one browser can be signed in at several shops, and as
//! customer and as staff at once; ending one session leaves the others alone.

use super::buy::bought::Bought;
use super::payer::{Account, account, accounts};
use super::view::zone;
use crate::error::{Problem, Result};
use crate::http::body::Path;
use crate::state::App;
use axum::extract::FromRequestParts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use axum::response::Response;
use scrip_domain::customer::{Customer, State, customer_by_id, time_zone};
use scrip_domain::id::CustomerId;
use scrip_domain::order::OrderError;
use scrip_domain::order::gate::{Sight, gate, is_visiting, threshold};
use scrip_domain::policy::{Policy, policy};
use scrip_domain::session::{Subject, session_find, session_touch};
use scrip_domain::token_sale::{TokenOrderView, TokenSaleError, token_order_by_id};
use scrip_domain::vendor::{Staff, Storefront, Vendor, staff_by_id, storefront, vendor_by_slug};
use scrip_domain::{Actor, Amount, Keyed};
use scrip_engine::{ReadTx, Timestamp};
use serde::Deserialize;
use serde_json::json;

/// The shop of the address.
#[derive(Clone, Debug)]
pub struct Shop {
    /// The vendor.
    pub vendor: Vendor,
    /// How its shop looks.
    pub front: Storefront,
    /// The price of one token now, in the vendor's currency.
    pub token_price: Amount,
    /// What the vendor decided.
    pub policy: Policy,
}

impl Shop {
    /// An address in this shop: `at("/account")`.
    pub fn at(&self, path: &str) -> String {
        format!("/shops/{}{path}", self.vendor.slug)
    }
}

/// The customer who is signed in.
#[derive(Clone, Debug)]
pub struct Me {
    /// The customer.
    pub customer: Customer,
    /// The name, or the account number where none is known.
    pub name: String,
    /// AT.
    pub available: Amount,
    /// The account that was signed in to; `customer` is the one that pays (TOK-15).
    pub own: CustomerId,
    /// The accounts to choose from, the own one first; empty where none is linked.
    pub accounts: Vec<Account>,
    /// The session's token.
    pub token: String,
    /// The order of tokens from which the customer comes back to this page (TOK-14).
    pub bought: Option<TokenOrderView>,
}

impl Me {
    /// As whom commands are given.
    pub fn actor(&self) -> Actor {
        Actor::Customer(self.customer.customer_id)
    }

    /// True when the account may buy.
    pub fn is_active(&self) -> bool {
        self.customer.state == State::Active
    }
}

/// Anyone who looks at a page of a shop, signed in or not.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The shop.
    pub shop: Shop,
    /// The customer, when signed in.
    pub me: Option<Me>,
    /// What is shown, and whether orders are taken (SHP-04).
    pub sight: Sight,
    /// The last page of products that this browser saw (SHP-16).
    pub last: Option<String>,
    /// The time of the snapshot.
    pub now: Timestamp,
}

impl Guest {
    /// Somebody who is not signed in.
    pub fn stranger(shop: Shop, now: Timestamp) -> Guest {
        let sight = gate(None, Amount::ZERO, Amount::ZERO, &shop.policy.browsing);
        Guest {
            shop,
            me: None,
            sight,
            last: None,
            now,
        }
    }
}

/// What the customer of an account is shown.
fn sight(
    tx: &mut ReadTx<'_>,
    shop: &Shop,
    customer: &Customer,
    available: Amount,
) -> std::result::Result<Sight, OrderError> {
    let browsing = &shop.policy.browsing;
    let book = shop.vendor.book_id;
    let mut threshold = threshold(tx, book, browsing)?;
    if available < threshold && is_visiting(tx, book, customer.customer_id)? {
        threshold = available;
    }
    Ok(gate(Some(customer.state), available, threshold, browsing))
}

/// A customer who is signed in; others are sent to the sign-in page and come back after it.
#[derive(Clone, Debug)]
pub struct Member {
    /// The shop.
    pub shop: Shop,
    /// The customer.
    pub me: Me,
    /// What is shown, and whether orders are taken (SHP-04).
    pub sight: Sight,
    /// The last page of products that this browser saw (SHP-16).
    pub last: Option<String>,
    /// The time of the snapshot.
    pub now: Timestamp,
}

impl Member {
    /// The envelope of a command that a form gives: its key makes posting it again harmless.
    pub fn keyed(&self, key: String, request: Vec<u8>) -> Keyed {
        Keyed {
            book_id: self.shop.vendor.book_id,
            actor: self.me.actor(),
            key: Some(key),
            request,
            subject: Some(self.me.customer.customer_id),
        }
    }

    /// The same as any visitor.
    pub fn as_guest(&self) -> Guest {
        Guest {
            shop: self.shop.clone(),
            me: Some(self.me.clone()),
            sight: self.sight.clone(),
            last: self.last.clone(),
            now: self.now,
        }
    }
}

/// A customer who is signed in, as the account that was signed in to, whichever pays: for PIN,
/// personal data, cards and family, which a link does not open (TOK-15).
#[derive(Clone, Debug)]
pub struct Holder(pub Member);

/// A member of staff who is signed in.
#[derive(Clone, Debug)]
pub struct StaffMember {
    /// The shop.
    pub shop: Shop,
    /// The member of staff.
    pub staff: Staff,
    /// The session's token.
    pub token: String,
    /// The time of the snapshot.
    pub now: Timestamp,
}

impl StaffMember {
    /// As whom commands are given.
    pub fn actor(&self) -> Actor {
        Actor::Staff(self.staff.staff_id)
    }

    /// The envelope of a command that a form gives; `subject` is the customer whom its answer is
    /// about, if any.
    pub fn keyed(&self, key: String, request: Vec<u8>, subject: Option<CustomerId>) -> Keyed {
        Keyed {
            book_id: self.shop.vendor.book_id,
            actor: self.actor(),
            key: Some(key),
            request,
            subject,
        }
    }
}

#[derive(Deserialize)]
struct Slug {
    slug: String,
}

async fn slug(parts: &mut Parts, app: &App) -> Result<String> {
    let Path(Slug { slug }) = Path::from_request_parts(parts, app).await?;
    Ok(slug)
}

/// Loads the shop of a short name.
pub fn shop(tx: &mut ReadTx<'_>, slug: &str) -> std::result::Result<Shop, Problem> {
    use scrip_engine::Read;
    let vendor = vendor_by_slug(tx, slug).map_err(|_| Problem::not_found("shop"))?;
    let now = tx.now();
    Ok(Shop {
        front: storefront(tx, vendor.book_id)?,
        token_price: scrip_domain::vendor::token_price_at(tx, vendor.book_id, now)?,
        policy: policy(tx, vendor.book_id)?,
        vendor,
    })
}

impl FromRequestParts<App> for Guest {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        guest(parts, app, As::Paying).await
    }
}

/// Which of a person's accounts a page is about.
#[derive(Clone, Copy, PartialEq)]
enum As {
    /// The one that pays.
    Paying,
    /// The one that was signed in to.
    Own,
}

async fn guest(parts: &mut Parts, app: &App, which: As) -> Result<Guest> {
    let slug = slug(parts, app).await?;
    let token = cookie(&parts.headers, &customer_cookie(&slug));
    let vault = app.node.vault.clone();
    let bought = parts.extensions.get::<Bought>().copied();
    let browsers = cookie(&parts.headers, zone::COOKIE).map(|name| zone::of_cookie(&name));
    let last = cookie(&parts.headers, &last_cookie(&slug)).filter(|at| is_shelf(at, &slug));
    let (mut guest, touch, zone_chosen) = app
        .read(move |tx| {
            use scrip_engine::Read;
            let shop = shop(tx, &slug)?;
            let now = tx.now();
            let mut guest = Guest::stranger(shop, now);
            let book = guest.shop.vendor.book_id;
            let Some(token) = token else {
                return Ok((guest, false, None));
            };
            let Some(session) = session_find(tx, book, &token)? else {
                return Ok((guest, false, None));
            };
            let Subject::Customer(id) = session.subject else {
                return Ok((guest, false, None));
            };
            let own = customer_by_id(tx, book, id)?;
            let zone_chosen = time_zone(tx, &own)?;
            let accounts = accounts(tx, &vault, &own)?;
            let chosen = session.paying.filter(|_| which == As::Paying);
            // A link may have ended since it was chosen.
            let paying = accounts
                .iter()
                .find(|one| Some(one.customer.customer_id) == chosen);
            let paying = match paying {
                Some(paying) => paying.clone(),
                None => account(tx, &vault, own)?,
            };
            let payer = Actor::Customer(paying.customer.customer_id);
            let bought = match bought.map(|b| token_order_by_id(tx, payer, book, b.0)) {
                Some(Ok(order)) => Some(order),
                // Not this customer's: there is nothing to tell.
                Some(Err(TokenSaleError::Unknown(_))) | None => None,
                Some(Err(e)) => return Err(e.into()),
            };
            guest.sight = sight(tx, &guest.shop, &paying.customer, paying.available)?;
            guest.me = Some(Me {
                name: paying.name,
                available: paying.available,
                customer: paying.customer,
                own: id,
                accounts: match which {
                    As::Paying => accounts,
                    As::Own => Vec::new(),
                },
                token,
                bought,
            });
            Ok::<_, Problem>((guest, session.touch_due(now), zone_chosen))
        })
        .await?;
    guest.last = last;
    let reader = zone_chosen.or(browsers);
    zone::set(&guest.shop.policy.time_zone, reader.as_deref());
    if touch && let Some(me) = &guest.me {
        touched(app, guest.shop.vendor.book_id, &me.token);
    }
    Ok(guest)
}

/// Notes in the background that a session is used; nothing depends on it.
fn touched(app: &App, book: i64, token: &str) {
    let token = token.to_owned();
    let ticket = app
        .node
        .engine
        .submit(move |tx| session_touch(tx, book, &token));
    drop(ticket);
}

impl FromRequestParts<App> for Member {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        member(parts, app, As::Paying).await
    }
}

impl FromRequestParts<App> for Holder {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        member(parts, app, As::Own).await.map(Holder)
    }
}

async fn member(parts: &mut Parts, app: &App, which: As) -> Result<Member> {
    let guest = guest(parts, app, which).await?;
    let Some(me) = guest.me else {
        let next = back_to(parts, &guest.shop);
        return Err(sign_in_needed(&guest.shop.at("/sign-in"), &next));
    };
    Ok(Member {
        shop: guest.shop,
        me,
        sight: guest.sight,
        last: guest.last,
        now: guest.now,
    })
}

impl FromRequestParts<App> for StaffMember {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let slug = slug(parts, app).await?;
        let token = cookie(&parts.headers, &staff_cookie(&slug)).unwrap_or_default();
        let presented = token.clone();
        let (shop, found, now) = app
            .read(move |tx| {
                use scrip_engine::Read;
                let shop = shop(tx, &slug)?;
                let book = shop.vendor.book_id;
                let now = tx.now();
                let found = match session_find(tx, book, &presented)? {
                    Some(session) => match session.subject {
                        Subject::Staff(id) => {
                            Some((staff_by_id(tx, book, id)?, session.touch_due(now)))
                        }
                        Subject::Customer(_) => None,
                    },
                    None => None,
                };
                Ok::<_, Problem>((shop, found, now))
            })
            .await?;
        zone::set(&shop.policy.time_zone, None);
        let Some((staff, touch)) = found else {
            let next = back_to(parts, &shop);
            return Err(sign_in_needed(&shop.at("/staff/sign-in"), &next));
        };
        if touch {
            touched(app, shop.vendor.book_id, &token);
        }
        Ok(StaffMember {
            shop,
            staff,
            token,
            now,
        })
    }
}

/// A problem that the pages turn into a way to the sign-in page.
fn sign_in_needed(page: &str, next: &str) -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "sign_in_needed",
        "your session is over or you are not signed in: sign in and go on",
    )
    .with("page", json!(page))
    .with("next", json!(next))
}

/// Where to come back to after signing in: the page itself, or the page that a form stood on.
fn back_to(parts: &Parts, shop: &Shop) -> String {
    if parts.method == Method::GET {
        return parts
            .uri
            .path_and_query()
            .map_or_else(|| shop.at("/shop"), ToString::to_string);
    }
    referer(&parts.headers)
        .filter(|path| is_inside(path, &shop.vendor.slug))
        .unwrap_or_else(|| shop.at("/shop"))
}

/// The path of the page that a request came from.
pub fn referer(headers: &HeaderMap) -> Option<String> {
    let from = headers.get(header::REFERER)?.to_str().ok()?;
    let from: axum::http::Uri = from.parse().ok()?;
    from.path_and_query().map(ToString::to_string)
}

/// True for an address that lies in this shop: nobody is sent elsewhere by a forged link.
pub fn is_inside(path: &str, slug: &str) -> bool {
    let plain = path
        .bytes()
        .all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'"' && b != b'<' && b != b'>');
    let rest = path
        .strip_prefix("/shops/")
        .and_then(|rest| rest.strip_prefix(slug));
    plain && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

/// The name of a shop's cookie for customers. `__Host-` makes browsers insist on TLS (or this
/// very machine), on this host alone, and on the whole path.
pub fn customer_cookie(slug: &str) -> String {
    format!("__Host-customer-{slug}")
}

/// The name of a shop's cookie for staff.
pub fn staff_cookie(slug: &str) -> String {
    format!("__Host-staff-{slug}")
}

/// The name of the cookie that holds the last page of products that was seen.
fn last_cookie(slug: &str) -> String {
    format!("__Host-last-{slug}")
}

/// True for the address of a page of products.
fn is_shelf(path: &str, slug: &str) -> bool {
    let rest = path.strip_prefix(&format!("/shops/{slug}/shop"));
    is_inside(path, slug)
        && path.len() <= 1000
        && !path.contains([';', ','])
        && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

/// Notes that a page of products was seen, so that "Last" leads there (SHP-16).
pub fn note_last(response: &mut Response, path: &str) {
    let slug = path.split('/').nth(2).unwrap_or_default();
    if is_shelf(path, slug)
        && response.status() == StatusCode::OK
        && let Ok(cookie) = set_cookie(&last_cookie(slug), path)
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// The value of a cookie.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned())
}

/// The header that sets a session's cookie; an empty token takes it away.
pub fn set_cookie(name: &str, token: &str) -> Result<HeaderValue> {
    let life = if token.is_empty() { "; Max-Age=0" } else { "" };
    HeaderValue::from_str(&format!(
        "{name}={token}; Path=/; Secure; HttpOnly; SameSite=Lax{life}"
    ))
    .map_err(|e| Problem::internal(&e))
}

#[cfg(test)]
mod tests {
    use super::{cookie, is_inside, set_cookie};
    use axum::http::{HeaderMap, HeaderValue, header};

    #[test]
    fn nobody_is_sent_elsewhere() {
        for path in [
            "/shops/a/shop",
            "/shops/a",
            "/shops/a?x=1",
            "/shops/a/shop?category=B%20C",
        ] {
            assert!(is_inside(path, "a"), "{path}");
        }
        for path in [
            "",
            "/",
            "//evil.example",
            "https://evil.example/shops/a/",
            "/shops/ab/shop",
            "/shops/a\\evil",
            "/shops/a/\r\nSet-Cookie:x",
            "/shops/a/\u{202e}",
        ] {
            assert!(!is_inside(path, "a"), "{path}");
        }
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        let sent = HeaderValue::from_static("a=1; __Host-customer-x=token; x=2");
        headers.insert(header::COOKIE, sent);
        assert_eq!(
            cookie(&headers, "__Host-customer-x").as_deref(),
            Some("token")
        );
        assert_eq!(cookie(&headers, "customer-x"), None);
        let set = set_cookie("__Host-customer-x", "").unwrap();
        assert!(set.to_str().unwrap().contains("Max-Age=0"));
    }
}
