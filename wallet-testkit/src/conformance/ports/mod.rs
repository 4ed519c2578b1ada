//! The cases of the small ports: [`BalanceCache`], [`RateLimiter`],
//! [`LockManager`], [`SessionStore`], [`AuditLog`],
//! [`MessageQueue`](wallet_core::messaging::MessageQueue). Each port has one list,
//! and an adapter must pass all of it.

use crate::conformance::{alone, suite};
use crate::{Kit, QueueEnds};
use wallet_core::audit::AuditLog;
use wallet_core::cache::BalanceCache;
use wallet_core::edge::{RateLimiter, SessionStore};
use wallet_core::locks::LockManager;

pub mod audits;
pub mod balances;
pub mod limits;
pub mod locks;
pub mod queues;
pub mod sessions;

suite! {
    /// Every case of an [`AuditLog`].
    AUDIT_LOG of Kit<dyn AuditLog>, as alone,
    /// Expands to one test per case that an [`AuditLog`](wallet_core::audit::AuditLog) must
    /// pass, for an expression that makes a
    /// [`Factory`](crate::Factory) of it.
    audit_log_conformance {
        audits {
            a_record_reads_back_whole
            a_record_is_bound_to_the_one_before
            events_stand_in_the_order_given
            hundreds_of_events_go_in_one_call
            partitions_are_chains_of_their_own
            nothing_to_append_appends_nothing
            pages_begin_at_their_cursor_and_end_at_their_limit
            the_last_record_is_returned
            appends_at_once_make_one_chain
        }
    } $
}

suite! {
    /// Every case of a [`BalanceCache`].
    BALANCE_CACHE of Kit<dyn BalanceCache>, as alone,
    /// Expands to one test per case that a [`BalanceCache`](wallet_core::cache::BalanceCache)
    /// must pass, for an expression that makes a
    /// [`Factory`](crate::Factory) of it.
    balance_cache_conformance {
        balances {
            what_was_put_is_found_whole
            answers_are_in_the_order_asked
            a_newer_version_replaces_an_older_one
            an_older_version_never_replaces_a_newer_one
            versions_are_compared_as_whole_numbers
            a_later_epoch_counts_more_than_any_version
            ledgers_are_kept_apart
            the_newest_of_one_call_is_kept
            what_is_forgotten_is_a_miss_until_it_is_put_again
            many_accounts_go_in_one_call
            of_writers_at_once_the_newest_wins
        }
    } $
}

suite! {
    /// Every case of a [`RateLimiter`].
    RATE_LIMITER of Kit<dyn RateLimiter>, as alone,
    /// Expands to one test per case that a [`RateLimiter`](wallet_core::edge::RateLimiter)
    /// must pass, for an expression that makes a
    /// [`Factory`](crate::Factory) of it.
    rate_limiter_conformance {
        limits {
            a_burst_is_admitted_and_no_more
            tokens_come_back_one_by_one
            a_bucket_never_holds_more_than_its_capacity
            remaining_reset_and_retry_are_exact
            fractions_of_a_token_are_not_lost
            a_call_costs_what_it_says
            a_cost_of_nothing_only_looks
            all_limits_are_taken_from_or_none
            refused_limits_say_when_to_come_back
            scopes_and_names_are_kept_apart
            another_quota_counts_afresh
            a_clock_that_steps_back_neither_blocks_nor_gives
            bad_charges_are_invalid
            callers_at_once_share_a_limit
        }
    } $
}

suite! {
    /// Every case of a [`LockManager`].
    LOCK_MANAGER of Kit<dyn LockManager>, as alone,
    /// Expands to one test per case that a [`LockManager`](wallet_core::locks::LockManager)
    /// must pass, for an expression that makes a
    /// [`Factory`](crate::Factory) of it.
    lock_manager_conformance {
        locks {
            one_owner_has_a_name_at_a_time
            a_lease_ends_by_itself
            tokens_only_grow
            the_same_owner_gets_it_again_and_fences_itself
            a_renewed_lease_lasts_longer
            what_was_lost_is_neither_renewed_nor_released
            a_released_name_is_free_at_once
            names_are_kept_apart
            bad_leases_are_invalid
            of_owners_at_once_one_wins
        }
    } $
}

suite! {
    /// Every case of a [`SessionStore`].
    SESSION_STORE of Kit<dyn SessionStore>, as alone,
    /// Expands to one test per case that a [`SessionStore`](wallet_core::edge::SessionStore)
    /// must pass, for an expression that makes a
    /// [`Factory`](crate::Factory) of it.
    session_store_conformance {
        sessions {
            a_session_reads_back_whole
            ids_are_never_the_same
            a_stranger_is_not_signed_in
            a_save_needs_the_version
            a_save_of_two_at_once_is_one
            an_idle_session_ends
            a_touch_keeps_it_alive_until_the_absolute_end
            looking_and_saving_are_not_being_seen
            a_revoked_session_is_gone
            all_sessions_of_a_user_end_together
            a_user_has_so_many_sessions
            what_has_ended_is_gone_for_every_call
            bad_sessions_are_invalid
        }
    } $
}

suite! {
    /// Every case of a [`MessageQueue`](wallet_core::messaging::MessageQueue).
    MESSAGE_QUEUE of Kit<QueueEnds>, as alone,
    /// Expands to one test per case that a [`MessageQueue`](wallet_core::messaging::MessageQueue)
    /// must pass, for an expression that makes a
    /// [`Factory`](crate::Factory) of its
    /// [`QueueEnds`](crate::QueueEnds).
    message_queue_conformance {
        queues {
            messages_of_a_group_come_in_order
            what_is_given_back_comes_again
            a_batch_of_nothing_is_nothing
            a_batch_ends_each_of_its_messages
            a_batch_of_more_than_a_call_takes_is_ended_whole
            what_a_batch_could_not_delete_is_reported_and_comes_again
        }
    } $
}
