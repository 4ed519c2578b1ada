//! The epoch that each restore begins, and the time that it goes back to.

use std::time::Duration;

use rusqlite::Connection;
use wallet_core::SystemClock;
use wallet_core::runtime::Clock;
use wallet_core::store::LedgerStore;
use wallet_sqlite::{Existing, back_up};
use wallet_testkit::{ManualClock, block_on};

use super::{books, files, put};
use crate::support::{assert_sound, commit, open, transfer};

#[test]
fn each_restore_begins_an_epoch_of_its_own() {
    let files = files();
    drop(books(&files.live));
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    let first = put(&files.copy, &backup, &files.live, Existing::SetAside).unwrap();
    let last = backup.census.last.unwrap().at;
    assert!(
        first.epoch.restored_to < last,
        "no later than what the backup holds"
    );
    let store = open(&files.live);
    let epochs = block_on(store.epochs()).unwrap();
    assert_eq!(epochs.raised(), std::slice::from_ref(&first.epoch));
    commit(&store, vec![transfer("after", 0, 1, 1)]);
    assert_sound(&store);
    drop(store);
    // The next backup contains the epoch, and is restored into a later one.
    let copy = files.folder.path().join("second.db");
    let backup = back_up(&files.live, &copy, &SystemClock).unwrap();
    let second = put(&copy, &backup, &files.target, Existing::Refuse).unwrap();
    assert!(second.epoch.epoch > first.epoch.epoch);
    let epochs = block_on(open(&files.target).epochs()).unwrap();
    assert_eq!(epochs.raised(), [first.epoch, second.epoch]);
}

/// An account that was ahead of the clock pays at its own time. An outcome after the backup
/// has the clock's time: it is earlier than the last one in the backup, and lost.
#[test]
fn a_restore_goes_back_to_before_the_backup_where_an_account_is_ahead_of_the_clock() {
    let files = files();
    drop(books(&files.live));
    let hour = Duration::from_secs(3_600);
    let begun_at = SystemClock.now().saturating_sub(hour);
    let clock = ManualClock::new(begun_at);
    let backup = back_up(&files.live, &files.copy, &clock).unwrap();
    let last = backup.census.last.unwrap().at;
    assert!(last > begun_at.saturating_add(hour / 2), "an hour ahead");
    let restored = put(&files.copy, &backup, &files.target, Existing::Refuse).unwrap();
    let minute_before = begun_at.saturating_sub(Duration::from_secs(60));
    assert_eq!(restored.epoch.restored_to, minute_before);
}

#[test]
fn a_restore_begins_an_epoch_that_none_before_it_had() {
    let files = files();
    drop(books(&files.live));
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    // The live books have an epoch ahead of the clock.
    let ahead = 9_000_000_000_u64;
    let file = Connection::open(&files.live).unwrap();
    let raise = "INSERT INTO wallet_epoch VALUES (?, 0, 0, 'a clock that stepped forward')";
    file.execute(raise, [i64::try_from(ahead).unwrap()])
        .unwrap();
    drop(file);
    for more in 1..=2 {
        let restored = put(&files.copy, &backup, &files.live, Existing::SetAside).unwrap();
        assert_eq!(restored.epoch.epoch.number(), ahead + more);
    }
    // In other folders, where no earlier epoch is known: one restore after the other.
    let mut epochs = Vec::new();
    for number in 0..3 {
        let to = files.folder.path().join(format!("{number}.db"));
        let restored = put(&files.copy, &backup, &to, Existing::Refuse).unwrap();
        epochs.push(restored.epoch.epoch);
    }
    assert!(epochs.is_sorted_by(|one, next| one < next), "{epochs:?}");
}

#[test]
fn a_backup_of_books_that_were_restored_and_stood_still_begins_an_epoch_too() {
    let files = files();
    drop(books(&files.live));
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    let first = put(&files.copy, &backup, &files.live, Existing::SetAside).unwrap();
    let again = files.folder.path().join("again.db");
    let backup = back_up(&files.live, &again, &SystemClock).unwrap();
    let second = put(&again, &backup, &files.target, Existing::Refuse).unwrap();
    assert!(second.epoch.epoch > first.epoch.epoch);
}
