//! Several threads at once: the result does not depend on their order.

use std::sync::{Arc, Barrier};

use super::kit::{HistoryKit, account, append, lines};
use super::restores::{others, restore};
use wallet_core::history::{HistoryError, HistoryStore};

const THREADS: usize = 4;
/// The number of checks whether the other thread has begun.
const LOOKS: usize = 1_000;

/// Equal lines are written in pieces of different lengths, over two connections
/// where possible.
pub async fn equal_lines_written_at_once_are_written_once(kit: &HistoryKit) {
    let times: Vec<i64> = (0..120).map(|number| number / 2).collect();
    let all = [1, 2].map(|number| lines(account(number), &times));
    let mut histories = vec![kit.history()];
    histories.extend(kit.another().await.map(|other| other.history()));
    let start = Barrier::new(THREADS);
    let work = async |history: Arc<dyn HistoryStore>, piece: usize| {
        start.wait();
        for lines in &all {
            for lines in lines.chunks(piece) {
                append(history.as_ref(), lines, &[]).await;
            }
        }
    };
    std::thread::scope(|scope| {
        for (thread, piece) in (0..THREADS).zip([7, 30, 1, 120]) {
            let history = Arc::clone(&histories[thread % histories.len()]);
            let work = &work;
            scope.spawn(move || kit.factory().block_on(Box::pin(work(history, piece))));
        }
    });
    for (number, lines) in (1..).zip(&all) {
        assert_eq!(kit.lines(account(number)).await, *lines);
        assert_eq!(kit.head(account(number)).await.sequence, 120);
    }
    let rows = kit.rows(account(1)).await;
    let links: Vec<_> = rows.iter().skip(1).map(|row| row.previous_at).collect();
    let times: Vec<_> = rows
        .iter()
        .map(|row| Some(row.line.entry.created_at))
        .collect();
    assert_eq!(links, times[..times.len() - 1]);
}

/// A writer that does not know of a restore continues while another one supersedes
/// and writes the new entries. In the end only the new entries are read.
pub async fn a_writer_of_before_a_restore_leaves_nothing_that_is_read(kit: &HistoryKit) {
    let times: Vec<i64> = (0..120).collect();
    let lost = lines(account(1), &times);
    let restores = [restore(2, 9)];
    // The times are equal in part.
    let times: Vec<i64> = (0..120).map(|number| number + number / 50).collect();
    let new = others(2, 11, &times);
    kit.append(&lost[..10]).await;
    let other = kit.another().await;
    let other = other.map_or_else(|| kit.history(), |other| other.history());
    let start = Barrier::new(2);
    let before = async |history: Arc<dyn HistoryStore>| {
        start.wait();
        for lines in lost[10..].chunks(3) {
            match history.append(lines, &[]).await {
                Ok(()) => {}
                // The writer must read the ledger again.
                Err(HistoryError::Epoch { .. }) => return,
                Err(error) => panic!("the history failed: {error}"),
            }
        }
    };
    let after = async |history: Arc<dyn HistoryStore>| {
        start.wait();
        // Starts when the other thread has begun.
        for _ in 0..LOOKS {
            let heads = history.heads(&[account(1)]).await.unwrap();
            if heads[0].sequence > 10 {
                break;
            }
            std::thread::yield_now();
        }
        let done = history.supersede(&[account(1)], &restores).await;
        done.unwrap();
        for lines in new.chunks(3) {
            append(history.as_ref(), lines, &restores).await;
        }
    };
    std::thread::scope(|scope| {
        let history = kit.history();
        scope.spawn(|| kit.factory().block_on(Box::pin(before(history))));
        scope.spawn(|| kit.factory().block_on(Box::pin(after(other))));
    });
    let due = [&lost[..10], &new].concat();
    assert_eq!(kit.lines_after(&restores, account(1)).await, due);
    assert_eq!(kit.head(account(1)).await.sequence, 120);
}
