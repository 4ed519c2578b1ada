//! The time ([`Clock`]), new ids ([`IdGenerator`]), pauses between retries ([`Backoff`]),
//! numbers for metrics ([`Counter`]), and a way for tasks to yield without a runtime.

mod backoff;
mod clock;
mod counter;
mod id_generator;
mod yielding;

pub use backoff::Backoff;
pub use clock::Clock;
#[cfg(feature = "tokio")]
pub use clock::SystemClock;
pub use counter::Counter;
pub use id_generator::{IdGenerator, Uuid7};

pub(crate) use yielding::yield_once;
