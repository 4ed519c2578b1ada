//! The outbox rows of a commit.

use super::steps::{deposit, open_rows, refusal, request, transfer};
use crate::StoreKit;
use crate::store_kit::{fresh, replayed};
use wallet_core::store::{RowId, codec};
use wallet_core::{ChangeStatus, Command, LedgerId, Outcome, Request, Status};

impl StoreKit {
    /// The ids and the outcomes of the open rows, in order.
    async fn published(&self) -> (Vec<RowId>, Vec<(LedgerId, Outcome)>) {
        let rows = open_rows(self.outbox().as_ref()).await;
        let ids = rows.iter().map(|row| row.id).collect();
        let outcomes = rows
            .iter()
            .flat_map(|row| codec::decode_outbox(&row.payload).expect("a readable row"));
        (ids, outcomes.collect())
    }
}

/// A batch leaves one row with exactly its committed outcomes, in the order of
/// their decisions.
pub async fn a_batch_leaves_its_outcomes_in_the_outbox(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let (before, _) = kit.published().await;
    let commands: [Command; 3] = [
        transfer(ada, bob, 30).into(),
        transfer(bob, ada, 10).into(),
        ChangeStatus::new(bob, Status::Frozen).into(),
    ];
    let batch = commands.map(|command| kit.prepare(Request::new(kit.fresh_key(), command)));
    let committed = kit.transact(batch.to_vec()).await;
    let committed = committed.into_iter().map(fresh);
    let home = LedgerId::default();
    let right: Vec<_> = committed
        .map(|outcome| (home, (*outcome).clone()))
        .collect();
    let (rows, published) = kit.published().await;
    assert_eq!(rows.len(), before.len() + 1, "one row for the batch");
    assert_eq!(rows[..before.len()], before);
    assert!(rows.is_sorted());
    assert_eq!(published[published.len() - 3..], right);
}

/// Refusals and replays leave no row, and are in none.
pub async fn refusals_and_replays_leave_nothing(kit: &StoreKit) {
    let (ada, bob) = (kit.open("ada").await, kit.open("bob").await);
    let pay = |minor| transfer(ada, bob, minor);
    let before = kit.published().await;
    refusal(&fresh(kit.submit(request("no", pay(1))).await));
    replayed(kit.submit(request("no", pay(1))).await);
    assert_eq!(kit.published().await, before);
    let accepted = fresh(kit.submit(request("yes", deposit(ada, 100))).await);
    let after = kit.published().await;
    assert_eq!(
        after.1.last(),
        Some(&(LedgerId::default(), (*accepted).clone()))
    );
    replayed(kit.submit(request("yes", deposit(ada, 100))).await);
    assert_eq!(kit.published().await, after);
    let batch = [
        request("yes", deposit(ada, 100)),
        request("too much", pay(101)),
        request("pay", pay(60)),
        request("too much again", pay(41)),
    ];
    let batch = batch.map(|request| kit.prepare(request));
    let decided = kit.transact(batch.to_vec()).await;
    let paid = fresh(decided.into_iter().nth(2).unwrap());
    let (rows, published) = kit.published().await;
    assert_eq!(rows.len(), after.0.len() + 1);
    assert_eq!(
        published[after.1.len()..],
        [(LedgerId::default(), (*paid).clone())]
    );
}

/// A change without an effect leaves no event. Every effect leaves one.
pub async fn every_effect_leaves_an_event(kit: &StoreKit) {
    let ada = kit.open("ada").await;
    let (rows, published) = kit.published().await;
    assert_eq!(
        (rows.len(), published.len()),
        (1, 1),
        "the opening is an event"
    );
    kit.accept(ChangeStatus::new(ada, Status::Active)).await;
    let effects = kit.published().await.1;
    let effects = effects.iter();
    let effects =
        effects.flat_map(|(ledger, outcome)| wallet_core::verify::effects_of(*ledger, outcome));
    assert_eq!(effects.count(), 1, "no change, no event");
    kit.accept(ChangeStatus::new(ada, Status::Frozen)).await;
    let published = kit.published().await.1;
    let effects = published
        .iter()
        .flat_map(|(ledger, outcome)| wallet_core::verify::effects_of(*ledger, outcome));
    let versions: Vec<_> = effects.map(|(_, version)| version).collect();
    assert_eq!(versions, [1, 2]);
}

/// Rows have their ledger, and are durable.
pub async fn events_are_durable_and_know_their_ledger(kit: &StoreKit) {
    let far = LedgerId::new(u32::MAX);
    let open = wallet_core::OpenAccount::new(super::steps::owner("ada"), super::steps::eur());
    let elsewhere = Request::new(kit.fresh_key(), open).in_ledger(far);
    let outcome = fresh(kit.submit(elsewhere).await);
    kit.reopen().await;
    let published = kit.published().await.1;
    assert_eq!(published, [(far, (*outcome).clone())]);
    kit.open_with("bob", 5).await;
    let (rows, published) = kit.published().await;
    assert!(rows.is_sorted() && rows.len() == 3);
    let ledgers: Vec<_> = published.iter().map(|(ledger, _)| *ledger).collect();
    assert_eq!(ledgers, [far, LedgerId::default(), LedgerId::default()]);
}
