//! In which time zone the times of a page are: the one that the customer chose, that of the browser,
//! or the vendor's. Statements and reports stay in the vendor's.
//!
//! It belongs to the request, like its language would: whoever writes a time need not be told.

use jiff::tz::TimeZone;
use std::cell::RefCell;
use std::future::Future;

/// The zones of a request.
#[derive(Clone, Debug)]
pub struct Zones {
    reader: TimeZone,
    vendor: TimeZone,
}

impl Default for Zones {
    fn default() -> Zones {
        Zones {
            reader: TimeZone::UTC,
            vendor: TimeZone::UTC,
        }
    }
}

tokio::task_local! {
    static ZONES: RefCell<Zones>;
}

/// Answers one request.
pub async fn scope<F: Future>(answer: F) -> F::Output {
    ZONES.scope(RefCell::default(), answer).await
}

/// Runs a part of a request on another thread.
pub fn within<T>(zones: Zones, part: impl FnOnce() -> T) -> T {
    ZONES.sync_scope(RefCell::new(zones), part)
}

/// The zones of this request; UTC outside of one.
pub fn current() -> Zones {
    let zones = ZONES.try_with(|zones| zones.borrow().clone());
    zones.unwrap_or_default()
}

/// The zone in which times are written.
pub fn reader() -> TimeZone {
    current().reader
}

fn change(change: impl FnOnce(&mut Zones)) {
    // Outside of a request there is nothing to change.
    ZONES
        .try_with(|zones| change(&mut zones.borrow_mut()))
        .unwrap_or_default();
}

/// Notes who reads: the vendor's zone holds where the reader has none, or one that nobody knows.
pub fn set(vendor: &str, reader: Option<&str>) {
    let vendor = TimeZone::get(vendor).unwrap_or(TimeZone::UTC);
    let own = reader.and_then(|name| TimeZone::get(name).ok());
    change(|zones| {
        *zones = Zones {
            reader: own.unwrap_or_else(|| vendor.clone()),
            vendor,
        };
    });
}

/// From here on times are in the vendor's zone: they belong to its books.
pub fn stay_with_vendor() {
    change(|zones| zones.reader = zones.vendor.clone());
}

/// The cookie in which a browser says its zone.
pub const COOKIE: &str = "zone";

/// What the cookie says: a name with its slashes written as `%2F`.
pub fn of_cookie(value: &str) -> String {
    value.replace("%2F", "/").replace("%2B", "+")
}

#[cfg(test)]
mod tests {
    use super::{current, of_cookie, scope, set, stay_with_vendor, within};
    use crate::web::view::When;
    use scrip_engine::Timestamp;

    /// SHP-19: the reader's zone, else the vendor's; statements stay with the vendor.
    #[tokio::test]
    async fn times_are_in_the_readers_zone() {
        let at = Timestamp::parse("2026-01-15T23:30:00Z").unwrap();
        let words = || When::minute(at).words;
        let there = scope(async {
            assert_eq!(words(), "15 Jan 2026 23:30 UTC");
            set("Europe/Berlin", None);
            assert_eq!(words(), "16 Jan 2026 00:30 CET");
            set("Europe/Berlin", Some("Asia/Tokyo"));
            assert_eq!(words(), "16 Jan 2026 08:30 JST");
            assert_eq!(When::day(at).words, "16 Jan 2026");
            set("Europe/Berlin", Some("No/Where"));
            assert_eq!(words(), "16 Jan 2026 00:30 CET");
            set("Europe/Berlin", Some(&of_cookie("America%2FNew_York")));
            assert_eq!(words(), "15 Jan 2026 18:30 EST");
            let zones = current();
            let other = std::thread::spawn(move || within(zones, || When::minute(at).words));
            assert_eq!(other.join().unwrap(), "15 Jan 2026 18:30 EST");
            stay_with_vendor();
            words()
        });
        assert_eq!(there.await, "16 Jan 2026 00:30 CET");
        assert_eq!(words(), "15 Jan 2026 23:30 UTC", "outside of a request");
    }
}
