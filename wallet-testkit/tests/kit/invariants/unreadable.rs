//! Entries and transfers that cannot be read.

use wallet_core::ledger::{AccountKey, InLedger};
use wallet_core::verify::{Books, Gap, Violation};

use super::{after, shows};

/// Makes an entry unreadable, as a store with a damaged entry reports it.
fn hide(books: &mut Books, account: AccountKey, sequence: wallet_core::ledger::Sequence) {
    let entries = books.entries.get_mut(&account).unwrap();
    entries.retain(|entry| entry.sequence != sequence);
    let gaps = books.unreadable.entries.entry(account).or_default();
    gaps.push(Gap {
        first: sequence,
        last: sequence,
        reason: "torn".to_owned(),
    });
}

#[test]
fn an_entry_that_cannot_be_read_shows_as_that_alone() {
    for sequence in 1..=5 {
        let violations = after(|books, ada| hide(books, ada, sequence));
        assert_eq!(violations.len(), 1, "{sequence}: {violations:#?}");
        let text = violations[0].to_string();
        let suffix = format!("entries {sequence} to {sequence} cannot be read: torn");
        assert!(text.ends_with(&suffix), "{text}");
    }
}

#[test]
fn what_is_wrong_behind_an_entry_that_cannot_be_read_shows_too() {
    let violations = after(|books, ada| {
        hide(books, ada, 2);
        books.entries.get_mut(&ada).unwrap()[2].balance_after += 1;
    });
    shows!(
        violations,
        Violation::EntriesUnreadable { .. },
        Violation::BalanceChainBroken { sequence: 4, .. },
    );
    let violations = after(|books, ada| {
        hide(books, ada, 2);
        let account = books.accounts.get_mut(&ada).unwrap();
        account.state.counters.credits_posted += 1;
    });
    shows!(
        violations,
        Violation::EntriesUnreadable { .. },
        Violation::CountersDiffer { .. },
        Violation::NotZeroSum { .. },
    );
}

#[test]
fn a_transfer_that_cannot_be_read_shows_as_that_alone() {
    let violations = after(|books, ada| {
        // The transfer of two legs: a reversal names it.
        let key = InLedger::new(ada.ledger, books.entries_of(ada)[1].transfer);
        assert!(books.transfers.remove(&key).is_some());
        let reason = "torn".to_owned();
        books.unreadable.transfers.insert(key, reason);
    });
    assert_eq!(violations.len(), 1, "{violations:#?}");
    shows!(violations, Violation::TransferUnreadable { .. });
}
