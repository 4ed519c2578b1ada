//! The host names that the server answers to.
//!
//! A browser lets a page call the server that its host name resolves to. The owner of a
//! name can resolve it to 127.0.0.1 after the page is loaded (DNS rebinding). The page
//! then calls a server that only its own machine should reach. The `Host` header still
//! holds the page's name, so a name that is not the server's own is refused. IP addresses
//! are accepted: DNS does not resolve them.

use std::net::IpAddr;
use std::str::FromStr;

use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, Version};
use thiserror::Error;

use crate::problem::{Code, Problem};

/// The host names that requests may use. `localhost` and IP addresses are always
/// accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    names: Vec<HostName>,
}

/// An accepted host name, or `*` for any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName(String);

/// A text that is neither `*` nor a host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected the name of a host, without a port, or *")]
pub struct HostNameError;

impl FromStr for HostName {
    type Err = HostNameError;

    fn from_str(text: &str) -> Result<Self, HostNameError> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_name = (1..=253).contains(&text.len()) && text.bytes().all(is_part);
        if is_name || text == "*" {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(HostNameError)
        }
    }
}

impl Hosts {
    /// These names, besides `localhost` and IP addresses.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = HostName>) -> Self {
        let names = names.into_iter().collect();
        Self { names }
    }

    /// Every name: for a server that only programs can reach, or behind a proxy that
    /// checks the name.
    #[must_use]
    pub fn any() -> Self {
        Self::new([HostName("*".to_owned())])
    }

    /// Whether the host of a request is accepted.
    pub(crate) fn check(
        &self,
        uri: &Uri,
        version: Version,
        headers: &HeaderMap,
    ) -> Result<(), Problem> {
        let mut given = headers.get_all(HOST).iter();
        let host = match (given.next(), given.next()) {
            (Some(host), None) => host,
            (None, _) if version < Version::HTTP_11 => return Ok(()),
            (None, _) => return Err(bad("there must be a Host header")),
            (Some(_), Some(_)) => return Err(bad("there must be one Host header")),
        };
        // A request with an absolute URI names that host.
        let authority = match uri.authority() {
            Some(authority) => Ok(authority.clone()),
            None => Authority::try_from(host.as_bytes()),
        };
        let authority = authority.map_err(|_| bad("it must be the name of a host"))?;
        if !has_fair_port(&authority) {
            return Err(bad("its port must be a number"));
        }
        if self.contain(&authority) {
            Ok(())
        } else {
            let detail = "this server does not answer to that name: see --hosts";
            Err(Problem::new(Code::HOST_NOT_ALLOWED, detail))
        }
    }

    fn contain(&self, authority: &Authority) -> bool {
        if authority.as_str().contains('@') {
            return false;
        }
        let host = authority.host();
        let bare = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if bare.unwrap_or(host).parse::<IpAddr>().is_ok() {
            return true;
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        host.eq_ignore_ascii_case("localhost")
            || self
                .names
                .iter()
                .any(|HostName(name)| name == "*" || name.eq_ignore_ascii_case(host))
    }
}

/// Whether the text behind the name is a port, or empty.
fn has_fair_port(authority: &Authority) -> bool {
    let text = authority.as_str();
    let behind_user = text.rsplit_once('@').map_or(text, |(_, behind)| behind);
    let rest = behind_user.strip_prefix(authority.host());
    match rest.and_then(|rest| rest.strip_prefix(':')) {
        None => rest == Some(""),
        Some("") => true,
        Some(port) => port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok(),
    }
}

fn bad(detail: &str) -> Problem {
    Problem::new(Code::INVALID_HOST, format!("Host: {detail}"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn code(hosts: &Hosts, uri: &str, version: Version, given: &[&str]) -> Option<Code> {
        let mut headers = HeaderMap::new();
        for host in given {
            headers.append(HOST, HeaderValue::from_str(host).unwrap());
        }
        let checked = hosts.check(&uri.parse().unwrap(), version, &headers);
        checked.err().map(|problem| problem.code())
    }

    #[test]
    fn a_server_answers_to_its_own_names_and_to_addresses() {
        let own = Hosts::new(["Wallet.example".parse().unwrap()]);
        let none = Hosts::default();
        let refused = Some(Code::HOST_NOT_ALLOWED);
        let bad = Some(Code::INVALID_HOST);
        let cases = [
            ("localhost", None, None),
            ("LOCALHOST:8080", None, None),
            ("localhost.", None, None),
            ("127.0.0.1:8080", None, None),
            ("[::1]:8080", None, None),
            ("203.0.113.7", None, None),
            ("localhost:", None, None),
            ("localhost:evil", bad, bad),
            ("localhost:80evil", bad, bad),
            ("localhost:65536", bad, bad),
            ("127.0.0.1:-1", bad, bad),
            ("wallet.example", refused, None),
            ("WALLET.example.:443", refused, None),
            ("evil.example", refused, refused),
            ("localhost.evil.example", refused, refused),
            ("127.0.0.1.evil.example", refused, refused),
            ("2130706433", refused, refused),
            ("localhost@evil.example", refused, refused),
            ("evil.example@localhost", refused, refused),
        ];
        for (host, by_default, with_own) in cases {
            let version = Version::HTTP_11;
            assert_eq!(code(&none, "/", version, &[host]), by_default, "{host}");
            assert_eq!(code(&own, "/", version, &[host]), with_own, "{host}");
            assert_eq!(code(&Hosts::any(), "/", version, &["evil.example"]), None);
        }
    }

    #[test]
    fn there_is_one_host_header_and_a_full_address_goes_before_it() {
        let none = Hosts::default();
        let (old, new) = (Version::HTTP_10, Version::HTTP_11);
        let (bad, refused) = (Some(Code::INVALID_HOST), Some(Code::HOST_NOT_ALLOWED));
        assert_eq!(code(&none, "/", new, &[]), bad);
        assert_eq!(code(&none, "/", old, &[]), None);
        assert_eq!(code(&none, "/", new, &["localhost", "localhost"]), bad);
        assert_eq!(code(&none, "/", new, &["a b"]), bad);
        assert_eq!(code(&none, "/", old, &["evil.example"]), refused);
        let full = "http://evil.example/v1/accounts";
        assert_eq!(code(&none, full, new, &["localhost"]), refused);
        assert_eq!(
            code(&none, "http://localhost/", new, &["evil.example"]),
            None
        );
    }

    #[test]
    fn what_is_no_name_of_a_host_is_refused() {
        for text in ["", "a:80", "a b", "http://a", "*.example", "a/b"] {
            assert_eq!(text.parse::<HostName>(), Err(HostNameError), "{text}");
        }
    }
}
