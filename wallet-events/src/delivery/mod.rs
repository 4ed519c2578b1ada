//! Delivers received messages to a publisher, in order per group. The forwarder and the
//! redrive share it.

mod held;
mod plan;

pub(crate) use held::HeldMessages;
pub(crate) use plan::{Fate, Plan};
