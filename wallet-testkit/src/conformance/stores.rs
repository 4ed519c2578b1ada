use super::case::{empties_outbox, keeps_outbox};
use super::suite;
use super::{
    accounts, batches, bulk, concurrency, delivery, epochs, extremes, holds, idempotency, leases,
    parking, pending, processes, published, reads, reversals, sizes, system, times, transfers,
};
use crate::StoreKit;

suite! {
    /// Every case of a [`LedgerStore`](wallet_core::store::LedgerStore).
    LEDGER_STORE of StoreKit, as keeps_outbox,
    /// Expands to one test per case that a [`LedgerStore`](wallet_core::store::LedgerStore)
    /// must pass, for an expression that makes a [`Factory`](crate::Factory) of
    /// [`StoreEnds`](crate::StoreEnds).
    ledger_store_conformance {
        accounts {
            an_opened_account_reads_back_whole
            an_id_that_is_taken_is_refused
            a_missing_account_is_none_in_its_place
            a_status_refuses_what_it_says
            an_account_closes_only_when_it_is_empty
            what_is_so_already_has_no_effect
            a_change_raises_the_version
            an_overdraft_ends_at_its_limit
            a_ceiling_counts_what_is_pending
            a_currency_keeps_its_exponent
            accounts_come_in_pages_by_id
            accounts_are_found_by_owner_and_currency
            accounts_are_durable
        }
        transfers {
            one_leg_moves_money_and_writes_two_entries
            legs_apply_in_order_and_are_not_netted
            a_floor_that_breaks_between_legs_refuses_all
            a_refused_transfer_writes_nothing
            a_deposit_opens_its_settlement_account_once
            a_withdrawal_pays_to_its_settlement_account
            settlement_shards_agree
            a_split_adds_up
            details_read_back
            a_transfer_id_is_unique
            a_missing_transfer_is_none_in_its_place
            transfers_are_found_by_reference
            commands_see_those_before_them
            a_refusal_in_the_middle_leaves_only_its_record
        }
        system {
            system_accounts_move_by_commands_of_their_own
            a_system_transfer_opens_what_it_names
        }
        holds {
            a_hold_until_a_time_is_the_same_request_again
            a_capture_posts_what_was_held
            captures_of_parts_add_up
            a_final_capture_gives_the_rest_back
            a_capture_beyond_the_hold_is_refused
            a_release_gives_back_what_is_left
            a_hold_is_known_by_its_id
            a_hold_reads_back_whole
            a_hold_placed_just_before_can_be_captured
            a_frozen_account_still_honours_its_holds
            an_expired_hold_can_only_be_expired
            the_sweep_expires_a_hold_once
            expired_holds_come_longest_expired_first
            expired_holds_of_every_ledger_are_returned
            holds_are_listed_for_both_accounts
            holds_are_found_by_reference
            captures_are_found_by_their_hold
            a_refused_hold_reserves_nothing
        }
        pending {
            sums_add_up_the_open_holds
        }
        reversals {
            a_full_reversal_moves_it_back
            reversals_of_parts_end_at_the_whole
            legs_are_reversed_by_name
            a_split_is_refunded_in_proportion
            a_refused_reversal_counts_nothing
            a_reversal_is_final
            a_forced_reversal_passes_the_floor
            deposits_and_captures_are_reversed_too
            a_transfer_of_the_same_batch_is_reversed
        }
        idempotency {
            a_replay_answers_the_first_outcome
            every_receipt_is_replayed_after_a_reopening
            another_request_under_the_key_is_a_mismatch
            a_refusal_is_recorded_and_replayed
            scopes_and_ledgers_keep_keys_apart
            records_are_answered_in_the_order_asked
            replays_and_new_requests_share_a_batch
            a_purge_deletes_the_oldest_records_first
            given_ids_outlive_their_records
            long_keys_are_kept_apart
        }
        bulk {
            another_body_under_the_key_moves_nothing
            a_batch_uses_a_key_for_one_body
            a_bulk_request_replays_item_by_item
            a_bulk_request_is_resumed_where_it_stopped
            an_item_waits_for_the_one_before_it
            a_cancelled_key_moves_nothing
            a_cancellation_changes_no_outcome
            cancelled_items_never_run
            a_purge_keeps_a_bulk_request_whole
            a_purge_never_leaves_a_part_of_a_bulk_request
            a_purge_takes_no_first_item_away
        }
        batches {
            each_request_sees_those_before_it
            the_first_of_two_that_want_the_same_wins
            a_refused_request_leaves_its_neighbours
            what_two_requests_need_is_made_once
            an_id_is_taken_by_the_first_of_a_batch
            a_popular_account_keeps_its_numbers_gapless
            hundreds_of_requests_come_through
            an_empty_batch_does_nothing
            a_batch_of_refusals_changes_no_account
            the_limits_admit_what_is_usual
            the_most_legs_are_posted_in_order
        }
        reads {
            a_dry_run_writes_nothing
            a_snapshot_holds_all_that_was_asked_for
            entries_come_in_pages_both_ways
            entries_are_found_by_time
            what_is_not_there_is_an_empty_page
            ledgers_are_separate_books
            a_trial_balance_adds_up_each_currency
            a_probe_leaves_nothing_behind
            thousands_of_keys_are_answered_at_once
        }
        times {
            a_past_balance_counts_what_was_posted_by_then
            a_future_balance_is_refused
            an_answered_balance_never_changes
            asking_for_the_past_changes_no_balance
            times_never_go_back_on_an_account
            a_transfer_has_one_time
            a_clock_too_far_behind_decides_nothing
            a_clock_behind_stops_only_those_concerned
            a_refusal_moves_no_time
            times_before_1970_are_kept
        }
        epochs {
            a_store_begins_in_its_first_epoch
            effects_keep_the_epoch_that_they_were_written_in
            balances_are_those_of_the_accounts_in_the_current_epoch
            a_raised_epoch_is_durable
            a_raise_asked_for_twice_is_one
            a_restore_to_the_future_is_refused
            an_epoch_raised_by_the_other_counts_at_once
            no_commit_of_an_earlier_epoch_lands_after_a_raise
        }
        extremes {
            the_greatest_amount_moves_exactly
            sums_beyond_any_float_stay_exact
            the_greatest_limits_are_kept
            the_hardest_texts_come_back
            metadata_keeps_its_ends
            texts_are_compared_byte_by_byte
            currencies_keep_their_ends
            the_longest_hold_is_kept
        }
        sizes {
            the_most_legs_with_the_longest_texts_are_one_request
            a_batch_of_greatest_requests_is_committed
            an_account_of_many_entries_reads_and_adds_up
        }
        published {
            a_batch_leaves_its_outcomes_in_the_outbox
            refusals_and_replays_leave_nothing
            every_effect_leaves_an_event
            events_are_durable_and_know_their_ledger
        }
        concurrency {
            payments_at_once_lose_nothing
            a_trial_balance_is_of_one_state
            pending_sums_are_of_one_state
            no_money_is_spent_twice
            a_key_used_at_once_is_applied_once
            a_key_used_twice_at_once_is_applied_once
            a_key_used_for_two_bodies_at_once_is_applied_once
            a_key_is_cancelled_or_used_at_once
            an_id_given_at_once_is_taken_once
            what_is_needed_at_once_is_made_once
            a_hold_is_captured_once
            a_transfer_is_reversed_once
            a_balance_asked_for_meanwhile_holds
        }
        processes {
            each_sees_what_the_other_committed
            a_key_used_by_the_other_is_a_replay
            both_at_once_lose_nothing
            the_outbox_is_shared
        }
    } $
}

