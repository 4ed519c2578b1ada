//! Sums, versions and sequences at their greatest value.

use super::steps;
use crate::support::{A, B, World, cents, leg};
use wallet_core::ledger::{COUNTER_MAX, Counters};
use wallet_core::{AccountId, Command, PlaceHold, Policy, PostTransfer, Rejection};

#[test]
fn a_running_sum_reaches_its_greatest_value_and_no_further() {
    let most = wallet_core::Amount::MAX.minor();
    let mut world = World::with(&[(A, 0), (B, COUNTER_MAX - most)]);
    world.edit(A).policy = Policy::Unlimited;
    world.edit(A).counters.debits_posted = COUNTER_MAX - most;
    world.post(PostTransfer::new(vec![leg(A, B, most)]));
    assert_eq!(world.counters(A).debits_posted, COUNTER_MAX);
    assert_eq!(world.counters(B).credits_posted, COUNTER_MAX);
    let one = world
        .ask(PostTransfer::new(vec![leg(A, B, 1)]))
        .unwrap_err();
    assert_eq!(one.rejection, Rejection::CounterOverflow);
    assert_eq!(one.subject, A.uuid());
}

#[test]
fn every_running_sum_has_the_same_greatest_value() {
    type Sum = fn(&mut Counters) -> &mut i128;
    let transfer: Command = PostTransfer::new(vec![leg(A, B, 1)]).into();
    let hold: Command = PlaceHold::new(A, B, cents(1)).into();
    let sums: [(AccountId, Sum, &Command); 4] = [
        (A, |all| &mut all.debits_posted, &transfer),
        (B, |all| &mut all.credits_posted, &transfer),
        (A, |all| &mut all.debits_pending, &hold),
        (B, |all| &mut all.credits_pending, &hold),
    ];
    for (account, sum, command) in sums {
        let mut world = World::with(&[(A, 0), (B, 0)]);
        world.edit(A).policy = Policy::Unlimited;
        *sum(&mut world.edit(account).counters) = COUNTER_MAX - 1;
        world.run(command.clone()).unwrap();
        assert_eq!(*sum(&mut world.counters(account)), COUNTER_MAX);
        let refused = world.ask(command.clone()).unwrap_err();
        assert_eq!(refused.rejection, Rejection::CounterOverflow);
        assert_eq!(refused.subject, account.uuid());
    }
}

#[test]
fn version_and_sequence_reach_their_greatest_value_and_no_further() {
    let mut world = World::with(&[(A, 10), (B, 0)]);
    world.edit(B).version = i64::MAX - 1;
    world.edit(B).sequence = i64::MAX - 1;
    let posted = world.post(PostTransfer::new(vec![leg(A, B, 1)]));
    assert_eq!(steps(&posted)[1], (B, i64::MAX, i64::MAX, 1));
    let more = world.ask(PostTransfer::new(vec![leg(A, B, 1)]));
    let refused = more.unwrap_err();
    assert_eq!(refused.rejection, Rejection::CounterOverflow);
    assert_eq!(refused.subject, B.uuid());
}
