//! Accounts: opening, status, limits.

use super::steps::{amount, at_home, eur, opened, owner};
use crate::testkit::Kit;
use crate::{Counters, Metadata, OpenAccount, Policy, Rejection, Status};

/// Everything that was said at the opening is there, at version 1 and zero.
pub async fn an_opened_account_reads_back_whole(kit: &Kit) {
    let metadata = Metadata::parse(r#"{"tier":"gold"}"#).unwrap();
    let command = OpenAccount::new(owner("ada"), eur())
        .with_policy(Policy::Overdraft(amount(500)))
        .with_max_balance(Some(amount(10_000)))
        .with_metadata(Some(metadata.clone()))
        .with_system(true);
    let answered = opened(&kit.accept(command).await);
    let read = kit.account(answered.state.key.id).await;
    assert_eq!(read, answered);
    assert_eq!(read.owner, owner("ada"));
    assert_eq!(read.metadata, Some(metadata));
    assert_eq!(read.state.currency, eur());
    assert_eq!(read.state.policy, Policy::Overdraft(amount(500)));
    assert_eq!(read.state.max_balance, Some(amount(10_000)));
    assert_eq!(read.state.status, Status::Active);
    assert_eq!(read.state.counters, Counters::default());
    assert_eq!((read.state.version, read.state.sequence), (1, 0));
    assert_eq!(read.state.last_at, read.created_at);
    assert!(read.state.system);
}

/// A second account under the same id is refused and changes nothing.
pub async fn an_id_that_is_taken_is_refused(kit: &Kit) {
    let id = kit.open("ada").await;
    let again = OpenAccount::new(owner("eve"), eur()).with_id(Some(id));
    assert_eq!(kit.refuse(again).await, Rejection::IdTaken);
    let account = kit.account_at(at_home(id)).await.unwrap();
    assert_eq!(account.owner, owner("ada"));
}
