//! The model and the ledger agree that a sweep that is too early is not recorded.
//! Its key is that of the hold, so a record would be its answer for ever.

use std::sync::Arc;
use std::time::Duration;

use wallet_core::ledger::{Decided, HoldKey, HoldStatus, SettlementShards};
use wallet_core::memory::MemoryStore;
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::store::LedgerStore;
use wallet_core::{
    AccountId, Command, Currency, HoldId, IdempotencyKey, LedgerId, Money, OpenAccount, Owner,
    PlaceHold, Policy, Request,
};
use wallet_testkit::model::{Expected, Model};
use wallet_testkit::{ManualClock, SeededIds, block_on};

const LIFE: Duration = Duration::from_secs(10);

/// The ledger and the model beside it.
struct Both {
    clock: Arc<ManualClock>,
    store: MemoryStore,
    model: Model,
}

impl Both {
    /// The common answer of both.
    fn decide(&mut self, request: PreparedRequest) -> Expected {
        let request = Arc::new(request);
        let now = self.store.shared().now();
        let expected = self.model.decide(&request, now);
        let batch = Arc::new(Batch::new(vec![request]));
        let committed = block_on(self.store.transact(batch)).unwrap();
        let found = match &committed.decided[0] {
            Decided::Fresh(outcome) => Expected::Fresh((**outcome).clone()),
            Decided::Replayed(outcome) => Expected::Replayed((**outcome).clone()),
            Decided::ClockBehind { ahead_micros } => Expected::ClockBehind(*ahead_micros),
            other => panic!("{other:?}"),
        };
        assert_eq!(found, expected, "the ledger, the model");
        expected
    }

    fn sweep(&mut self, hold: HoldKey) -> Expected {
        let mut request = PreparedRequest::expiry(hold, &SeededIds::new(9));
        let holds = block_on(self.store.holds(&[hold])).unwrap();
        let holds: Vec<_> = holds.into_iter().flatten().collect();
        request.resolve(&holds, &[]);
        self.decide(request)
    }
}

#[test]
fn a_sweep_that_comes_too_early_is_forgotten_and_the_next_one_ends_the_hold() {
    let clock = Arc::new(ManualClock::default());
    let mut both = Both {
        store: MemoryStore::new(Arc::<ManualClock>::clone(&clock)),
        model: Model::default(),
        clock,
    };
    let id = |number| AccountId::from_bytes([number; 16]);
    let euro = Currency::iso("EUR").unwrap();
    let hold = HoldId::from_bytes([0x73; 16]);
    let open = |number| {
        let open = OpenAccount::new(Owner::new("ada").unwrap(), euro).with_id(Some(id(number)));
        Command::from(open.with_policy(Policy::Unlimited))
    };
    let place = PlaceHold::new(id(0x71), id(0x72), Money::minor(500, euro).unwrap());
    let place = place.with_id(Some(hold)).with_expires_in(Some(LIFE));
    let key = IdempotencyKey::parse("test", "opens and holds").unwrap();
    let request = Request::of_many(key, vec![open(0x71), open(0x72), place.into()]);
    let (ids, shards) = (SeededIds::new(1), SettlementShards::new());
    let request = PreparedRequest::new(request, &ids, &shards).unwrap();
    assert!(matches!(both.decide(request), Expected::Fresh(_)));

    let hold = HoldKey::new(LedgerId::default(), hold);
    let instant = Duration::from_micros(1);
    both.clock.advance(LIFE.checked_sub(instant).unwrap());
    // Twice: a record of the first would be the answer to the second.
    for _ in 0..2 {
        assert_eq!(both.sweep(hold), Expected::ClockBehind(0));
    }
    both.clock.advance(instant);
    let Expected::Fresh(outcome) = both.sweep(hold) else {
        panic!("the early sweeps are remembered");
    };
    assert!(outcome.result.is_ok(), "{outcome:?}");
    assert_eq!(both.model.books().holds[&hold].status, HoldStatus::Expired);
    assert_eq!(both.sweep(hold), Expected::Replayed(outcome));
}
