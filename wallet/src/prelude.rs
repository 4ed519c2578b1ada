//! The names that nearly every host uses: `use wallet::prelude::*`.

pub use crate::Books;
pub use wallet_core::prelude::*;
