//! The time ([`Clock`]), new ids ([`IdGenerator`]), and a way for tasks to yield
//! without a runtime.

mod clock;
mod id_generator;
mod yielding;

pub use clock::Clock;
#[cfg(feature = "tokio")]
pub use clock::SystemClock;
pub use id_generator::{IdGenerator, Uuid7};

pub(crate) use yielding::yield_once;
