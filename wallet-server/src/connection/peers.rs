use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The first 64 bits: the usual network of one customer of a provider.
const NETWORK_OF_IPV6: u128 = !0 << 64;

/// Counts the open connections of each peer, up to a limit. A peer is an IPv4 address or
/// a network of 64 bits of IPv6.
#[derive(Debug, Clone)]
pub(crate) struct Peers {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    max: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl Inner {
    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peers {
    /// At most `max` per peer.
    pub(crate) fn new(max: usize) -> Self {
        let open = Mutex::default();
        Self {
            inner: Arc::new(Inner { max, open }),
        }
    }

    /// Counts one more for this address until the result is dropped; `None` if the peer
    /// has reached the limit.
    pub(crate) fn enter(&self, address: IpAddr) -> Option<Presence> {
        let peer = peer(address);
        let mut open = self.inner.open();
        let count = open.entry(peer).or_default();
        if *count >= self.inner.max {
            return None;
        }
        *count = count.saturating_add(1);
        drop(open);
        Some(Presence {
            peer,
            peers: self.clone(),
        })
    }
}

fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK_OF_IPV6)),
    }
}

/// One open connection or request of a peer.
#[derive(Debug)]
pub(crate) struct Presence {
    peer: IpAddr,
    peers: Peers,
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut open = self.peers.inner.open();
        if let Some(count) = open.get_mut(&self.peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_peer_has_as_many_as_it_may_and_no_other_pays_for_it() {
        let peers = Peers::new(2);
        let one = address("10.0.0.1");
        let (first, second) = (peers.enter(one).unwrap(), peers.enter(one).unwrap());
        assert!(peers.enter(one).is_none());
        // The same machine, as an IPv6 listener sees it.
        assert!(peers.enter(address("::ffff:10.0.0.1")).is_none());
        assert!(peers.enter(address("10.0.0.2")).is_some());
        drop(first);
        assert!(peers.enter(one).is_some());
        drop(second);
        assert_eq!(peers.inner.open().len(), 0, "who is gone is forgotten");
    }

    #[test]
    fn a_network_of_ipv6_is_one_peer() {
        let peers = Peers::new(1);
        let _held = peers.enter(address("2001:db8:1:2::1")).unwrap();
        assert!(peers.enter(address("2001:db8:1:2:ffff::9")).is_none());
        assert!(peers.enter(address("2001:db8:1:3::1")).is_some());
    }
}
