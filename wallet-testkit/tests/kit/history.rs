//! The history in memory passes the whole suite. The suite can fail: the intended
//! case detects every planted bug, and every case has one.

use std::sync::{Arc, Once};

use async_trait::async_trait;
use wallet_core::history::HistoryStore;
use wallet_core::memory::MemoryHistory;
use wallet_testkit::conformance::{HISTORY, fault};
use wallet_testkit::history::{BrokenHistories, HistoryBug};
use wallet_testkit::{Built, Factory, ManualClock};

#[derive(Debug)]
struct Memory;

#[async_trait]
impl Factory<dyn HistoryStore> for Memory {
    async fn build(&self, _: Arc<ManualClock>) -> Built<dyn HistoryStore> {
        Built::new(Arc::new(MemoryHistory::new()), ())
    }
}

wallet_testkit::history_conformance!(Memory);

static QUIET: Once = Once::new();

/// `theme::case` of every case that fails.
fn failures(bug: Option<HistoryBug>) -> Vec<String> {
    // Dozens of expected panics would hide an unexpected one.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let failed = HISTORY
        .iter()
        .filter(|case| fault(BrokenHistories(bug), case).is_some());
    failed
        .map(|case| format!("{}::{}", case.theme, case.name))
        .collect()
}

#[test]
fn a_history_without_a_bug_passes() {
    let failures = failures(None);
    println!("failed: {failures:?}");
    assert_eq!(failures, [""; 0]);
}

macro_rules! caught {
    ($($test:ident: $bug:ident by $case:literal;)*) => {
        $(#[test]
        fn $test() {
            let failures = failures(Some(HistoryBug::$bug));
            println!("{:?}: caught by {failures:?}", HistoryBug::$bug);
            assert!(failures.iter().any(|case| case == $case), "{failures:?}");
        })*

        #[test]
        fn no_bug_is_left_out() {
            assert_eq!(HistoryBug::ALL, [$(HistoryBug::$bug),*]);
        }

        #[test]
        fn no_case_is_left_out() {
            for case in HISTORY {
                let name = format!("{}::{}", case.theme, case.name);
                assert!([$($case),*].contains(&name.as_str()), "{name}");
            }
        }
    };
}

caught! {
    lost_references_are_caught: LosesReferences by "appending::lines_are_read_back_exactly";
    double_rows_are_caught: WritesTwice by "appending::writing_twice_is_writing_once";
    skipped_gaps_are_caught: SkipsGaps by "appending::a_gap_is_refused_and_changes_nothing";
    other_lines_passed_over_are_caught: IgnoresOtherLines by "appending::another_line_under_a_sequence_is_refused";
    sorted_lines_are_caught: SortsLines by "appending::lines_out_of_order_are_refused";
    times_that_go_back_are_caught: TakesAnyTime by "appending::time_does_not_go_back";
    dropped_overlaps_are_caught: DropsOverlaps by "appending::what_overlaps_goes_on_where_history_ends";
    long_calls_cut_off_are_caught: CutsLongCalls by "appending::hundreds_of_lines_are_written_at_once";
    rounded_balances_are_caught: RoundsBalances by "appending::values_reach_the_ends_of_their_ranges";
    a_forgetful_restart_is_caught: ForgetsOnRestart by "appending::rows_are_durable";
    one_entry_per_microsecond_is_caught: KeepsOnePerMicrosecond by "order::entries_of_one_microsecond_are_all_kept";
    missing_links_are_caught: LinksWithinACall by "order::rows_are_linked_to_the_one_before";
    a_wrong_end_of_times_is_caught: IncludesTo by "order::both_orders_and_time_ranges";
    ignored_ledgers_are_caught: IgnoresLedgers by "order::accounts_and_ledgers_are_apart";
    sorted_heads_are_caught: SortsHeads by "order::heads_come_in_the_order_asked";
    a_lost_cursor_is_caught: LosesTheCursor by "paging::pages_end_at_their_limit";
    pages_by_time_are_caught: PagesByTime by "paging::cursors_survive_new_writes";
    foreign_cursors_are_caught: TakesAnyCursor by "paging::cursors_of_another_query_are_refused";
    long_pages_cut_off_are_caught: CutsLongPages by "paging::long_pages_are_whole";
    another_order_of_legs_is_caught: SortsByAccount by "finding::rows_of_a_transfer";
    one_page_of_a_reference_is_caught: EndsAfterAPage by "finding::rows_of_a_reference_page_by_page";
    folded_case_is_caught: FoldsCase by "finding::references_are_compared_byte_by_byte";
    rows_that_go_too_early_are_caught: ExpiresAtOnce by "finding::expiring_rows_are_read_until_then";
    a_wrong_beginning_of_times_is_caught: ExcludesFrom by "balances::a_past_balance_is_that_of_the_last_entry";
    rows_of_the_next_account_are_caught: RunsOn by "balances::nothing_is_said_beyond_the_end";
    a_check_before_the_lock_is_caught: ChecksTooEarly by "races::equal_lines_written_at_once_are_written_once";
    an_epoch_checked_before_the_lock_is_caught: ChecksTheEpochTooEarly by "races::a_writer_of_before_a_restore_leaves_nothing_that_is_read";
    removed_rows_are_caught: RemovesTheSuperseded by "restores::what_is_in_doubt_is_kept_and_not_read";
    rows_in_doubt_are_caught: ReadsWhatIsInDoubt by "restores::nothing_in_doubt_is_read_before_it_is_superseded";
    superseded_rows_are_caught: ReadsTheSuperseded by "restores::other_entries_take_the_place_of_lost_ones";
    what_came_again_twice_is_caught: ReadsTwiceWhatCameAgain by "restores::what_the_books_still_hold_comes_again_once";
    superseding_again_is_caught: SupersedesAgain by "restores::superseding_twice_is_superseding_once";
    writers_of_any_epoch_are_caught: IgnoresTheWriter by "restores::writers_of_another_epoch_are_refused";
    forgotten_epochs_that_are_kept_are_caught: GoesByTimeOnly by "restores::an_epoch_that_a_later_restore_forgot_is_superseded";
    empty_accounts_passed_over_are_caught: PassesOverTheEmpty by "restores::accounts_without_rows_are_noted_too";
    pages_that_end_too_early_are_caught: EndsAtTheSuperseded by "restores::pages_run_on_past_superseded_rows";
    forgotten_restores_are_caught: ForgetsRestores by "restores::restores_are_durable";
}
