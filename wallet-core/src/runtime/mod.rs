//! What the core takes from the machine: the time ([`Clock`]) and new ids
//! ([`IdGenerator`]), and how tasks give way to each other without a runtime.

mod clock;
mod id_generator;
mod yielding;

pub use clock::Clock;
#[cfg(feature = "tokio")]
pub use clock::SystemClock;
pub use id_generator::{IdGenerator, Uuid7};

pub(crate) use yielding::yield_once;
