//! From where a request comes: the peer of the connection, or whom a trusted proxy names.
//!
//! `X-Forwarded-For` can be written by anybody. It is read only when the peer is a proxy that the
//! operator named, and only from its end, as far as proxies that were named wrote it.

use crate::error::Problem;
use crate::state::App;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

const FORWARDED: &str = "x-forwarded-for";
/// More proxies in a row are none.
const PROXIES_AT_MOST: usize = 20;

/// The other end of the connection; the accept loop notes it on each request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// The address of whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client(pub IpAddr);

impl FromRequestParts<App> for Client {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<Peer>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
        Ok(Client(client(peer, &parts.headers, &app.settings.proxies)))
    }
}

/// Addresses that begin alike: `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn has(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let apart = own.to_bits() ^ other.to_bits();
                apart.leading_zeros() >= self.bits
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let apart = own.to_bits() ^ other.to_bits();
                apart.leading_zeros() >= self.bits
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;
    fn from_str(text: &str) -> Result<Network, String> {
        let wrong = || format!("{text:?} is no address: write it like 10.0.0.1 or 10.0.0.0/8");
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse::<u32>().map_err(|_| wrong())?,
            None => most,
        };
        if bits > most {
            return Err(wrong());
        }
        Ok(Network { address, bits })
    }
}

/// An entry of the header; some proxies write a port too.
fn entry(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.trim_start_matches('[').split(']').next();
    let found = text.parse().ok();
    let found = found.or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|at| at.ip()));
    found
        .or_else(|| bare.and_then(|bare| bare.parse().ok()))
        .map(|address: IpAddr| address.to_canonical())
}

fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let is_proxy = |address: IpAddr| proxies.iter().any(|network| network.has(address));
    let mut nearest = peer.to_canonical();
    if !is_proxy(nearest) {
        return nearest;
    }
    let lines = headers.get_all(FORWARDED).iter().rev();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let entries = lines.flat_map(|line| line.rsplit(',')).map(entry);
    for found in entries.take(PROXIES_AT_MOST) {
        // What cannot be read was written by nobody who is trusted.
        let Some(found) = found else { break };
        nearest = found;
        if !is_proxy(nearest) {
            break;
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::{Network, client};
    use axum::http::{HeaderMap, HeaderValue};

    fn from(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_str(line).unwrap());
        }
        let proxies: Vec<Network> = proxies.iter().map(|p| p.parse().unwrap()).collect();
        client(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    /// SHP-03: nobody chooses the address that wrong tries are counted under.
    #[test]
    fn the_header_counts_only_from_proxies_that_were_named() {
        for (peer, forwarded, proxies, client) in [
            (
                "198.51.100.7",
                &["203.0.113.1"][..],
                &[][..],
                "198.51.100.7",
            ),
            ("10.0.0.1", &["203.0.113.1"], &["10.0.0.0/8"], "203.0.113.1"),
            ("11.0.0.1", &["203.0.113.1"], &["10.0.0.0/8"], "11.0.0.1"),
            // Written by the client itself, before what the proxy added.
            (
                "10.0.0.1",
                &["9.9.9.9, 203.0.113.1"],
                &["10.0.0.0/8"],
                "203.0.113.1",
            ),
            (
                "10.0.0.1",
                &["9.9.9.9", "203.0.113.1, 10.2.3.4"],
                &["10.0.0.0/8"],
                "203.0.113.1",
            ),
            (
                "10.0.0.1",
                &["203.0.113.1, nonsense"],
                &["10.0.0.1"],
                "10.0.0.1",
            ),
            ("10.0.0.1", &[], &["10.0.0.1"], "10.0.0.1"),
            (
                "10.0.0.1",
                &["203.0.113.1:4711"],
                &["10.0.0.1"],
                "203.0.113.1",
            ),
            (
                "::ffff:10.0.0.1",
                &["[2001:db8::1]:80"],
                &["10.0.0.1"],
                "2001:db8::1",
            ),
            ("fd00::1", &["2001:db8::2"], &["fd00::/8"], "2001:db8::2"),
        ] {
            assert_eq!(
                from(peer, forwarded, proxies),
                client,
                "{peer} {forwarded:?}"
            );
        }
    }

    #[test]
    fn networks_are_addresses_with_the_bits_that_count() {
        for text in ["10.0.0.0/33", "10.0.0", "", "::/129", "10.0.0.1/x", "host"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        assert!("0.0.0.0/0".parse::<Network>().is_ok());
        assert!("::1".parse::<Network>().is_ok());
    }
}
