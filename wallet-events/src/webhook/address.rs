use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses that webhooks may go to.
///
/// Subscribers choose the URLs of their webhooks. Without a limit they could make the
/// server call the host's own network: databases, neighbours, the cloud's metadata
/// service (SSRF).
///
/// ```
/// use wallet_events::webhook::Addresses;
///
/// assert!(Addresses::Public.allow("93.184.215.14".parse()?));
/// assert!(!Addresses::Public.allow("169.254.169.254".parse()?));
/// assert!(!Addresses::Public.allow("::ffff:10.0.0.1".parse()?));
/// assert!(Addresses::Any.allow("10.0.0.1".parse()?));
/// # Ok::<_, std::net::AddrParseError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Addresses {
    /// Public addresses: every address that the internet routes. Loopback, private,
    /// link-local, shared, reserved, documentation and multicast addresses are refused,
    /// also where an IPv6 address holds such an IPv4 address.
    #[default]
    Public,
    /// All addresses: for receivers in the host's own network, where the host chooses
    /// every URL.
    Any,
}

/// The first address of a network of IPv4 and the length of its prefix.
type Net4 = ([u8; 4], u32);
/// The same for IPv6; all prefixes here lie in the first half of the address.
type Net6 = ([u16; 4], u32);

/// Networks that IANA's registry of special addresses marks as not globally reachable,
/// and addresses with a meaning only inside a cloud.
const NOT_PUBLIC_4: [Net4; 17] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    // The host of a virtual machine on Azure.
    ([168, 63, 129, 16], 32),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
    ([255, 255, 255, 255], 32),
];

/// The unicast range of the internet. Every other IPv6 address is refused.
const GLOBAL_6: Net6 = ([0x2000, 0, 0, 0], 3);

/// The networks within the unicast range that are not public.
const NOT_PUBLIC_6: [Net6; 4] = [
    // Protocol assignments: Teredo, benchmarking, ORCHID.
    ([0x2001, 0, 0, 0], 23),
    ([0x2001, 0xdb8, 0, 0], 32),
    // 6to4: it holds an IPv4 address and is obsolete.
    ([0x2002, 0, 0, 0], 16),
    ([0x3fff, 0, 0, 0], 20),
];

/// IPv4 through a translator (NAT64): DNS answers it in networks without IPv4.
const NAT64: [u8; 12] = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

impl Addresses {
    /// Whether a webhook may go to this address.
    #[must_use]
    pub fn allow(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Any, _) => true,
            (Self::Public, IpAddr::V4(address)) => is_public_4(address),
            (Self::Public, IpAddr::V6(address)) => is_public_6(address),
        }
    }
}

fn is_public_4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    let is_in = |(first, prefix): &Net4| {
        let beyond = 32_u32.saturating_sub(*prefix);
        let differs = bits ^ u32::from_be_bytes(*first);
        differs.checked_shr(beyond).unwrap_or(0) == 0
    };
    !NOT_PUBLIC_4.iter().any(is_in)
}

fn is_public_6(address: Ipv6Addr) -> bool {
    if let Some(address) = address.to_ipv4_mapped().or_else(|| translated(address)) {
        return is_public_4(address);
    }
    let [a, b, c, d, ..] = address.segments();
    let bits = half([a, b, c, d]);
    let is_in = |(first, prefix): &Net6| {
        let beyond = 64_u32.saturating_sub(*prefix);
        (bits ^ half(*first)).checked_shr(beyond).unwrap_or(0) == 0
    };
    is_in(&GLOBAL_6) && !NOT_PUBLIC_6.iter().any(is_in)
}

fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = address.octets();
    let within: &[u8; 4] = octets.last_chunk()?;
    octets.starts_with(&NAT64).then_some((*within).into())
}

fn half(segments: [u16; 4]) -> u64 {
    let next = |bits: u64, segment: u16| (bits << 16) | u64::from(segment);
    segments.into_iter().fold(0, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_no_public_host_are_refused() {
        let refused = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.255",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            // IPv4 inside IPv6: mapped, compatible, translated, 6to4, Teredo.
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:7f00:1",
            "::127.0.0.1",
            "::93.184.215.14",
            "::ffff:0:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::93.184.215.14",
            "2002:7f00:1::",
            "2002:5db8:d70e::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "100::1",
            "2001:2::1",
            "2001:10::1",
            "2001:1ff:ffff::1",
            "2001:db8::1",
            "3fff::1",
            "3fff:fff::1",
            "5f00::1",
            "4000::1",
            "1fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "ffff:ffff::1",
        ];
        for text in refused {
            assert!(!Addresses::Public.allow(text.parse().unwrap()), "{text}");
            assert!(Addresses::Any.allow(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn addresses_beside_them_are_allowed() {
        let allowed = [
            "1.0.0.0",
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "93.184.215.14",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "203.0.114.0",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2001:200::1",
            "2001:db7::1",
            "2001:db9::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
            "3ffe:ffff::1",
            "3fff:1000::1",
        ];
        for text in allowed {
            assert!(Addresses::Public.allow(text.parse().unwrap()), "{text}");
        }
    }
}
