use std::net::{TcpListener, UdpSocket};
use std::sync::Mutex;

/// Below the ports that Linux gives to outgoing connections (from 32,768,
/// `net.ipv4.ip_local_port_range`): such a connection could take a server's port before
/// it starts, or while it is down.
const FIRST: u16 = 20_000;
const LAST: u16 = 32_000;
const COUNT: u16 = LAST - FIRST;

/// A free port for a server. No other test gets it while this process runs.
pub(crate) fn free_port() -> u16 {
    static GIVEN: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());
    let mut given = GIVEN.lock().expect("nothing panics under the lock");
    // Similar process ids begin at distant ports.
    let own = std::process::id().wrapping_mul(37) % 10_000;
    let ports = (FIRST..LAST)
        .cycle()
        .skip(usize::try_from(own).expect("small"));
    for port in ports.take(COUNT.into()) {
        if let Some(claim) = claim(port) {
            given.push(claim);
            return port;
        }
    }
    panic!("no free port from {FIRST} on");
}

/// Claims the port if it is neither claimed nor in use. The claim is the UDP port of the
/// same number: the kernel gives it to one process and releases it when the process ends,
/// however it ends.
fn claim(port: u16) -> Option<UdpSocket> {
    let claim = UdpSocket::bind(("127.0.0.1", port)).ok()?;
    TcpListener::bind(("127.0.0.1", port)).ok()?;
    Some(claim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once() {
        let port = free_port();
        assert!(claim(port).is_none());
        assert_ne!(free_port(), port);
    }

    #[test]
    fn a_port_that_is_listened_on_cannot_be_claimed() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        assert!(claim(port).is_none());
        drop(listener);
        assert!(claim(port).is_some());
    }
}
