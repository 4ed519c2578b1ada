//! Cases of a ledger that was restored to an earlier state.

use super::kit::{HistoryKit, account, lines};
use wallet_core::history::{
    HistoryError, HistoryHead, HistoryLine, HistoryQuery, ReferenceHistoryQuery, balance_at,
};
use wallet_core::ledger::{Epoch, InLedger, Restore};
use wallet_core::store::Order;
use wallet_core::{Amount, LedgerId, Reference, Timestamp, TransferId};

const fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn epoch(number: u64) -> Epoch {
    Epoch::new(number).unwrap()
}

/// The restore that began an epoch.
pub(super) fn restore(number: u64, restored_to: i64) -> Restore {
    Restore {
        epoch: epoch(number),
        restored_to: at(restored_to),
    }
}

/// Other entries of an account, written in an epoch, from `first` on.
pub(super) fn others(number: u64, first: usize, times: &[i64]) -> Vec<HistoryLine> {
    let mut others = lines(account(1), times).split_off(first - 1);
    for line in &mut others {
        line.entry.epoch = epoch(number);
        let mut transfer = *line.entry.transfer.as_bytes();
        transfer[8..10].copy_from_slice(&[0xEE, u8::try_from(number).unwrap()]);
        line.entry.transfer = TransferId::from_bytes(transfer);
        line.entry.amount = Amount::new(i128::from(number)).unwrap();
    }
    others
}

fn head(number: u64, sequence: i64, micros: i64) -> HistoryHead {
    HistoryHead {
        epoch: epoch(number),
        sequence,
        at: Some(at(micros)),
    }
}

async fn of_transfer(kit: &HistoryKit, restores: &[Restore], line: &HistoryLine) -> usize {
    let key = InLedger::new(line.entry.account.ledger, line.entry.transfer);
    let rows = kit.history().of_transfer(key, restores).await;
    rows.unwrap().len()
}

/// Rows after the restored time stay, and only `superseded` returns them: no read
/// by account, time, transfer or reference does. The head goes back to the last row
/// before them.
pub async fn what_is_in_doubt_is_kept_and_not_read(kit: &HistoryKit) {
    let mut all = lines(account(1), &[10, 20, 30, 40, 50]);
    for line in &mut all {
        line.reference = Some(Reference::new("order").unwrap());
    }
    kit.append(&all).await;
    let other = lines(account(2), &[10, 60]);
    kit.append(&other).await;
    assert_eq!(kit.head(account(1)).await, head(1, 5, 50));
    let restores = [restore(2, 30)];
    kit.supersede(account(1), &restores).await;
    assert_eq!(kit.head(account(1)).await, head(2, 3, 30));
    assert_held(kit, &restores, &all, 3).await;
    // Other accounts are unchanged.
    assert_eq!(kit.lines(account(2)).await, other);
    assert_eq!(kit.head(account(2)).await, head(1, 2, 60));
}

/// Checks that only the first lines of an account, all of one reference, are read
/// after restores, and that the rest is still stored.
async fn assert_held(kit: &HistoryKit, restores: &[Restore], all: &[HistoryLine], held: usize) {
    assert_eq!(kit.lines_after(restores, account(1)).await, all[..held]);
    assert_eq!(kit.superseded(restores, account(1)).await, all[held..]);
    for (number, line) in all.iter().enumerate() {
        let found = of_transfer(kit, restores, line).await;
        assert_eq!(found, usize::from(number < held), "entry {number}");
    }
    let name = all[0].reference.clone().unwrap();
    let query = ReferenceHistoryQuery::first(LedgerId::default(), name, 9);
    let history = kit.history();
    let found = history.of_reference(&query, restores).await.unwrap().rows;
    let found: Vec<_> = found.into_iter().map(|row| row.line).collect();
    assert_eq!(found, all[..held]);
    let last = all[held].entry.created_at;
    let before = Timestamp::from_micros(last.as_micros() - 1);
    let answer = balance_at(history.as_ref(), account(1), before, restores).await;
    assert_eq!(answer.unwrap(), None, "from a row that is in doubt");
}

/// A reader that knows of a restore gets no row in doubt, even before the rows are
/// superseded. Rows of accounts that the restore lost are never superseded.
pub async fn nothing_in_doubt_is_read_before_it_is_superseded(kit: &HistoryKit) {
    let mut all = lines(account(1), &[10, 20, 30, 40]);
    for line in &mut all {
        line.reference = Some(Reference::new("order").unwrap());
    }
    kit.append(&all).await;
    assert_held(kit, &[restore(2, 25), restore(3, 30)], &all, 2).await;
    assert_held(kit, &[restore(3, 30)], &all, 3).await;
    assert_eq!(kit.lines(account(1)).await, all);
    assert_eq!(kit.head(account(1)).await, head(1, 4, 40));
}

