//! Cases of appending lines, and of refused lines.

use super::kit::{HistoryKit, account, lines};
use wallet_core::history::{HistoryError, HistoryHead, HistoryLine};
use wallet_core::ledger::{Direction, Epoch, TransferKind};
use wallet_core::store::StoreErrorKind;
use wallet_core::{Amount, Currency, Reference, Timestamp};

/// Every field of a line reads back.
pub async fn lines_are_read_back_exactly(kit: &HistoryKit) {
    let kinds = [
        TransferKind::Transfer,
        TransferKind::Deposit,
        TransferKind::Withdrawal,
        TransferKind::Split,
        TransferKind::Capture,
        TransferKind::Reversal,
        TransferKind::System,
    ];
    let mut all = lines(account(1), &[10, 20, 30, 40, 50, 60, 70]);
    for (number, (line, kind)) in (1..).zip(all.iter_mut().zip(kinds)) {
        line.kind = kind;
        line.code = number * 1_000;
        line.entry.leg = u16::try_from(number).unwrap();
        line.reference = Some(Reference::new(&format!("order/{number} Grüße")).unwrap());
    }
    all[5].reference = None;
    kit.append(&all).await;
    assert_eq!(kit.lines(account(1)).await, all);
    kit.append(&[]).await;
    assert_eq!(kit.lines(account(1)).await, all);
}

/// The append is idempotent, in whole or in part.
pub async fn writing_twice_is_writing_once(kit: &HistoryKit) {
    let all = lines(account(1), &[10, 20, 20, 40]);
    kit.append(&all).await;
    for again in [&all[..], &all[..2], &all[1..3], &all[3..]] {
        kit.append(again).await;
        assert_eq!(kit.lines(account(1)).await, all);
    }
}

/// Lines after a gap are refused, and so are lines of other accounts in the call.
pub async fn a_gap_is_refused_and_changes_nothing(kit: &HistoryKit) {
    let all = lines(account(1), &[10, 20, 30, 40]);
    let other = lines(account(2), &[10]);
    let both = [&other[..], &all[1..]].concat();
    for (from, expected) in [(1, 1), (3, 1)] {
        let gap = kit.refused(&all[from..]).await;
        assert_gap(&gap, &all[from], expected);
    }
    assert_gap(&kit.refused(&both).await, &all[1], 1);
    assert_eq!(kit.lines(account(1)).await, []);
    assert_eq!(kit.lines(account(2)).await, []);
    kit.append(&all[..2]).await;
    assert_gap(&kit.refused(&all[3..]).await, &all[3], 3);
    assert_eq!(kit.lines(account(1)).await, all[..2]);
    kit.append(&all[2..]).await;
    assert_eq!(kit.lines(account(1)).await, all);
}

fn assert_gap(error: &HistoryError, line: &HistoryLine, next: i64) {
    match error {
        HistoryError::Gap {
            account,
            expected,
            found,
        } => {
            let reported = (*account, *expected, *found);
            assert_eq!(reported, (line.entry.account, next, line.entry.sequence));
        }
        other => panic!("no gap, but {other}"),
    }
}

/// A written line is never overwritten by another one.
pub async fn another_line_under_a_sequence_is_refused(kit: &HistoryKit) {
    let all = lines(account(1), &[10, 20, 30]);
    kit.append(&all).await;
    let mut amount = all[1].clone();
    amount.entry.amount = Amount::new(1).unwrap();
    let mut time = all[1].clone();
    time.entry.created_at = Timestamp::from_micros(25);
    let mut words = all[1].clone();
    words.reference = Some(Reference::new("another").unwrap());
    for other in [amount, time, words] {
        match kit.refused(&[other]).await {
            HistoryError::Differs { account, sequence } => {
                assert_eq!((account, sequence), (all[1].entry.account, 2));
            }
            error => panic!("not distinguished, but {error}"),
        }
        assert_eq!(kit.lines(account(1)).await, all);
    }
}

