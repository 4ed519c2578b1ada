//! Entries go from the ledger into history, are exported as lines, and expire.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use wallet_core::history::{Backfill, Export, HistoryQuery, HistoryStore};
use wallet_core::ledger::{AccountKey, InLedger};
use wallet_core::memory::MemoryStore;
use wallet_core::runtime::Clock;
use wallet_core::verify::reconcile::Reconciler;
use wallet_core::{
    AccountId, Currency, IdempotencyKey, LedgerId, Leg, Money, OpenAccount, Owner, Policy,
    PostTransfer, Request, Timestamp, Wallet,
};
use wallet_testkit::ManualClock;

use crate::support::{Place, block_on};

fn id(number: u8) -> AccountId {
    AccountId::from_bytes([number; 16])
}

fn key(number: u8) -> AccountKey {
    InLedger::new(LedgerId::default(), id(number))
}

async fn submit(wallet: &Wallet, name: &str, command: impl Into<wallet_core::Command>) {
    let key = IdempotencyKey::parse("test", name).unwrap();
    let answer = wallet.submit_raw(Request::new(key, command)).await.unwrap();
    answer.accepted().unwrap();
}

/// Imitates the service, which removes expired rows at some time.
async fn let_go(place: &Place, now: Timestamp) -> usize {
    let seconds = now.as_micros() / 1_000_000;
    let found = place.client.scan().table_name(&place.table);
    let found = found
        .filter_expression("ends < :now")
        .expression_attribute_values(":now", AttributeValue::N(seconds.to_string()));
    let items = found.send().await.unwrap().items.unwrap_or_default();
    for item in &items {
        let delete = place.client.delete_item().table_name(&place.table);
        let delete = delete.key("pk", item["pk"].clone());
        delete.key("sk", item["sk"].clone()).send().await.unwrap();
    }
    items.len()
}

#[test]
fn what_was_exported_expires_and_all_is_answered_as_before() {
    block_on(Box::pin(async {
        let place = Place::new().await;
        let history = place.history(place.settings());
        let clock = Arc::new(ManualClock::default());
        let ledger = Arc::new(MemoryStore::new(clock.clone()));
        let wallet = Wallet::builder(ledger.clone()).clock(clock.clone());
        let wallet = wallet.history(history.clone()).spawn().unwrap();
        let eur = Currency::iso("EUR").unwrap();
        for number in [1, 2] {
            let open = OpenAccount::new(Owner::new("ada").unwrap(), eur).with_id(id(number));
            let open = open.with_policy(Policy::Unlimited);
            submit(&wallet, &format!("open-{number}"), open).await;
        }
        let mut times = Vec::new();
        for number in 0..10 {
            clock.advance(Duration::from_secs(60));
            let one = Money::minor(100 + number, eur).unwrap();
            let pay = PostTransfer::new(vec![Leg::new(id(1), id(2), one)]);
            submit(&wallet, &format!("pay-{number}"), pay).await;
            times.push(clock.now());
        }
        let backfill = Backfill::new(&*history, &*ledger);
        backfill.run(&mut |_| ()).await.unwrap();
        let query = HistoryQuery::first(key(1), 20);
        let whole = wallet.statement(&query).await.unwrap();
        let balance = wallet.balance_at(key(1), times[2]).await.unwrap();
        assert_eq!(wallet.stats().history_answers, 2);

        // First all but the last three entries of each account expire, then all but the
        // last.
        let ends = clock.now().saturating_add(Duration::from_secs(60));
        let mut out = Vec::new();
        let export = Export::new(&*history, &*ledger, times[7]).expiring_at(ends);
        let report = export.run(&mut out, &mut |_| ()).await.unwrap();
        assert_eq!((report.accounts, report.lines), (2, 14));
        let lines: Vec<Value> = String::from_utf8(out)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 14);
        let of_one = lines.iter().filter(|l| l["account"] == id(1).to_string());
        let found: Vec<(i64, &str)> = of_one
            .map(|l| {
                (
                    l["sequence"].as_i64().unwrap(),
                    l["amount"].as_str().unwrap(),
                )
            })
            .collect();
        let due = ["1.00", "1.01", "1.02", "1.03", "1.04", "1.05", "1.06"];
        assert_eq!(found, (1..).zip(due).collect::<Vec<_>>());

        // No row expires early.
        assert_eq!(let_go(&place, clock.now()).await, 0);
        let rows = history.page(&query, &[]).await.unwrap().rows;
        assert_eq!(rows.len(), 10);
        clock.advance(Duration::from_secs(120));
        assert_eq!(let_go(&place, clock.now()).await, 14);
        let rows = history.page(&query, &[]).await.unwrap().rows;
        let left: Vec<i64> = rows.iter().map(|row| row.line.entry.sequence).collect();
        assert_eq!(left, [8, 9, 10]);

        // The caller sees no difference: the ledger answers for expired rows of history.
        assert_eq!(wallet.statement(&query).await.unwrap(), whole);
        assert_eq!(wallet.balance_at(key(1), times[2]).await.unwrap(), balance);
        assert_eq!(wallet.stats().history_misses, 2);
        let recent = HistoryQuery {
            from: Some(times[8]),
            ..query.clone()
        };
        assert_eq!(wallet.statement(&recent).await.unwrap().entries.len(), 2);
        assert_eq!(wallet.stats().history_answers, 3);

        // The last row of an account never expires, however late the call is.
        let late = clock.now().saturating_add(Duration::from_secs(9));
        let export = Export::new(&*history, &*ledger, late).expiring_at(clock.now());
        let report = export.run(&mut Vec::new(), &mut |_| ()).await.unwrap();
        assert_eq!(report.lines, 4);
        clock.advance(Duration::from_secs(120));
        assert_eq!(let_go(&place, clock.now()).await, 4);
        let rows = history.page(&query, &[]).await.unwrap().rows;
        assert_eq!(rows.len(), 1);

        // History continues after the last row. Expired rows count as no difference.
        clock.advance(Duration::from_secs(60));
        let pay = PostTransfer::new(vec![Leg::new(id(1), id(2), Money::minor(5, eur).unwrap())]);
        submit(&wallet, "more", pay).await;
        let filled = backfill.run(&mut |_| ()).await.unwrap();
        assert_eq!((filled.written, filled.held), (2, 20));
        let reconciler = Reconciler::new(&*ledger).with_history(&*history);
        let reconciler = reconciler.with_expired_before(late);
        let report = reconciler.run(&mut |_| ()).await.unwrap();
        assert_eq!(report.differences, []);
        let tally = report.history.unwrap();
        assert_eq!((tally.same, tally.expired, tally.behind), (4, 18, 0));
    }));
}
