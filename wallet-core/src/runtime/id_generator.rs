use std::fmt::Debug;

use uuid::Uuid;

/// A source of unique ids.
pub trait IdGenerator: Debug + Send + Sync + 'static {
    /// A new id: neither nil nor max nor version 8.
    fn new_id(&self) -> Uuid;
}

/// UUID version 7: ordered by creation time, otherwise random.
#[derive(Debug, Clone, Copy, Default)]
pub struct Uuid7;

impl IdGenerator for Uuid7 {
    #[allow(
        clippy::disallowed_methods,
        reason = "this adapter is where ids come from"
    )]
    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}
