//! The model: a second, naive implementation of the ledger's rules.
//!
//! [`Model`] holds plain maps and carries out one request after the other on a copy
//! of the named rows. It drops the copy when the request is refused. It shares the
//! data types with the rest of the crate, but no rule. Its rules come from the
//! documentation of commands, accounts and rejections. So it does not repeat a
//! mistake in [`decide`](wallet_core::decide::decide).
//!
//! [`check_store`] drives a store and the model with the same random requests: in
//! batches, with retries of equal keys, with keys used for two bodies, and with a
//! clock that steps both ways. It compares every answer and every row.
//!
//! An adapter runs it with a [`Factory`](super::Factory) of
//! [`StoreEnds`](super::StoreEnds):
//!
//! ```
//! use std::sync::Arc;
//! use wallet_core::memory::MemoryStore;
//! use wallet_testkit::{Built, Factory, ManualClock, StoreEnds};
//!
//! #[derive(Debug)]
//! struct MyStores;
//!
//! #[async_trait::async_trait]
//! impl Factory<StoreEnds> for MyStores {
//!     async fn build(&self, clock: Arc<ManualClock>) -> Built<StoreEnds> {
//!         let store = Arc::new(MemoryStore::new(clock));
//!         Built::new(Arc::new(StoreEnds::of(store)), ())
//!     }
//! }
//!
//! wallet_testkit::model_tests!(MyStores);
//! # wallet_testkit::model::check_store(&MyStores, 2);
//! ```
//!
//! `PROPTEST_CASES` sets the number of cases, and `WALLET_MODEL_SEED` selects them.

mod accounts;
mod books;
mod check;
pub mod compare;
mod concrete;
mod holds;
mod machine;
mod predict;
mod reversals;
mod steps;
mod transfers;
mod values;

pub use books::Books;
pub use check::check_store;
pub use machine::{Machine, Step, World};
pub use predict::{Expected, Model};
pub use steps::{Ask, Draft, Form};

/// Expands to a test that runs [`check_store`](crate::model::check_store) on the
/// stores of a factory. The second argument is the number of cases, unless
/// `PROPTEST_CASES` sets it.
#[macro_export]
macro_rules! model_tests {
    ($factory:expr) => {
        $crate::model_tests!($factory, 48);
    };
    ($factory:expr, $cases:expr) => {
        #[test]
        fn the_store_answers_as_the_model_does() {
            $crate::model::check_store(&$factory, $cases);
        }
    };
}
