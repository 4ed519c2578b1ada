//! Cases of paging while others write.

use super::kit::{HistoryKit, account, lines};
use wallet_core::Timestamp;
use wallet_core::history::HistoryQuery;
use wallet_core::store::{Order, StoreErrorKind};

/// The limit holds, a limit of 0 returns nothing, and the end is an empty page with
/// the cursor of the previous page.
pub async fn pages_end_at_their_limit(kit: &HistoryKit) {
    let all = lines(account(1), &[10, 20, 20, 20, 50]);
    kit.append(&all).await;
    for order in [Order::Ascending, Order::Descending] {
        for limit in 1..=6 {
            let mut query = HistoryQuery::first(account(1), limit);
            query.order = order;
            let mut found = Vec::new();
            loop {
                let page = kit.history().page(&query, &[]).await.unwrap();
                assert!(page.rows.len() <= usize::try_from(limit).unwrap());
                if page.rows.is_empty() {
                    assert_eq!(page.next, query.cursor);
                    break;
                }
                found.extend(page.rows.into_iter().map(|row| row.line));
                assert_ne!(page.next, query.cursor);
                query.cursor = page.next;
            }
            if order == Order::Descending {
                found.reverse();
            }
            assert_eq!(found, all, "{order:?}, {limit} a page");
        }
    }
    let none = kit
        .history()
        .page(&HistoryQuery::first(account(1), 0), &[])
        .await;
    let none = none.unwrap();
    assert_eq!((none.rows.len(), none.next), (0, None));
    let nobody = kit
        .history()
        .page(&HistoryQuery::first(account(9), 5), &[])
        .await;
    assert_eq!(nobody.unwrap().next, None);
}

/// Rows that are written after a cursor come next. Rows before it never come again.
pub async fn cursors_survive_new_writes(kit: &HistoryKit) {
    let all = lines(account(1), &[10, 20, 20, 20, 50, 50]);
    kit.append(&all[..3]).await;
    let query = HistoryQuery::first(account(1), 2);
    let first = kit.history().page(&query, &[]).await.unwrap();
    let newest = HistoryQuery {
        order: Order::Descending,
        ..query.clone()
    };
    let down = kit.history().page(&newest, &[]).await.unwrap();
    kit.append(&all[3..]).await;
    // As text, as a remote caller sends it back.
    let text = first.next.unwrap().to_string();
    let query = HistoryQuery {
        cursor: Some(text.parse().unwrap()),
        limit: 10,
        ..query
    };
    let rest = kit.page(&query).await.into_iter().map(|row| row.line);
    assert_eq!(rest.collect::<Vec<_>>(), all[2..]);
    let newest = HistoryQuery {
        cursor: down.next,
        ..newest
    };
    let rest = kit.page(&newest).await.into_iter().map(|row| row.line);
    assert_eq!(rest.collect::<Vec<_>>(), all[..1]);
    // Times still bound the rows after a cursor.
    let query = HistoryQuery {
        to: Some(Timestamp::from_micros(50)),
        ..query
    };
    let rest = kit.page(&query).await.into_iter().map(|row| row.line);
    assert_eq!(rest.collect::<Vec<_>>(), all[2..4]);
}

/// A cursor is valid only for its own query.
pub async fn cursors_of_another_query_are_refused(kit: &HistoryKit) {
    kit.append(&lines(account(1), &[10, 20])).await;
    let query = HistoryQuery::first(account(1), 1);
    let cursor = kit.history().page(&query, &[]).await.unwrap().next;
    let other = HistoryQuery {
        cursor: cursor.clone(),
        ..HistoryQuery::first(account(2), 1)
    };
    let down = HistoryQuery {
        cursor,
        order: Order::Descending,
        ..query
    };
    for query in [other, down] {
        let refused = kit.history().page(&query, &[]).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Invalid);
    }
}

/// One page holds more rows than one answer of a service does.
pub async fn long_pages_are_whole(kit: &HistoryKit) {
    let times: Vec<i64> = (0..6_000).collect();
    let all = lines(account(1), &times);
    for part in all.chunks(1_500) {
        kit.append(part).await;
    }
    assert_eq!(kit.lines(account(1)).await, all);
}
