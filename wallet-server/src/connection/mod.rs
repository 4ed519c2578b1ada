//! Connections: their number, their timeouts and the framing of their requests.
//!
//! [`Listener`] accepts connections, within a total limit and a limit per peer.
//! [`Socket`] is one connection: it ends when no byte moves for too long, or when the
//! head of a request is late ([`LateHead`]). It closes so that the peer can still read
//! the last answer. [`Framing`] follows the bytes of the requests and finds the one whose
//! length is given in two ways.

mod framing;
mod listener;
mod network;
mod peers;
mod socket;

pub(crate) use framing::Framing;
pub(crate) use listener::{Counts, Limits, Listener};
pub use network::{Network, NetworkError};
pub(crate) use peers::{Peers, Presence};
pub(crate) use socket::{LateHead, Socket};
