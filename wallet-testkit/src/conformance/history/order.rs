//! Cases of the order of rows, and of their links.

use super::kit::{HistoryKit, account, lines};
use wallet_core::history::{HistoryHead, HistoryQuery, HistoryRow};
use wallet_core::ledger::{AccountKey, Epoch, InLedger};
use wallet_core::store::Order;
use wallet_core::{LedgerId, Timestamp};

const fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn sequences(rows: &[HistoryRow]) -> Vec<i64> {
    rows.iter().map(|row| row.line.entry.sequence).collect()
}

/// Entries of one microsecond do not overwrite each other, and are ordered by
/// sequence.
pub async fn entries_of_one_microsecond_are_all_kept(kit: &HistoryKit) {
    let all = lines(account(1), &[7; 12]);
    kit.append(&all[..1]).await;
    kit.append(&all[1..5]).await;
    kit.append(&all[5..]).await;
    assert_eq!(kit.lines(account(1)).await, all);
}

/// Each row has the time of the previous one, across calls too.
pub async fn rows_are_linked_to_the_one_before(kit: &HistoryKit) {
    let all = lines(account(1), &[10, 20, 20, 40]);
    kit.append(&all[..1]).await;
    kit.append(&all[1..3]).await;
    kit.append(&all[3..]).await;
    let rows = kit.rows(account(1)).await;
    let links: Vec<_> = rows.iter().map(|row| row.previous_at).collect();
    assert_eq!(links, [None, Some(at(10)), Some(at(20)), Some(at(20))]);
}

/// `from` is inclusive and `to` is exclusive, in either order, before and after
/// the year 1970.
pub async fn both_orders_and_time_ranges(kit: &HistoryKit) {
    let times = [-300, -1, 0, 255, 256, 256, 65_536];
    kit.append(&lines(account(1), &times)).await;
    let bounds = [
        None,
        Some(-300),
        Some(-299),
        Some(0),
        Some(256),
        Some(65_536),
    ];
    for from in bounds {
        for to in bounds {
            let fits =
                |time: i64| from.is_none_or(|from| time >= from) && to.is_none_or(|to| time < to);
            let wanted = (1..).zip(times).filter(|(_, time)| fits(*time));
            let mut wanted: Vec<i64> = wanted.map(|(sequence, _)| sequence).collect();
            for order in [Order::Ascending, Order::Descending] {
                let query = HistoryQuery {
                    from: from.map(at),
                    to: to.map(at),
                    order,
                    ..HistoryQuery::first(account(1), 100)
                };
                let rows = kit.page(&query).await;
                assert_eq!(sequences(&rows), wanted, "{from:?} to {to:?}, {order:?}");
                wanted.reverse();
            }
        }
    }
}

/// One id in two ledgers is two accounts, and neighbouring accounts are separate.
pub async fn accounts_and_ledgers_are_apart(kit: &HistoryKit) {
    let ledgers = [0, 1, 256, u32::MAX].map(LedgerId::new);
    let keys: Vec<AccountKey> = ledgers
        .into_iter()
        .flat_map(|ledger| [0, 1, 255].map(|number| InLedger::new(ledger, account(number).id)))
        .collect();
    for (number, key) in (1_i64..).zip(&keys) {
        kit.append(&lines(*key, &[number, number + 1])).await;
    }
    for (number, key) in (1_i64..).zip(&keys) {
        let expected = lines(*key, &[number, number + 1]);
        assert_eq!(kit.lines(*key).await, expected, "{key}");
    }
}

/// Heads are in the order of the accounts, repeated as requested, and 0 for
/// accounts without rows.
pub async fn heads_come_in_the_order_asked(kit: &HistoryKit) {
    for number in [4, 1, 3] {
        let times: Vec<i64> = (0..i64::from(number)).collect();
        kit.append(&lines(account(number), &times)).await;
    }
    let asked = [3, 2, 4, 1, 3].map(account);
    let heads = kit.history().heads(&asked).await.unwrap();
    let head = |sequence: i64| HistoryHead {
        epoch: Epoch::FIRST,
        sequence,
        at: Some(at(sequence - 1)),
    };
    let none = HistoryHead::default();
    assert_eq!(heads, [head(3), none, head(4), head(1), head(3)]);
    assert_eq!(kit.history().heads(&[]).await.unwrap(), []);
}