/// New entries take the sequences of lost ones, at other times and at the same.
pub async fn other_entries_take_the_place_of_lost_ones(kit: &HistoryKit) {
    let restores = [restore(2, 20)];
    let all = lines(account(1), &[10, 20, 30, 40, 50]);
    kit.append(&all).await;
    kit.supersede(account(1), &restores).await;
    let new = others(2, 3, &[10, 20, 30, 45, 45, 60]);
    kit.append_after(&restores, &new[..2]).await;
    kit.append_after(&restores, &new).await;
    let due = [&all[..2], &new].concat();
    assert_eq!(kit.lines_after(&restores, account(1)).await, due);
    assert_eq!(kit.superseded(&restores, account(1)).await, all[2..]);
    assert_eq!(kit.head(account(1)).await, head(2, 6, 60));
    let query = HistoryQuery::first(account(1), 9);
    let rows = kit.history().page(&query, &restores).await.unwrap().rows;
    let links: Vec<_> = rows.iter().map(|row| row.previous_at).collect();
    assert_eq!(
        links,
        [
            None,
            Some(at(10)),
            Some(at(20)),
            Some(at(30)),
            Some(at(45)),
            Some(at(45))
        ]
    );
    let known: Vec<u64> = rows.iter().map(|row| row.known_in.number()).collect();
    assert_eq!(known, [1, 1, 2, 2, 2, 2]);
    for micros in 20..30 {
        let answer = balance_at(kit.history().as_ref(), account(1), at(micros), &restores).await;
        let answer = answer.unwrap().map(|answer| answer.sequence);
        assert_eq!(answer, Some(2), "at {micros}");
    }
    let newest = HistoryQuery {
        order: Order::Descending,
        ..HistoryQuery::first(account(1), 5)
    };
    let newest = kit.history().page(&newest, &restores).await.unwrap().rows;
    let newest: Vec<_> = newest.into_iter().map(|row| row.line).rev().collect();
    assert_eq!(newest, due[1..]);
}

/// If the restored time was too early, the same entries are appended again. Each is
/// read once.
pub async fn what_the_books_still_hold_comes_again_once(kit: &HistoryKit) {
    let all = lines(account(1), &[10, 20, 30, 40]);
    kit.append(&all).await;
    let restores = [restore(2, 15), restore(3, 25)];
    for known in [1, 2] {
        let restores = &restores[..known];
        kit.supersede(account(1), restores).await;
        assert_eq!(kit.lines_after(restores, account(1)).await, all[..known]);
        kit.append_after(restores, &all[known..]).await;
        kit.append_after(restores, &all).await;
        assert_eq!(kit.lines_after(restores, account(1)).await, all);
        for line in &all {
            assert_eq!(of_transfer(kit, restores, line).await, 1);
        }
    }
    assert_eq!(kit.superseded(&restores, account(1)).await, all[1..]);
    assert_eq!(kit.head(account(1)).await, head(3, 4, 40));
}

/// Superseding is idempotent, also with an earlier restore.
pub async fn superseding_twice_is_superseding_once(kit: &HistoryKit) {
    let restores = [restore(2, 40), restore(3, 20)];
    let all = lines(account(1), &[10, 20, 30]);
    kit.append(&all).await;
    kit.supersede(account(1), &restores).await;
    let new = others(3, 3, &[10, 20, 50, 60]);
    kit.append_after(&restores, &new).await;
    let due = [&all[..2], &new].concat();
    for again in [&restores[..], &restores[..1], &[]] {
        kit.supersede(account(1), again).await;
        assert_eq!(kit.lines_after(&restores, account(1)).await, due);
        assert_eq!(kit.head(account(1)).await, head(3, 4, 60));
    }
}

fn assert_epochs(error: &HistoryError, numbers: (u64, u64)) {
    match error {
        HistoryError::Epoch {
            account: of,
            history,
            writer,
        } => {
            let answer = (*of, history.number(), writer.number());
            assert_eq!(answer, (account(1), numbers.0, numbers.1));
        }
        other => panic!("epochs are not distinguished, but {other}"),
    }
}

/// A writer with an earlier or later epoch than history writes nothing. A line of a
/// later epoch than its writer's is refused.
pub async fn writers_of_another_epoch_are_refused(kit: &HistoryKit) {
    let restores = [restore(2, 20)];
    let all = lines(account(1), &[10, 20, 30, 40]);
    kit.append(&all[..3]).await;
    let new = others(2, 3, &[10, 20, 50]);
    assert_epochs(&kit.refused_after(&restores, &new).await, (1, 2));
    assert_eq!(kit.lines(account(1)).await, all[..3]);
    kit.supersede(account(1), &restores).await;
    assert_epochs(&kit.refused(&all[2..]).await, (2, 1));
    assert_epochs(&kit.refused(&all[..1]).await, (2, 1));
    kit.append_after(&restores, &new).await;
    assert_epochs(&kit.refused(&all[3..]).await, (2, 1));
    let due = [&all[..2], &new].concat();
    assert_eq!(kit.lines_after(&restores, account(1)).await, due);
    let early = kit.refused(&others(2, 1, &[10])).await;
    assert!(matches!(early, HistoryError::Store(_)), "{early}");
}

