//! Connections: their number, their timeouts and the framing of their requests.
//!
//! [`Listener`] accepts connections, within a total limit and a limit per peer.
//! [`Socket`] is one connection: it ends when no byte moves for too long, or when the
//! head of a request is late ([`LateHead`]). It closes so that the peer can still read
//! the last answer. [`Framing`] follows the bytes of the requests and finds the one whose
//! length is given in two ways. [`Arrival`] is what a request learns of its connection;
//! `serve` adds it to the request and `middleware` reads it.

mod framing;
mod listener;
mod network;
mod peers;
mod socket;

use std::net::SocketAddr;

pub(crate) use framing::Framing;
pub(crate) use listener::{Counts, Limits, Listener};
pub use network::{Network, NetworkError};
pub(crate) use peers::{Peers, Presence};
pub(crate) use socket::{LateHead, Socket};

/// What a connection adds to each of its requests: an extension of the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// The address of the peer.
    pub(crate) peer: SocketAddr,
    /// Whether the length of the body is given in two ways.
    pub(crate) is_ambiguous: bool,
}
