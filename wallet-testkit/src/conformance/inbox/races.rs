//! Several threads at once. The order is random, but the final state must hold.

use std::sync::{Arc, Barrier, Mutex};

use super::kit::{InboxKit, account, advance, first};
use wallet_core::ledger::Version;
use wallet_core::messaging::{Inbox, InboxStep};

const THREADS: usize = 4;
const ACCOUNTS: u8 = 8;
const STEPS: Version = 4;

/// Of concurrent equal steps exactly one is made: the first step of an account or a
/// later one, over two connections where possible.
pub async fn of_equal_steps_at_once_one_is_made(kit: &InboxKit) {
    let mut inboxes = vec![kit.inbox()];
    inboxes.extend(kit.another().await.map(|other| other.inbox()));
    let start = Barrier::new(THREADS);
    let made = Mutex::new(Vec::new());
    let work = async |inbox: Arc<dyn Inbox>| {
        start.wait();
        for number in 0..ACCOUNTS {
            for from in 0..STEPS {
                let account = account(number);
                let to = first(from + 1);
                let step = InboxStep {
                    account,
                    from: first(from),
                    to,
                };
                // Made or not, the position is past it now.
                if advance(inbox.as_ref(), "a", &step).await {
                    made.lock().unwrap().push((number, from));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let inbox = Arc::clone(&inboxes[thread % inboxes.len()]);
            let work = &work;
            scope.spawn(move || kit.factory().block_on(Box::pin(work(inbox))));
        }
    });
    let mut made = made.into_inner().unwrap();
    made.sort_unstable();
    let each = (0..ACCOUNTS).flat_map(|number| (0..STEPS).map(move |from| (number, from)));
    assert_eq!(made, each.collect::<Vec<_>>());
    for number in 0..ACCOUNTS {
        assert_eq!(kit.position("a", account(number)).await, STEPS);
    }
}
