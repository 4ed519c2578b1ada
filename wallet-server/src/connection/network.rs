use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

/// A network of addresses, as CIDR writes it: `10.0.0.0/8`, `2001:db8::/32`, or one
/// address alone.
///
/// ```
/// use wallet_server::Network;
/// let inside: Network = "10.0.0.0/8".parse()?;
/// assert!(inside.contains("10.1.2.3".parse().unwrap()));
/// assert!(!inside.contains("11.0.0.1".parse().unwrap()));
/// # Ok::<(), wallet_server::NetworkError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// How many leading bits an address must share.
    bits: u32,
}

/// A text that is not a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected an address or ADDRESS/BITS, such as 10.0.0.0/8")]
pub struct NetworkError;

impl Network {
    /// Whether the network contains the address. An IPv4 address inside an IPv6 address
    /// counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differs = u128::from(network.to_bits() ^ address.to_bits());
                is_zero_before(differs, 32, self.bits)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                is_zero_before(network.to_bits() ^ address.to_bits(), 128, self.bits)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Whether the first `bits` of a number of `width` bits are zero.
fn is_zero_before(number: u128, width: u32, bits: u32) -> bool {
    let rest = width.saturating_sub(bits);
    number.checked_shr(rest).unwrap_or(0) == 0
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| NetworkError)?,
            None => most,
        };
        if bits > most {
            return Err(NetworkError);
        }
        Ok(Self { address, bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_what_shares_its_leading_bits() {
        let cases = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db8::1", true),
            ("::1", "::1", true),
        ];
        for (network, address, is_inside) in cases {
            let network: Network = network.parse().unwrap();
            let address = address.parse().unwrap();
            assert_eq!(
                network.contains(address),
                is_inside,
                "{network:?} {address}"
            );
        }
    }

    #[test]
    fn what_names_no_network_is_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/x",
            "proxy",
            "10/8",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError), "{text}");
        }
    }
}
