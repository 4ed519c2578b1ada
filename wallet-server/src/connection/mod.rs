//! Connections: how many there may be, for how long, and what may come over one.
//!
//! [`Listener`] accepts them, within a limit in all and one for each peer.
//! [`Socket`] is one of them: it ends when no byte comes or goes for too long, or the
//! head of a request does not come in time ([`LateHead`]), and
//! closes so that the last answer can still be read. [`Framing`] follows the bytes of
//! the requests and finds the one whose length is told in two ways.

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
