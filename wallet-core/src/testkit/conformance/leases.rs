//! The lease on a partition: one owner at a time, and fencing.

use std::time::Duration;

use crate::testkit::Kit;

/// How long leases last here.
const TTL: Duration = Duration::from_secs(60);

/// While one owner holds the partition, another gets nothing.
pub async fn one_owner_at_a_time(kit: &Kit) {
    let outbox = kit.outbox();
    let lease = outbox.acquire(0, "a", TTL).await.unwrap().expect("free");
    assert_eq!((lease.partition, lease.owner.as_str()), (0, "a"));
    assert_eq!(outbox.acquire(0, "b", TTL).await.unwrap(), None);
}
