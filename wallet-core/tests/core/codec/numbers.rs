//! The numbers and names of the enums without data. Formats, columns and documents hold
//! them, and SQL statements name some of them, so they never change.

use wallet_core::ledger::{Direction, EffectKind, HoldStatus, TransferKind};
use wallet_core::store::RowState;
use wallet_core::{Amount, Policy, Status};

/// Asserts that the enum has exactly these numbers and names.
macro_rules! assert_table {
    ($type:ident: $($number:literal $name:literal $value:ident,)*) => {
        let due = [$(($number, $name, $type::$value),)*];
        assert_eq!($type::ALL, due.map(|(_, _, value)| value));
        for (number, name, value) in due {
            assert_eq!((value.number(), value.name()), (number, name));
            assert_eq!($type::of_name(name), Some(value));
        }
        for number in 0..=u8::MAX {
            let known = due.into_iter().find(|(due, _, _)| *due == number);
            assert_eq!($type::of_number(number), known.map(|(_, _, value)| value));
        }
        assert_eq!($type::of_name(""), None);
        assert_eq!($type::of_name(&due[0].1.to_uppercase()), None);
    };
}

#[test]
fn accounts_keep_their_numbers_and_names() {
    assert_table!(Status:
        0 "active" Active,
        1 "debits_frozen" DebitsFrozen,
        2 "credits_frozen" CreditsFrozen,
        3 "frozen" Frozen,
        4 "closed" Closed,
    );
    let seven = Amount::new(7).unwrap();
    assert_eq!(Policy::NonNegative.parts(), (0, None));
    assert_eq!(Policy::Overdraft(seven).parts(), (1, Some(seven)));
    assert_eq!(Policy::Unlimited.parts(), (2, None));
}

#[test]
fn transfers_and_holds_keep_their_numbers_and_names() {
    assert_table!(TransferKind:
        0 "transfer" Transfer,
        1 "deposit" Deposit,
        2 "withdrawal" Withdrawal,
        3 "split" Split,
        4 "capture" Capture,
        5 "reversal" Reversal,
        6 "system" System,
    );
    assert_table!(Direction:
        0 "debit" Debit,
        1 "credit" Credit,
    );
    assert_table!(HoldStatus:
        0 "pending" Pending,
        1 "captured" Captured,
        2 "released" Released,
        3 "expired" Expired,
    );
}

#[test]
fn effects_and_outbox_rows_keep_their_numbers_and_names() {
    assert_table!(EffectKind:
        1 "account.opened" Opened,
        2 "account.status_changed" StatusChanged,
        3 "account.limits_changed" LimitsChanged,
        4 "account.debited" Debited,
        5 "account.credited" Credited,
        6 "hold.placed" HoldPlaced,
        7 "hold.captured" HoldCaptured,
        8 "hold.released" HoldReleased,
        9 "hold.expired" HoldExpired,
        10 "transfer.reversed" Reversed,
    );
    assert_table!(RowState:
        0 "open" Open,
        1 "complete" Complete,
        2 "aside" Aside,
    );
}
