//! The suite can fail: the intended case detects every planted bug, and a store
//! without a bug passes.

use std::sync::Once;

use wallet_testkit::StoreKit;
use wallet_testkit::broken::{Broken, Bug};
use wallet_testkit::conformance::{Case, LEDGER_STORE, OUTBOX, fault};

static QUIET: Once = Once::new();

/// `theme::case` of every failed case, with the first line of the reason.
fn failures(bug: Option<Bug>) -> Vec<(String, String)> {
    // Hundreds of expected panics would hide an unexpected one.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let cases = LEDGER_STORE.iter().chain(OUTBOX);
    let faults = cases.filter_map(|case: &Case<StoreKit>| {
        let why = fault(Broken(bug), case)?;
        let name = format!("{}::{}", case.theme, case.name);
        Some((name, why.lines().take(2).collect::<Vec<_>>().join(" ")))
    });
    faults.collect()
}

fn assert_caught(bug: Bug, by: &str) {
    let failures = failures(Some(bug));
    println!("{bug:?}: caught by {} cases", failures.len());
    for (case, why) in &failures {
        println!("  {case}: {why}");
    }
    let names: Vec<_> = failures.iter().map(|(case, _)| case.as_str()).collect();
    assert!(names.contains(&by), "{bug:?} is not caught by {by}");
}

#[test]
fn a_store_without_a_bug_passes() {
    let failures = failures(None);
    for (case, why) in &failures {
        println!("{case}: {why}");
    }
    assert_eq!(failures, []);
}

macro_rules! caught {
    ($($test:ident: $bug:ident by $case:literal;)*) => {
        $(#[test]
        fn $test() {
            assert_caught(Bug::$bug, $case);
        })*

        #[test]
        fn no_bug_is_left_out() {
            assert_eq!(Bug::ALL, [$(Bug::$bug),*]);
        }
    };
}

caught! {
    a_lost_update_is_caught: LosesUpdates by "concurrency::payments_at_once_lose_nothing";
    keys_read_before_the_locks_are_caught: ReadsKeysBeforeLocks by "concurrency::a_key_used_at_once_is_applied_once";
    forgotten_records_are_caught: ForgetsRecords by "idempotency::a_replay_answers_the_first_outcome";
    forgotten_refusals_are_caught: ForgetsRefusals by "idempotency::a_refusal_is_recorded_and_replayed";
    ignored_records_are_caught: IgnoresRecords by "idempotency::a_replay_answers_the_first_outcome";
    ignored_fingerprints_are_caught: IgnoresFingerprints by "idempotency::another_request_under_the_key_is_a_mismatch";
    forgotten_bulk_requests_are_caught: ForgetsBulkRequests by "bulk::another_body_under_the_key_moves_nothing";
    ignored_cancellations_are_caught: IgnoresCancellations by "bulk::a_cancelled_key_moves_nothing";
    bulk_requests_purged_in_parts_are_caught: PurgesBulkRequestsInParts by "bulk::a_purge_keeps_a_bulk_request_whole";
    a_store_that_purges_items_alone_is_caught: PurgesItemsAlone by "bulk::a_purge_never_leaves_a_part_of_a_bulk_request";
    replays_of_live_balances_are_caught: ReplaysLiveBalances by "idempotency::a_replay_answers_the_first_outcome";
    half_a_request_is_caught: HalfApplies by "transfers::a_refusal_in_the_middle_leaves_only_its_record";
    a_forgotten_outbox_is_caught: ForgetsOutbox by "published::a_batch_leaves_its_outcomes_in_the_outbox";
    reversed_outcomes_are_caught: ReversesOutcomes by "published::a_batch_leaves_its_outcomes_in_the_outbox";
    rows_held_back_are_caught: HoldsRowsBack by "published::a_batch_leaves_its_outcomes_in_the_outbox";
    rows_out_of_order_are_caught: ClaimsNewestFirst by "delivery::rows_are_claimed_in_order";
    rows_that_are_not_put_aside_are_caught: KeepsAsideOpen by "delivery::a_row_put_aside_is_not_claimed_until_reopened";
    rows_that_never_come_back_are_caught: ForgetsWhatIsAside by "delivery::a_row_put_aside_is_not_claimed_until_reopened";
    ignored_fencing_is_caught: IgnoresFencing by "leases::a_lost_lease_changes_nothing";
    leases_given_away_are_caught: GivesLeasesAway by "leases::one_owner_has_it_at_a_time";
    leases_from_ahead_that_are_kept_are_caught: KeepsLeasesFromAhead by "leases::a_lease_from_a_clock_ahead_is_free";
    duplicate_sequences_are_caught: DuplicatesSequences by "batches::a_popular_account_keeps_its_numbers_gapless";
    one_sided_transfers_are_caught: WritesOneSide by "transfers::one_leg_moves_money_and_writes_two_entries";
    forgotten_reversals_are_caught: ForgetsReversals by "reversals::reversals_of_parts_end_at_the_whole";
    forgotten_captures_are_caught: ForgetsCaptures by "holds::captures_of_parts_add_up";
    forgotten_currencies_are_caught: ForgetsCurrencies by "accounts::a_currency_keeps_its_exponent";
    rounded_money_is_caught: RoundsMoney by "extremes::sums_beyond_any_float_stay_exact";
    times_that_go_back_are_caught: LetsTimeGoBack by "times::times_never_go_back_on_an_account";
    an_unfenced_past_is_caught: AnswersPastUnfenced by "times::an_answered_balance_never_changes";
    captures_listed_again_are_caught: ListsCapturesAgain by "holds::captures_are_found_by_their_hold";
    holds_listed_as_placed_are_caught: ListsHoldsAsPlaced by "holds::holds_are_found_by_reference";
    an_included_end_is_caught: IncludesTheEnd by "reads::entries_are_found_by_time";
    folded_case_is_caught: FoldsCase by "extremes::texts_are_compared_byte_by_byte";
    a_host_left_out_is_caught: LeavesOutTheHost by "reads::a_trial_balance_adds_up_each_currency";
    holds_of_a_later_state_are_caught: SumsHoldsLater by "concurrency::pending_sums_are_of_one_state";
    young_rows_counted_as_old_are_caught: CountsWhatStays by "idempotency::a_purge_deletes_the_oldest_records_first";
    purged_ids_are_caught: PurgesIds by "idempotency::given_ids_outlive_their_records";
    a_forgotten_epoch_is_caught: ForgetsEpochs by "epochs::a_raised_epoch_is_durable";
    an_epoch_raised_twice_is_caught: RaisesTwice by "epochs::a_raise_asked_for_twice_is_one";
    a_store_that_stays_in_the_first_epoch_is_caught: StaysInTheFirstEpoch by "epochs::effects_keep_the_epoch_that_they_were_written_in";
    a_store_that_reads_balances_in_the_first_epoch_is_caught: ReadsBalancesInTheFirstEpoch by "epochs::balances_are_those_of_the_accounts_in_the_current_epoch";
    an_epoch_read_before_the_locks_is_caught: ReadsEpochBeforeLocks by "epochs::no_commit_of_an_earlier_epoch_lands_after_a_raise";
    a_forgetful_restart_is_caught: ForgetsOnRestart by "accounts::accounts_are_durable";
}
