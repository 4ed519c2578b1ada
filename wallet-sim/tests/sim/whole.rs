//! Whole worlds from seeds: nothing is lost or done twice, a seed replays exactly,
//! and every planted bug is detected.

use wallet_sim::whole::whole;
use wallet_sim::{Bug, Scenario, check_seeds, explain, run, seed_that_fails};

/// The number of seeds in CI; `scripts/simulate` runs more.
const SEEDS: u64 = 60;
/// The greatest number of seeds for detecting a planted bug: several times the
/// number in `docs/assurance.md`.
const SEEDS_TO_FIND: u64 = 400;

#[test]
fn nothing_is_lost_or_done_twice_anywhere() {
    check_seeds(&Scenario::standard(), 0..SEEDS, &whole());
}

#[test]
fn a_seed_replays_exactly() {
    let scenario = Scenario::standard();
    for seed in 0..8 {
        let first = run(&scenario.clone().with_lines(), seed, &whole());
        let again = run(&scenario.clone().with_lines(), seed, &whole());
        assert_eq!(first, again, "seed {seed}");
        let unread = run(&scenario, seed, &whole());
        assert_eq!(unread.hash, first.hash, "seed {seed}");
    }
}

#[test]
fn seeds_differ() {
    let hash = |seed| run(&Scenario::standard(), seed, &whole()).hash;
    assert_ne!(hash(1), hash(2));
}

#[test]
fn a_standard_world_is_busy_and_everything_in_it_goes_wrong() {
    for seed in 0..10 {
        let counts = run(&Scenario::standard(), seed, &whole()).counts;
        assert!(counts.requests >= 200, "{counts:?}");
        assert!(counts.faults + counts.incidents >= 20, "{counts:?}");
        assert!(counts.reads > 0 && counts.unknown > 0, "{counts:?}");
        let (consumed, history) = (counts.consumed, counts.history);
        assert_eq!((consumed, history), (counts.effects, counts.entries));
        assert!(history > 100, "{counts:?}");
    }
}

#[test]
fn a_failing_seed_is_made_smaller_and_says_how_to_replay_it() {
    let scenario = Scenario::standard().with_bug(Some(Bug::OvertakesInGroup));
    let seed = seed_that_fails(&scenario, 0..SEEDS_TO_FIND, &whole()).expect("a bug that shows");
    let report = run(&scenario, seed, &whole());
    let text = explain(&scenario, &report, &whole());
    let end = seed + 1;
    let command = format!("scripts/simulate --seeds {seed}..{end} --trace --bug OvertakesInGroup");
    assert!(text.contains(&command), "{text}");
    assert!(text.contains("WRONG: "), "{text}");
}

/// One test for each bug.
macro_rules! shown {
    ($($test:ident: $bug:ident;)*) => {
        $(#[test]
        fn $test() {
            let scenario = Scenario::standard().with_bug(Some(Bug::$bug));
            let seed = seed_that_fails(&scenario, 0..SEEDS_TO_FIND, &whole());
            assert!(seed.is_some(), "hidden for {SEEDS_TO_FIND} seeds");
        })*

        #[test]
        fn no_bug_is_left_out() {
            assert_eq!(Bug::ALL, [$(Bug::$bug),*]);
        }
    };
}

shown! {
    keys_read_before_the_locks_show: ReadsKeysBeforeLocks;
    accounts_read_before_the_locks_show: ReadsAccountsBeforeLocks;
    balances_read_before_the_locks_show: ReadsBalancesBeforeLocks;
    a_status_read_before_the_locks_shows: ReadsStatusBeforeLocks;
    holds_read_before_the_locks_show: ReadsHoldsBeforeLocks;
    reversals_read_before_the_locks_show: ReadsReversalsBeforeLocks;
    records_outside_the_transaction_after_it_show: RecordsAfterCommit;
    records_outside_the_transaction_before_it_show: RecordsBeforeCommit;
    a_commit_applied_twice_shows: AppliesTwice;
    a_lost_commit_shows: LosesCommit;
    a_lost_update_shows: LosesUpdate;
    lost_events_show: LosesEvents;
    lost_events_of_split_batches_show: LosesEventsOfSplits;
    events_written_after_the_commit_show: WritesEventsLater;
    events_of_what_is_rolled_back_show: TellsWhatIsRolledBack;
    damage_that_spreads_shows: SpreadsDamage;
    forgotten_reversals_show: ForgetsReversals;
    an_expiry_that_ignores_captures_shows: ExpiryIgnoresCaptures;
    a_hold_released_twice_shows: ReleasesTwice;
    an_early_sweep_shows: SweepsEarly;
    time_that_goes_back_shows: LetsTimeGoBack;
    past_balances_that_change_show: AnswersPastUnfenced;
    keys_forgotten_early_show: ForgetsKeysEarly;
    unknown_called_not_done_shows: CallsUnknownNotDone;
    an_answer_without_a_commit_shows: AnswersWithoutCommit;
    an_unknown_commit_submitted_anew_shows: ResubmitsUnderNewKey;
    a_retry_under_a_new_key_shows: RetriesUnderNewKey;
    silence_taken_for_failure_shows: TakesSilenceForFailure;
    nothing_recorded_taken_for_a_failure_shows: TakesNothingRecordedForFailure;
    forgotten_bulk_requests_show: ForgetsBulkRequests;
    ignored_cancellations_show: IgnoresCancellations;
    a_relay_without_fencing_shows: IgnoresFencing;
    leases_given_away_show: GivesLeasesAway;
    rows_claimed_newest_first_show: ClaimsNewestFirst;
    rows_marked_whole_show: MarksWholeRows;
    events_marked_before_they_are_published_show: MarksBeforePublishing;
    a_forwarder_that_lets_overtake_shows: OvertakesInGroup;
    messages_deleted_on_receipt_show: DeletesOnReceipt;
    a_queue_without_groups_shows: MixesGroups;
    a_step_recorded_after_its_effect_shows: RecordsStepAfterEffect;
    a_step_recorded_before_its_effect_shows: RecordsStepBeforeEffect;
    duplicates_known_by_a_window_show: DeduplicatesByWindow;
    a_projector_that_skips_gaps_shows: SkipsGaps;
    a_projector_that_swallows_errors_shows: SwallowsErrors;
    history_keyed_by_time_alone_shows: OverwritesSameTime;
    a_cache_without_versions_shows: CachesWithoutVersions;
    a_cache_ahead_of_the_ledger_shows: CachesBeforeCommit;
    tokens_that_are_ignored_show: IgnoresTokens;
}
