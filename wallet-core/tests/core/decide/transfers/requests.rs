//! What a request gives beside its legs, and requests of one batch that follow each other.

use crate::support::{A, B, C, World, bank, cents, fresh, hold_changed, hold_id, leg, transfer_id};
use wallet_core::ledger::Details;
use wallet_core::request::{Batch, Share};
use wallet_core::{
    Capture, Command, Deposit, PlaceHold, PostTransfer, Reference, Rejection, Reverse, Split,
    Withdrawal,
};

#[test]
fn a_given_id_is_taken_for_ever_whatever_made_the_transfer() {
    let mut world = World::with(&[(A, 100), (B, 0)]);
    world.post(PostTransfer::new(vec![leg(A, B, 1)]).with_id(transfer_id(1)));
    let again = Deposit::new(A, cents(1), bank()).with_id(transfer_id(1));
    assert_eq!(world.ask(again).unwrap_err().rejection, Rejection::IdTaken);

    let in_one_batch = world.decide(vec![
        world.request(PostTransfer::new(vec![leg(A, B, 1)]).with_id(transfer_id(2))),
        world.request(PostTransfer::new(vec![leg(A, B, 2)]).with_id(transfer_id(2))),
    ]);
    let second = fresh(&in_one_batch.decided[1]).result.clone();
    assert_eq!(second.unwrap_err().rejection, Rejection::IdTaken);
    assert_eq!(in_one_batch.changes.transfers().len(), 1);
}

#[test]
fn an_id_that_a_refused_request_gave_is_free() {
    let world = World::with(&[(A, 100), (B, 0)]);
    let decision = world.decide(vec![
        world.requests(vec![
            PostTransfer::new(vec![leg(A, B, 1)])
                .with_id(transfer_id(2))
                .into(),
            PostTransfer::new(vec![leg(B, A, 2)]).into(),
        ]),
        world.request(PostTransfer::new(vec![leg(A, B, 5)]).with_id(transfer_id(2))),
    ]);
    assert!(fresh(&decision.decided[0]).result.is_err());
    assert!(fresh(&decision.decided[1]).result.is_ok());
    assert_eq!(decision.changes.transfers()[0].legs, [leg(A, B, 5)]);
}

#[test]
fn what_a_caller_says_about_a_movement_stands_on_it() {
    let details = Details {
        code: 7,
        reference: Some(Reference::new("order-1").unwrap()),
        ..Details::default()
    };
    let said = || details.clone();
    let mut world = World::with_hold(100);
    let whole = vec![Share {
        to: B,
        share_bp: 10_000,
    }];
    let transfer = PostTransfer::new(vec![leg(A, B, 10)]).with_id(transfer_id(1));
    let commands: [Command; 6] = [
        transfer.with_details(said()).into(),
        Deposit::new(A, cents(10), bank())
            .with_details(said())
            .into(),
        Withdrawal::new(A, cents(10), bank())
            .with_details(said())
            .into(),
        Split::new(A, cents(10), whole).with_details(said()).into(),
        Capture::new(hold_id(1)).with_details(said()).into(),
        Reverse::new(transfer_id(1)).with_details(said()).into(),
    ];
    for command in commands {
        let posted = world.post(command);
        assert_eq!(posted.transfer.details, details, "{posted:?}");
    }
    let hold = PlaceHold::new(A, B, cents(1)).with_details(said());
    let placed = hold_changed(world.run(hold).unwrap());
    assert_eq!(placed.hold.details, details);
}

#[test]
fn a_chain_of_requests_in_one_batch_spends_what_came_in_before() {
    let mut world = World::with(&[(A, 100), (B, 0), (C, 0)]);
    let requests = vec![
        world.request(PostTransfer::new(vec![leg(A, B, 100)])),
        world.request(PostTransfer::new(vec![leg(B, C, 100)])),
        world.request(PostTransfer::new(vec![leg(A, C, 1)])),
    ];
    let batch = Batch::new(requests.clone());
    let before = world.snapshot(&batch);
    let decided = world.commit(requests);
    assert!(fresh(&decided[1]).result.is_ok());
    let third = fresh(&decided[2]).result.clone().unwrap_err();
    assert_eq!(third.rejection, Rejection::InsufficientFunds);
    assert_eq!([A, B, C].map(|id| world.posted(id)), [0, 0, 100]);
    let changes = wallet_core::decide::decide(&batch, &before).changes;
    let updates = changes.updated.iter();
    let versions: Vec<_> = updates
        .map(|one| (one.version_before, one.after.version))
        .collect();
    assert_eq!(versions, [(1, 2), (1, 3), (1, 2)]);
    let sequences: Vec<_> = changes.entries().iter().map(|one| one.sequence).collect();
    assert_eq!(sequences, [1, 1, 2, 1]);
}
