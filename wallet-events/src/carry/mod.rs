//! From the hands of a queue's receiver to a publisher, in order per group: what
//! the forwarder and the redrive share.

mod held;
mod plan;

pub(crate) use held::Hands;
pub(crate) use plan::{Fate, Plan};
