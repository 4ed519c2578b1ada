//! The canonical form of what a caller sent, and its fingerprint.

use crate::{Command, Fingerprint, Request};

/// The fingerprint of a request.
pub(crate) fn of(request: &Request) -> Fingerprint {
    of_commands(request.commands())
}

/// The fingerprint of commands.
pub(crate) fn of_commands(commands: &[Command]) -> Fingerprint {
    Fingerprint::of(format!("{commands:?}").as_bytes())
}