/// The same backup is restored twice. Entries after the first restore are lost,
/// though they are before the time of the second.
pub async fn an_epoch_that_a_later_restore_forgot_is_superseded(kit: &HistoryKit) {
    let all = lines(account(1), &[10, 20, 30, 40]);
    kit.append(&all).await;
    let first = [restore(2, 20)];
    kit.supersede(account(1), &first).await;
    let forgotten = others(2, 3, &[10, 20, 25, 36]);
    kit.append_after(&first, &forgotten).await;
    let second = [restore(3, 30)];
    kit.supersede(account(1), &second).await;
    assert_eq!(kit.head(account(1)).await, head(3, 2, 20));
    // The backup held the entry of 30, which may be read before it is appended
    // again.
    let read = kit.lines_after(&second, account(1)).await;
    assert!(all[..3].starts_with(&read), "{read:?}");
    kit.append_after(&second, &all[2..3]).await;
    assert_eq!(kit.lines_after(&second, account(1)).await, all[..3]);
    assert_eq!(kit.superseded(&second, account(1)).await.len(), 3);
}

/// A writer with an earlier epoch cannot start the history of such an account.
pub async fn accounts_without_rows_are_noted_too(kit: &HistoryKit) {
    let restores = [restore(2, 20)];
    kit.supersede(account(1), &restores).await;
    let none = HistoryHead {
        epoch: epoch(2),
        ..HistoryHead::default()
    };
    assert_eq!(kit.head(account(1)).await, none);
    let all = lines(account(1), &[10, 30]);
    assert_epochs(&kit.refused(&all).await, (2, 1));
    assert_eq!(kit.lines(account(1)).await, []);
    kit.append_after(&restores, &all).await;
    assert_eq!(kit.lines_after(&restores, account(1)).await, all);
    // An account without any record accepts any epoch.
    let other = lines(account(2), &[10, 30]);
    kit.append_after(&restores, &other).await;
    assert_eq!(kit.head(account(2)).await, head(2, 2, 30));
    // A restore may lose a whole account.
    let restores = [restore(2, 20), restore(3, 5)];
    kit.supersede(account(2), &restores).await;
    assert_eq!(kit.lines_after(&restores, account(2)).await, []);
    assert_eq!(kit.head(account(2)).await.sequence, 0);
    assert_eq!(kit.superseded(&restores, account(2)).await, other);
}

/// Many superseded rows are between two valid ones, and no page ends at them.
pub async fn pages_run_on_past_superseded_rows(kit: &HistoryKit) {
    let name = Reference::new("order").unwrap();
    let named = |mut lines: Vec<HistoryLine>| {
        for line in &mut lines {
            line.reference = Some(name.clone());
        }
        lines
    };
    let times: Vec<i64> = (0..300).collect();
    let all = named(lines(account(1), &times));
    kit.append(&all).await;
    let restores = [restore(2, 4)];
    kit.supersede(account(1), &restores).await;
    let times = [0, 1, 2, 3, 4, 4_000, 4_001];
    let new = named(others(2, 6, &times));
    kit.append_after(&restores, &new).await;
    let due = [&all[..5], &new].concat();
    for order in [Order::Ascending, Order::Descending] {
        for limit in [1, 2, 7, 8] {
            let mut query = HistoryQuery::first(account(1), limit);
            query.order = order;
            let mut found = Vec::new();
            loop {
                let page = kit.history().page(&query, &restores).await.unwrap();
                if page.rows.is_empty() {
                    break;
                }
                found.extend(page.rows.into_iter().map(|row| row.line));
                query.cursor = page.next;
            }
            if order == Order::Descending {
                found.reverse();
            }
            assert_eq!(found, due, "{order:?}, {limit} a page");
        }
    }
    let mut query = ReferenceHistoryQuery::first(LedgerId::default(), name.clone(), 4);
    let mut found = Vec::new();
    loop {
        let page = kit.history().of_reference(&query, &restores).await.unwrap();
        if page.rows.is_empty() {
            break;
        }
        found.extend(page.rows.into_iter().map(|row| row.line));
        query.cursor = page.next;
    }
    assert_eq!(found, due);
    assert_eq!(kit.superseded(&restores, account(1)).await, all[5..]);
}

/// The record of a restore is durable.
pub async fn restores_are_durable(kit: &HistoryKit) {
    let restores = [restore(2, 10)];
    let all = lines(account(1), &[10, 20, 30]);
    kit.append(&all).await;
    kit.supersede(account(1), &restores).await;
    if !kit.reopen().await {
        return;
    }
    assert_eq!(kit.lines_after(&restores, account(1)).await, all[..1]);
    assert_eq!(kit.superseded(&restores, account(1)).await, all[1..]);
    assert_epochs(&kit.refused(&all).await, (2, 1));
    kit.append_after(&restores, &all[1..]).await;
    assert_eq!(kit.lines_after(&restores, account(1)).await, all);
}
