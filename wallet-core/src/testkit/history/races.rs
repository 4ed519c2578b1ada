//! Several threads at once: whoever comes first, the same is written.

use std::sync::{Arc, Barrier};

use super::HistoryKit;
use super::kit::{account, append, lines};
use crate::HistoryStore;

const THREADS: usize = 4;

/// Equal lines in pieces of different lengths; over two connections too, where
/// there can be two.
pub async fn equal_lines_written_at_once_are_written_once(kit: &HistoryKit) {
    let times: Vec<i64> = (0..120).map(|number| number / 2).collect();
    let all = [1, 2].map(|number| lines(account(number), &times));
    let mut histories = vec![kit.history()];
    histories.extend(kit.another().await);
    let start = Barrier::new(THREADS);
    let work = async |history: Arc<dyn HistoryStore>, piece: usize| {
        start.wait();
        for lines in &all {
            for lines in lines.chunks(piece) {
                append(history.as_ref(), lines).await;
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
