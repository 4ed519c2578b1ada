//! Cases of past balances, each with one request.

use super::kit::{HistoryKit, account, lines};
use wallet_core::history::balance_at;
use wallet_core::ledger::PastBalance;
use wallet_core::{Currency, Timestamp};

/// At every time around every entry, the balance is that after the last entry at or
/// before the time. Before the first entry there is none.
pub async fn a_past_balance_is_that_of_the_last_entry(kit: &HistoryKit) {
    let times = [-50, 10, 20, 20, 20, 31, 32, 90];
    let all = lines(account(1), &times);
    kit.append(&all[..4]).await;
    kit.append(&all[4..]).await;
    for at in -52..90 {
        let at = Timestamp::from_micros(at);
        let last = all.iter().rfind(|line| line.entry.created_at <= at);
        let expected = PastBalance {
            posted: last.map_or(0, |line| line.entry.balance_after),
            sequence: last.map_or(0, |line| line.entry.sequence),
            currency: Currency::iso("EUR").unwrap(),
        };
        let answer = balance_at(kit.history().as_ref(), account(1), at, &[]).await;
        assert_eq!(answer.unwrap(), Some(expected), "at {at}");
    }
}

/// After the last entry, only the ledger knows whether another one exists.
pub async fn nothing_is_said_beyond_the_end(kit: &HistoryKit) {
    kit.append(&lines(account(1), &[10, 20])).await;
    kit.append(&lines(account(2), &[10, 99])).await;
    for at in [20, 21, 98, i64::MAX - 1, i64::MAX] {
        let at = Timestamp::from_micros(at);
        let answer = balance_at(kit.history().as_ref(), account(1), at, &[]).await;
        assert_eq!(answer.unwrap(), None, "at {at}");
    }
    let answer = balance_at(kit.history().as_ref(), account(3), Timestamp::EPOCH, &[]).await;
    assert_eq!(answer.unwrap(), None);
}
