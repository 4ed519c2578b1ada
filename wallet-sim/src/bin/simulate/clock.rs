use std::time::Instant;

/// The machine's time, to tell how fast seeds run.
#[allow(
    clippy::disallowed_methods,
    reason = "no simulated world sees this clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
