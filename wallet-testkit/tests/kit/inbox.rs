//! The inbox in memory passes the whole suite. The suite can fail: the intended
//! case detects every planted bug, and every case has one.

use std::sync::{Arc, Once};

use async_trait::async_trait;
use wallet_core::memory::MemoryInbox;
use wallet_core::messaging::Inbox;
use wallet_testkit::conformance::{INBOX, fault};
use wallet_testkit::inbox::{BrokenInboxes, InboxBug};
use wallet_testkit::{Built, Factory, ManualClock};

#[derive(Debug)]
struct Memory;

#[async_trait]
impl Factory<dyn Inbox> for Memory {
    async fn build(&self, _: Arc<ManualClock>) -> Built<dyn Inbox> {
        Built::new(Arc::new(MemoryInbox::new()), ())
    }
}

wallet_testkit::inbox_conformance!(Memory);

static QUIET: Once = Once::new();

/// `theme::case` of every case that fails.
fn failures(bug: Option<InboxBug>) -> Vec<String> {
    // Dozens of expected panics would hide an unexpected one.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let failed = INBOX
        .iter()
        .filter(|case| fault(BrokenInboxes(bug), case).is_some());
    failed
        .map(|case| format!("{}::{}", case.theme, case.name))
        .collect()
}

#[test]
fn an_inbox_without_a_bug_passes() {
    assert_eq!(failures(None), [""; 0]);
}

macro_rules! caught {
    ($($test:ident: $bug:ident by $case:literal;)*) => {
        $(#[test]
        fn $test() {
            let failures = failures(Some(InboxBug::$bug));
            println!("{:?}: caught by {failures:?}", InboxBug::$bug);
            assert!(failures.iter().any(|case| case == $case));
        })*

        #[test]
        fn no_bug_is_left_out() {
            assert_eq!(InboxBug::ALL, [$(InboxBug::$bug),*]);
        }

        #[test]
        fn no_case_is_left_out() {
            for case in INBOX {
                let name = format!("{}::{}", case.theme, case.name);
                assert!([$($case),*].contains(&name.as_str()), "{name}");
            }
        }
    };
}

caught! {
    unknown_accounts_left_out_are_caught: LeavesOutUnknown by "positions::unknown_accounts_stand_at_zero";
    another_order_is_caught: SortsAccounts by "positions::positions_come_in_the_order_asked";
    answers_given_once_are_caught: AnswersOnce by "positions::an_account_asked_for_twice_is_answered_twice";
    long_lists_cut_off_are_caught: CutsLongLists by "positions::thousands_of_accounts_are_answered_at_once";
    forgotten_steps_are_caught: ForgetsSteps by "steps::a_step_moves_the_position";
    steps_from_anywhere_are_caught: IgnoresTheBeginning by "steps::a_step_from_elsewhere_changes_nothing";
    steps_made_and_denied_are_caught: MovesWhenItSaysNo by "steps::a_step_from_elsewhere_changes_nothing";
    steps_back_are_caught: TakesAnyStep by "steps::a_step_that_does_not_lead_forward_is_refused";
    versions_without_epochs_are_caught: IgnoresEpochs by "steps::a_later_epoch_is_ahead_of_any_version";
    a_restore_s_first_time_is_caught: KeepsTheFirstTime by "steps::restores_are_noted_once";
    restores_out_of_order_are_caught: MixesRestores by "steps::restores_are_noted_once";
    rounded_versions_are_caught: RoundsVersions by "steps::versions_reach_the_end_of_their_range";
    a_forgetful_restart_is_caught: ForgetsOnRestart by "steps::positions_are_durable";
    shared_positions_are_caught: SharesPositions by "names::consumers_are_apart";
    folded_case_is_caught: FoldsCase by "names::names_are_compared_byte_by_byte";
    trimmed_names_are_caught: TrimsNames by "names::names_are_compared_byte_by_byte";
    shortened_names_are_caught: CutsNames by "names::names_of_128_bytes_are_kept_apart";
    names_of_any_length_are_caught: TakesAnyName by "names::names_of_another_length_are_refused";
    ignored_ledgers_are_caught: IgnoresLedgers by "names::ledgers_are_apart";
    trimmed_accounts_are_caught: TrimsAccounts by "names::accounts_are_apart";
    a_check_before_the_lock_is_caught: ChecksTooEarly by "races::of_equal_steps_at_once_one_is_made";
}