/// The lines of an account must be in order, each once, from 1 on.
pub async fn lines_out_of_order_are_refused(kit: &HistoryKit) {
    let all = lines(account(1), &[10, 20, 30]);
    let pick = |numbers: &[usize]| -> Vec<HistoryLine> {
        let picked = numbers.iter().map(|number| all[*number].clone());
        picked.collect()
    };
    let mut zero = all[0].clone();
    zero.entry.sequence = 0;
    for bad in [pick(&[1, 0]), pick(&[0, 2]), pick(&[0, 0]), vec![zero]] {
        assert_invalid(&kit.refused(&bad).await);
        assert_eq!(kit.lines(account(1)).await, []);
    }
    // Lines of another account may be between them.
    let other = lines(account(2), &[5, 6]);
    let mixed = [&all[..1], &other[..1], &all[1..], &other[1..]].concat();
    kit.append(&mixed).await;
    assert_eq!(kit.lines(account(1)).await, all);
    assert_eq!(kit.lines(account(2)).await, other);
}

fn assert_invalid(error: &HistoryError) {
    match error {
        HistoryError::Store(error) => assert_eq!(error.kind(), StoreErrorKind::Invalid),
        other => panic!("not invalid, but {other}"),
    }
}

/// An entry with an earlier time than the previous one is refused, in one call or
/// two.
pub async fn time_does_not_go_back(kit: &HistoryKit) {
    let all = lines(account(1), &[10, 9]);
    assert_invalid(&kit.refused(&all).await);
    assert_eq!(kit.lines(account(1)).await, []);
    kit.append(&all[..1]).await;
    assert_invalid(&kit.refused(&all[1..]).await);
    assert_eq!(kit.lines(account(1)).await, all[..1]);
}

/// If history holds some of the lines, only the rest is written.
pub async fn what_overlaps_goes_on_where_history_ends(kit: &HistoryKit) {
    let all = lines(account(1), &[10, 20, 30, 40, 50]);
    kit.append(&all[..3]).await;
    kit.append(&all[1..4]).await;
    assert_eq!(kit.lines(account(1)).await, all[..4]);
    kit.append(&all).await;
    assert_eq!(kit.lines(account(1)).await, all);
}

/// One call takes more lines of several accounts than any service takes in one
/// call.
pub async fn hundreds_of_lines_are_written_at_once(kit: &HistoryKit) {
    let times: Vec<i64> = (0..130).map(|number| number / 3).collect();
    let accounts: Vec<_> = (1..=5).map(account).collect();
    let each: Vec<_> = accounts.iter().map(|key| lines(*key, &times)).collect();
    let mixed: Vec<_> = (0..times.len())
        .flat_map(|number| each.iter().map(move |lines| lines[number].clone()))
        .collect();
    kit.append(&mixed).await;
    for (account, lines) in accounts.iter().zip(&each) {
        assert_eq!(kit.lines(*account).await, *lines);
    }
}

/// The greatest and the least values of the types are stored.
pub async fn values_reach_the_ends_of_their_ranges(kit: &HistoryKit) {
    let mut all = lines(account(1), &[i64::MIN, -1, 0, i64::MAX]);
    let most = 99_999_999_999_999_999_999_999_999_999_999_999_999_i128;
    let codes = ["A_Z012345678", "EUR", "BTC", "ETH"];
    for (line, code) in all.iter_mut().zip(codes) {
        line.currency = Currency::new(code, 18).unwrap();
        line.code = u32::MAX;
        line.entry.amount = Amount::MAX;
        line.entry.version = i64::MAX;
        line.entry.leg = u16::MAX;
        line.reference = Some(Reference::new(&"é".repeat(64)).unwrap());
    }
    all[0].entry.balance_after = most;
    all[1].entry.balance_after = -most;
    all[1].entry.direction = Direction::Debit;
    all[2].entry.balance_after = 0;
    kit.append(&all).await;
    assert_eq!(kit.lines(account(1)).await, all);
    let head = HistoryHead {
        epoch: Epoch::FIRST,
        sequence: 4,
        at: Some(Timestamp::from_micros(i64::MAX)),
    };
    assert_eq!(kit.head(account(1)).await, head);
}

/// Rows are durable.
pub async fn rows_are_durable(kit: &HistoryKit) {
    let all = lines(account(1), &[10, 20, 30]);
    kit.append(&all[..2]).await;
    if !kit.reopen().await {
        return;
    }
    assert_eq!(kit.lines(account(1)).await, all[..2]);
    assert_eq!(kit.head(account(1)).await.sequence, 2);
    kit.append(&all[2..]).await;
    assert_eq!(kit.lines(account(1)).await, all);
}
