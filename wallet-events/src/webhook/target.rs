use std::fmt;
use std::net::IpAddr;

use hyper::Uri;
use hyper::http::uri::Scheme;

use super::{Addresses, WebhookError, WebhookSettings};

/// Bytes of a URL at most.
const BYTES_MAX: usize = 2_048;

/// The parsed URL of a webhook. The client connects to exactly the value that was
/// checked; the text is parsed once.
#[derive(Clone)]
pub(super) struct Target {
    uri: Uri,
}

impl Target {
    pub(super) fn parse(text: &str, settings: &WebhookSettings) -> Result<Self, WebhookError> {
        if text.len() > BYTES_MAX {
            return Err(WebhookError::Url("longer than 2048 bytes"));
        }
        let uri: Uri = text.parse().map_err(|_| WebhookError::Url("malformed"))?;
        match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => {}
            Some(scheme) if *scheme == Scheme::HTTP && settings.plain_http => {}
            Some(scheme) if *scheme == Scheme::HTTP => return Err(WebhookError::Plain),
            _ => return Err(WebhookError::Url("neither https nor http")),
        }
        let host = host(&uri)?;
        check_host(host, settings.addresses)?;
        Ok(Self { uri })
    }

    pub(super) const fn uri(&self) -> &Uri {
        &self.uri
    }
}

/// Shows the URL without path and query, which may hold secrets.
impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        let authority = self.uri.authority().map_or("", |all| all.as_str());
        write!(formatter, "{scheme}://{authority}")
    }
}

/// The host of the authority. The authority must be a host with an optional port.
fn host(uri: &Uri) -> Result<&str, WebhookError> {
    let authority = uri.authority().ok_or(WebhookError::Url("no host"))?;
    let all = authority.as_str();
    if all.contains('@') {
        return Err(WebhookError::Url("a name or password in it"));
    }
    let host = authority.host();
    let port = all.strip_prefix(host).unwrap_or(all);
    let is_port = |text: &str| {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        is_number && text.parse().is_ok_and(|port: u16| port > 0)
    };
    if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
        return Err(WebhookError::Url("no such port"));
    }
    Ok(host)
}

fn check_host(host: &str, addresses: Addresses) -> Result<(), WebhookError> {
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let address: Option<IpAddr> = match bare {
        Some(literal) => literal.parse().ok().filter(IpAddr::is_ipv6),
        None => host.parse().ok().filter(IpAddr::is_ipv4),
    };
    if let Some(address) = address {
        let is_allowed = addresses.allow(address);
        return is_allowed.then_some(()).ok_or(WebhookError::NotPublic);
    }
    if !is_name(host) {
        return Err(WebhookError::Url("neither a host name nor an address"));
    }
    // A resolver would report this too, but here the person who enters the URL sees the
    // error.
    let is_local = host.rsplit('.').next().is_some_and(is_localhost);
    if is_local && addresses != Addresses::Any {
        return Err(WebhookError::NotPublic);
    }
    Ok(())
}

fn is_localhost(label: &str) -> bool {
    label.eq_ignore_ascii_case("localhost")
}

/// Whether the text is a host name; a dot at its end is not allowed. A name with a number
/// as its last label is refused: resolvers read `2130706433`, `0x7f.1` and `127.1` as the
/// address 127.0.0.1.
fn is_name(host: &str) -> bool {
    let is_label = |label: &str| {
        let mut bytes = label.bytes();
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len()) && bytes.all(is_allowed)
    };
    let is_number = |label: &str| {
        let hex = label.strip_prefix("0x").or(label.strip_prefix("0X"));
        let is_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        label.bytes().all(|byte| byte.is_ascii_digit()) || hex.is_some_and(is_hex)
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.len() <= 253 && host.split('.').all(is_label) && !is_number(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str, addresses: Addresses) -> Result<Target, WebhookError> {
        let settings = WebhookSettings {
            addresses,
            ..WebhookSettings::default()
        };
        Target::parse(url, &settings)
    }

    #[test]
    fn what_may_be_a_receiver_is_taken() {
        for url in [
            "https://example.com",
            "https://example.com/hooks?for=us",
            "HTTPS://Hooks.Example.COM:8443/",
            "https://xn--bcher-kva.example/",
            "https://my_host-1.example/",
            "https://0x7f.example/",
            "https://1.1.1.1:443/",
            "https://[2606:4700:4700::1111]:8443/hooks",
            "https://localhost.example.com/",
        ] {
            assert!(parse(url, Addresses::Public).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_leads_inside_is_refused() {
        for url in [
            "https://127.0.0.1/",
            "https://10.1.2.3:8443/",
            "https://169.254.169.254/latest/meta-data/",
            "https://0.0.0.0/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[fd00:ec2::254]/",
            "https://[0:0:0:0:0:0:0:1]:443/",
            "https://localhost/",
            "https://LOCALHOST:8443/",
            "https://api.localhost/",
        ] {
            assert_eq!(
                parse(url, Addresses::Public).unwrap_err(),
                WebhookError::NotPublic,
                "{url}"
            );
            assert!(parse(url, Addresses::Any).is_ok(), "{url}");
        }
    }

    /// Address forms that resolvers and URL parsers read in different ways. They are
    /// refused for every setting.
    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for url in [
            "",
            "example.com",
            "/hooks",
            "*",
            "//example.com/",
            "https:///hooks",
            "https://",
            "ftp://example.com/",
            "file:///etc/passwd",
            "gopher://example.com/",
            "https://user@example.com/",
            "https://user:password@example.com/",
            "https://1.1.1.1@127.0.0.1/",
            "https://1.1.1.1%40127.0.0.1/",
            "https://1.1.1.1\\@127.0.0.1/",
            "https://example.com:0/",
            "https://example.com:/",
            "https://example.com:99999/",
            "https://example.com:443:80/",
            "https://example.com:+443/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://0X7F.0x1/",
            "https://0x/",
            "https://127.1/",
            "https://0177.0.0.1/",
            "https://127.0.0.1./",
            "https://127.0.0.01/",
            "https://1.2.3.4.5/",
            "https://localhost./",
            "https://example.com./",
            "https://example..com/",
            "https://.example.com/",
            "https://127%2e0.0.1/",
            "https://１２７.0.0.1/",
            "https://bücher.example/",
            "https://[fe80::1%25eth0]/",
            "https://[127.0.0.1]/",
            "https://[::1/",
            "https://::1/",
            "https://exa mple.com/",
            "https://example.com/\r\nhost: other",
        ] {
            for addresses in [Addresses::Public, Addresses::Any] {
                let error = parse(url, addresses).unwrap_err();
                assert!(matches!(error, WebhookError::Url(_)), "{url}: {error}");
            }
        }
        let long = format!("https://example.com/{}", "x".repeat(2_048));
        assert!(parse(&long, Addresses::Any).is_err());
        let long = format!("https://{}com/", "abcdefgh.".repeat(30));
        assert!(parse(&long, Addresses::Any).is_err());
    }

    #[test]
    fn http_is_a_setting() {
        let url = "http://example.com/";
        assert_eq!(parse(url, Addresses::Any).unwrap_err(), WebhookError::Plain);
        let settings = WebhookSettings {
            plain_http: true,
            ..WebhookSettings::default()
        };
        assert!(Target::parse(url, &settings).is_ok());
    }

    #[test]
    fn what_is_shown_holds_no_path() {
        let target = parse(
            "https://example.com:8443/t0ken?key=s3cret",
            Addresses::Public,
        );
        assert_eq!(format!("{:?}", target.unwrap()), "https://example.com:8443");
    }
}
