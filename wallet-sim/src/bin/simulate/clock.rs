use std::time::Instant;

/// The machine's clock, to measure how fast seeds run.
#[allow(
    clippy::disallowed_methods,
    reason = "no simulated world sees this clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
