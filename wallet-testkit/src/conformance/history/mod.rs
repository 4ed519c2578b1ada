//! The conformance suite of [`HistoryStore`], and histories with planted bugs, one
//! for each case.
//!
//! An adapter implements a [`Factory`](crate::Factory) of `dyn HistoryStore` and
//! calls [`history_conformance!`](crate::history_conformance):
//!
//! ```
//! use std::sync::Arc;
//! use wallet_core::history::HistoryStore;
//! use wallet_core::memory::MemoryHistory;
//! use wallet_testkit::{Built, Factory, ManualClock};
//!
//! #[derive(Debug)]
//! struct MyHistories;
//!
//! #[async_trait::async_trait]
//! impl Factory<dyn HistoryStore> for MyHistories {
//!     async fn build(&self, _: Arc<ManualClock>) -> Built<dyn HistoryStore> {
//!         Built::new(Arc::new(MemoryHistory::new()), ())
//!     }
//! }
//!
//! wallet_testkit::history_conformance!(MyHistories);
//! # fn main() {}
//! ```

use crate::Kit;
use crate::conformance::{alone, suite};
use wallet_core::history::HistoryStore;

mod broken;
mod bug;
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
pub use kit::{account, lines};

suite! {
    /// Every case of a [`HistoryStore`].
    HISTORY of Kit<dyn HistoryStore>, as alone,
    /// Expands to one test per case that a [`HistoryStore`](wallet_core::history::HistoryStore) must
    /// pass, for an expression that makes a [`Factory`](crate::Factory) of it.
    history_conformance {
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
            pages_end_at_their_limit
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
    } $
}
