//! The conformance suite of [`Inbox`], and inboxes with planted bugs, one for each
//! case.
//!
//! An inbox needs no ledger. An adapter implements a [`Factory`](crate::Factory) of
//! `dyn Inbox` and calls [`inbox_conformance!`](crate::inbox_conformance):
//!
//! ```
//! use std::sync::Arc;
//! use wallet_core::memory::MemoryInbox;
//! use wallet_core::messaging::Inbox;
//! use wallet_testkit::{Built, Factory, ManualClock};
//!
//! #[derive(Debug)]
//! struct MyInboxes;
//!
//! #[async_trait::async_trait]
//! impl Factory<dyn Inbox> for MyInboxes {
//!     async fn build(&self, _: Arc<ManualClock>) -> Built<dyn Inbox> {
//!         Built::new(Arc::new(MemoryInbox::new()), ())
//!     }
//! }
//!
//! wallet_testkit::inbox_conformance!(MyInboxes);
//! # fn main() {}
//! ```

use crate::Kit;
use crate::conformance::{alone, suite};
use wallet_core::messaging::Inbox;

mod broken;
mod kit;

pub mod names;
pub mod positions;
pub mod races;
pub mod steps;

pub use broken::{BrokenInboxes, InboxBug};

suite! {
    /// Every case of an [`Inbox`].
    INBOX of Kit<dyn Inbox>, as alone,
    /// Expands to one test per case that an [`Inbox`](wallet_core::messaging::Inbox) must
    /// pass, for an expression that makes a [`Factory`](crate::Factory) of it.
    inbox_conformance {
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
    } $
}
