//! The conformance suite of [`Inbox`](wallet_core::messaging::Inbox), and inboxes
//! with planted bugs, one for each case.
//!
//! An inbox needs no ledger, so this suite is separate from
//! [`conformance`](super::conformance). An adapter implements [`InboxFactory`] and
//! calls [`inbox_conformance!`](crate::inbox_conformance).

use std::pin::Pin;
use std::sync::Arc;

mod broken;
mod factory;
mod kit;

pub mod names;
pub mod positions;
pub mod races;
pub mod steps;

pub use broken::{BrokenInboxes, InboxBug};
pub use factory::{BuiltInbox, InboxFactory, OpenInbox};
pub use kit::InboxKit;

use super::conformance::Running;

/// One case of the suite.
#[derive(Debug, Clone, Copy)]
pub struct InboxCase {
    /// The theme of the case.
    pub theme: &'static str,
    /// The name, which says what the case proves.
    pub name: &'static str,
    /// The function of the case.
    pub run: for<'a> fn(&'a InboxKit) -> Running<'a>,
}

/// Runs a case against a fresh inbox of `factory`.
///
/// # Panics
/// If the case fails.
pub fn run(factory: impl InboxFactory, case: &InboxCase) {
    let factory: Arc<dyn InboxFactory> = Arc::new(factory);
    let running: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async {
        let kit = InboxKit::new(Arc::clone(&factory)).await;
        (case.run)(&kit).await;
    });
    factory.block_on(running);
}

/// The fault of an inbox of `factory` in this case; `None` when it passes.
#[must_use]
pub fn fault(factory: impl InboxFactory, case: &InboxCase) -> Option<String> {
    super::conformance::caught(|| run(factory, case))
}

/// Calls `$then!` with the cases of [`Inbox`](wallet_core::messaging::Inbox).
#[doc(hidden)]
#[macro_export]
macro_rules! __inbox_cases {
    ($then:ident $($arguments:tt)*) => {
        $crate::$then! { [$($arguments)*]
            positions {
                unknown_accounts_stand_at_zero
                positions_come_in_the_order_asked
                an_account_asked_for_twice_is_answered_twice
                thousands_of_accounts_are_answered_at_once
            }
            steps {
                a_step_moves_the_position
                a_step_from_elsewhere_changes_nothing
                a_step_that_does_not_lead_forward_is_refused
                versions_reach_the_end_of_their_range
                a_later_epoch_is_ahead_of_any_version
                restores_are_noted_once
                positions_are_durable
            }
            names {
                consumers_are_apart
                names_are_compared_byte_by_byte
                names_of_128_bytes_are_kept_apart
                names_of_another_length_are_refused
                ledgers_are_apart
                accounts_are_apart
            }
            races {
                of_equal_steps_at_once_one_is_made
            }
        }
    };
}

/// Expands to one case.
#[doc(hidden)]
#[macro_export]
macro_rules! __inbox_case {
    ($theme:ident $case:ident) => {
        $crate::inbox::InboxCase {
            theme: stringify!($theme),
            name: stringify!($case),
            run: |kit| Box::pin($crate::inbox::$theme::$case(kit)),
        }
    };
}

/// Expands to the table of the suite.
#[doc(hidden)]
#[macro_export]
macro_rules! __inbox_table {
    ([] $($theme:ident { $($case:ident)* })*) => {
        &[$($($crate::__inbox_case!($theme $case),)*)*]
    };
}

/// Expands to one test per case of the suite.
#[doc(hidden)]
#[macro_export]
macro_rules! __inbox_tests {
    ([$factory:expr] $($theme:ident { $($case:ident)* })*) => {
        $(mod $theme {
            #[allow(unused_imports)]
            use super::*;
            $(#[test]
            fn $case() {
                let case = $crate::__inbox_case!($theme $case);
                $crate::inbox::run($factory, &case);
            })*
        })*
    };
}

/// Expands to one test per case that an [`Inbox`](wallet_core::messaging::Inbox) must pass, for an
/// expression that makes an [`InboxFactory`](crate::inbox::InboxFactory).
#[macro_export]
macro_rules! inbox_conformance {
    ($factory:expr) => {
        $crate::__inbox_cases! { __inbox_tests $factory }
    };
}

/// Every case of an [`Inbox`](wallet_core::messaging::Inbox).
pub const INBOX: &[InboxCase] = __inbox_cases! { __inbox_table };
