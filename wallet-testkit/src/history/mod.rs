//! The conformance suite of [`HistoryStore`](wallet_core::history::HistoryStore),
//! and histories with planted bugs, one for each case.
//!
//! An adapter implements [`HistoryFactory`] and calls
//! [`history_conformance!`](crate::history_conformance).

use std::pin::Pin;
use std::sync::Arc;

mod broken;
mod bug;
mod factory;
mod kit;

pub mod appending;
pub mod balances;
pub mod finding;
pub mod order;
pub mod paging;
pub mod races;
pub mod restores;

pub use broken::BrokenHistories;
pub use bug::HistoryBug;
pub use factory::{BuiltHistory, HistoryFactory, OpenHistory};
pub use kit::{HistoryKit, account, lines};

use super::conformance::Running;

/// One case of the suite.
#[derive(Debug, Clone, Copy)]
pub struct HistoryCase {
    /// The theme of the case.
    pub theme: &'static str,
    /// The name, which says what the case proves.
    pub name: &'static str,
    /// The function of the case.
    pub run: for<'a> fn(&'a HistoryKit) -> Running<'a>,
}

/// Runs a case against a fresh history of `factory`.
///
/// # Panics
/// If the case fails.
pub fn run(factory: impl HistoryFactory, case: &HistoryCase) {
    let factory: Arc<dyn HistoryFactory> = Arc::new(factory);
    let running: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async {
        let kit = HistoryKit::new(Arc::clone(&factory)).await;
        (case.run)(&kit).await;
    });
    factory.block_on(running);
}

/// The fault of a history of `factory` in this case; `None` when it passes.
#[must_use]
pub fn fault(factory: impl HistoryFactory, case: &HistoryCase) -> Option<String> {
    super::conformance::caught(|| run(factory, case))
}

/// Calls `$then!` with the cases of [`HistoryStore`](wallet_core::history::HistoryStore).
#[doc(hidden)]
#[macro_export]
macro_rules! __history_cases {
    ($then:ident $($arguments:tt)*) => {
        $crate::$then! { [$($arguments)*]
            appending {
                lines_are_read_back_exactly
                writing_twice_is_writing_once
                a_gap_is_refused_and_changes_nothing
                another_line_under_a_sequence_is_refused
                lines_out_of_order_are_refused
                time_does_not_go_back
                what_overlaps_goes_on_where_history_ends
                hundreds_of_lines_are_written_at_once
                values_reach_the_ends_of_their_ranges
                rows_are_durable
            }
            order {
                entries_of_one_microsecond_are_all_kept
                rows_are_linked_to_the_one_before
                both_orders_and_time_ranges
                accounts_and_ledgers_are_apart
                heads_come_in_the_order_asked
            }
            paging {
                pages_end_where_they_are_told_to
                cursors_survive_new_writes
                cursors_of_another_query_are_refused
                long_pages_are_whole
            }
            finding {
                rows_of_a_transfer
                rows_of_a_reference_page_by_page
                references_are_compared_byte_by_byte
                expiring_rows_are_read_until_then
            }
            balances {
                a_past_balance_is_that_of_the_last_entry
                nothing_is_said_beyond_the_end
            }
            races {
                equal_lines_written_at_once_are_written_once
                a_writer_of_before_a_restore_leaves_nothing_that_is_read
            }
            restores {
                what_is_in_doubt_is_kept_and_not_read
                nothing_in_doubt_is_read_before_it_is_superseded
                other_entries_take_the_place_of_lost_ones
                what_the_books_still_hold_comes_again_once
                superseding_twice_is_superseding_once
                writers_of_another_epoch_are_refused
                an_epoch_that_a_later_restore_forgot_is_superseded
                accounts_without_rows_are_noted_too
                pages_run_on_past_superseded_rows
                restores_are_durable
            }
        }
    };
}

/// Expands to one case.
#[doc(hidden)]
#[macro_export]
macro_rules! __history_case {
    ($theme:ident $case:ident) => {
        $crate::history::HistoryCase {
            theme: stringify!($theme),
            name: stringify!($case),
            run: |kit| Box::pin($crate::history::$theme::$case(kit)),
        }
    };
}

/// Expands to the table of the suite.
#[doc(hidden)]
#[macro_export]
macro_rules! __history_table {
    ([] $($theme:ident { $($case:ident)* })*) => {
        &[$($($crate::__history_case!($theme $case),)*)*]
    };
}

/// Expands to one test per case of the suite.
#[doc(hidden)]
#[macro_export]
macro_rules! __history_tests {
    ([$factory:expr] $($theme:ident { $($case:ident)* })*) => {
        $(mod $theme {
            #[allow(unused_imports)]
            use super::*;
            $(#[test]
            fn $case() {
                let case = $crate::__history_case!($theme $case);
                $crate::history::run($factory, &case);
            })*
        })*
    };
}

/// Expands to one test per case that a [`HistoryStore`](wallet_core::history::HistoryStore) must
/// pass, for an expression that makes a
/// [`HistoryFactory`](crate::history::HistoryFactory).
#[macro_export]
macro_rules! history_conformance {
    ($factory:expr) => {
        $crate::__history_cases! { __history_tests $factory }
    };
}

/// Every case of a [`HistoryStore`](wallet_core::history::HistoryStore).
pub const HISTORY: &[HistoryCase] = __history_cases! { __history_table };