suite! {
    /// Every case of an [`Outbox`](wallet_core::store::Outbox).
    OUTBOX of StoreKit, as empties_outbox,
    /// Expands to one test per case that an [`Outbox`](wallet_core::store::Outbox) must
    /// pass, for an expression that makes a [`Factory`](crate::Factory) of
    /// [`StoreEnds`](crate::StoreEnds).
    outbox_conformance {
        leases {
            one_owner_has_it_at_a_time
            a_lease_from_a_clock_ahead_is_free
            a_released_lease_is_free_at_once
            a_takeover_waits_for_the_end
            a_lost_lease_changes_nothing
            a_forged_token_is_no_lease
            leases_are_durable
        }
        delivery {
            rows_are_claimed_in_order
            a_complete_row_is_not_claimed_again
            a_row_put_aside_is_not_claimed_until_reopened
            what_is_complete_stays_so
            marks_add_up
            several_rows_are_marked_together
            a_row_has_the_time_of_its_commit
            the_depth_counts_what_is_open
            a_purge_deletes_delivered_rows_only
        }
        parking {
            parked_events_come_in_order
            a_parked_event_keeps_its_row_open
            a_skipped_event_is_done
            a_redriven_event_is_tried_again
            what_is_not_parked_is_left_alone
            ending_a_parking_needs_no_lease
        }
    } $
}
