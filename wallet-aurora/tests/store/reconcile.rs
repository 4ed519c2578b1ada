//! The findings of a reconciliation of the books on a server.

use wallet_core::verify::reconcile::{Difference, Reconciler};
use wallet_core::{HoldId, PlaceHold};
use wallet_test_servers::Kind;

use crate::support::books::{
    accepted, account, account_key, commit, euros, id, open, prepare, set_up,
};
use crate::support::{Database, on_both};

on_both! {
    held_money_that_the_account_does_not_say_is_found
}

async fn held_money_that_the_account_does_not_say_is_found(kind: Kind) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 1_000).await;
    let hold = PlaceHold::new(account(0), account(1), euros(100));
    let hold = hold.with_id(HoldId::from_bytes(id(1)));
    accepted(&commit(&store, vec![prepare("hold", hold)]).await[0]);
    let reconciler = Reconciler::new(&store);
    let report = reconciler.run(&mut |_| ()).await.unwrap();
    assert_eq!(report.differences, []);

    database
        .execute("UPDATE wallet_account SET debits_pending = 0 WHERE debits_pending = 100")
        .await;
    let report = reconciler.run(&mut |_| ()).await.unwrap();
    let [Difference::PendingWrong { sums }] = report.differences.as_slice() else {
        panic!("{:?}", report.differences);
    };
    assert_eq!(sums.account, account_key(0));
    assert_eq!((sums.debits_pending, sums.debits_held), (0, 100));
    assert_eq!(sums.holds, 1);
}
