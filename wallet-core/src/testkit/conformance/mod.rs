//! The conformance suite: the cases that every store passes.
//!
//! Each case gets a fresh store as a [`Kit`](super::Kit), drives it through
//! [`LedgerStore::transact`](crate::LedgerStore::transact) and asserts on
//! values. After every case the [`invariants`](super::invariants) are checked
//! on what it left behind.

use std::pin::Pin;
use std::sync::Arc;

use super::{Kit, StoreFactory};

mod steps;

pub mod accounts;
pub mod leases;
pub mod transfers;

/// A case under way.
pub type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// One case of a suite.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What it is about.
    pub theme: &'static str,
    /// What it proves.
    pub name: &'static str,
    /// Whether every event must still be in the outbox when it ends.
    pub keeps_outbox: bool,
    /// The case itself.
    pub run: for<'a> fn(&'a Kit) -> Running<'a>,
}

/// Runs a case against a fresh store of `factory`, then checks the invariants.
///
/// # Panics
/// When the case or an invariant fails.
pub fn run(factory: impl StoreFactory, case: &Case) {
    let factory: Arc<dyn StoreFactory> = Arc::new(factory);
    factory.block_on(Box::pin(async {
        let kit = Kit::new(Arc::clone(&factory)).await;
        (case.run)(&kit).await;
        let violations = kit.violations(case.keeps_outbox).await;
        assert!(violations.is_empty(), "violated: {violations:#?}");
    }));
}

/// Calls `$then!` with the cases of [`LedgerStore`](crate::LedgerStore).
#[doc(hidden)]
#[macro_export]
macro_rules! __ledger_store_cases {
    ($then:ident $($arguments:tt)*) => {
        $crate::$then! { [$($arguments)*] true
            accounts {
                an_opened_account_reads_back_whole
                an_id_that_is_taken_is_refused
            }
            transfers {
                one_leg_moves_money_and_writes_two_entries
            }
        }
    };
}

/// Expands to the table of a suite.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_table {
    ([] $keeps_outbox:literal $($theme:ident { $($case:ident)* })*) => {
        &[$($($crate::testkit::conformance::Case {
            theme: stringify!($theme),
            name: stringify!($case),
            keeps_outbox: $keeps_outbox,
            run: |kit| Box::pin($crate::testkit::conformance::$theme::$case(kit)),
        },)*)*]
    };
}

/// Expands to one test per case of a suite.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ([$factory:expr] $keeps_outbox:literal $($theme:ident { $($case:ident)* })*) => {
        $(mod $theme {
            #[allow(unused_imports)]
            use super::*;
            $(#[test]
            fn $case() {
                $crate::testkit::conformance::run($factory, &$crate::testkit::conformance::Case {
                    theme: stringify!($theme),
                    name: stringify!($case),
                    keeps_outbox: $keeps_outbox,
                    run: |kit| Box::pin($crate::testkit::conformance::$theme::$case(kit)),
                });
            })*
        })*
    };
}

/// Expands to one test per case that a [`LedgerStore`](crate::LedgerStore)
/// must pass, for an expression that makes a
/// [`StoreFactory`](crate::testkit::StoreFactory).
#[macro_export]
macro_rules! ledger_store_conformance {
    ($factory:expr) => {
        $crate::__ledger_store_cases! { __conformance_tests $factory }
    };
}

/// Calls `$then!` with the cases of [`Outbox`](crate::Outbox).
#[doc(hidden)]
#[macro_export]
macro_rules! __outbox_cases {
    ($then:ident $($arguments:tt)*) => {
        $crate::$then! { [$($arguments)*] false
            leases {
                one_owner_at_a_time
            }
        }
    };
}

/// Expands to one test per case that an [`Outbox`](crate::Outbox) must pass,
/// for an expression that makes a
/// [`StoreFactory`](crate::testkit::StoreFactory).
#[macro_export]
macro_rules! outbox_conformance {
    ($factory:expr) => {
        $crate::__outbox_cases! { __conformance_tests $factory }
    };
}

/// Every case of an [`Outbox`](crate::Outbox).
pub const OUTBOX: &[Case] = __outbox_cases! { __conformance_table };

/// Every case of a [`LedgerStore`](crate::LedgerStore).
pub const LEDGER_STORE: &[Case] = __ledger_store_cases! { __conformance_table };
