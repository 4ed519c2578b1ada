//! Finds the client behind a proxy.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};

use crate::Network;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client of a request from `peer`. A peer that is not a trusted proxy is the client
/// itself; its headers are ignored. Each trusted proxy appends the address of its own
/// peer. The client is therefore the rightmost address that is not a trusted proxy. The
/// addresses to its left may be forged.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(peer) {
        return peer;
    }
    let mut client = peer;
    let lines: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .map(|line| line.to_str().unwrap_or_default())
        .collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    while is_trusted(client) {
        // Text that is not an address ends the search: the client is the proxy that sent
        // it.
        let Some(next) = hops.next().and_then(|text| address(text.trim())) else {
            break;
        };
        client = next;
    }
    client
}

/// An address, with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let alone = bare.unwrap_or(text).parse().ok();
    alone.or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(peer: &str, lines: &[&str]) -> String {
        let trusted = [
            "10.0.0.0/8".parse().unwrap(),
            "2001:db8::/32".parse().unwrap(),
        ];
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        client(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_is_who_it_is_whatever_it_says() {
        assert_eq!(of("203.0.113.1", &["198.51.100.7"]), "203.0.113.1");
        assert_eq!(of("203.0.113.1", &[]), "203.0.113.1");
    }

    #[test]
    fn behind_proxies_the_client_is_the_rightmost_who_is_none_of_them() {
        assert_eq!(of("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        // The client forged the addresses to the left of the one that the proxy added.
        assert_eq!(of("10.0.0.1", &["192.0.2.1, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(
            of("10.0.0.1", &["198.51.100.7, 10.0.0.2,10.0.0.3"]),
            "198.51.100.7"
        );
        assert_eq!(
            of("10.0.0.1", &["192.0.2.1", "198.51.100.7, 10.0.0.2"]),
            "198.51.100.7"
        );
        assert_eq!(of("2001:db8::1", &["[2001:db9::7]:4711"]), "2001:db9::7");
        assert_eq!(of("10.0.0.1", &["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(of("::ffff:10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn what_is_no_address_leaves_the_last_proxy() {
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &["198.51.100.7, unknown"]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &["198.51.100.7,"]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &["198.51.100.7, x, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(of("10.0.0.1", &["10.0.0.9"]), "10.0.0.9");
    }
}
