//! The cost of a request covers all rows that its commit writes.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{
    A, B, C, D, World, amount, bank, cents, eur, fresh, hold_id, leg, transfer_id, usd,
};
use uuid::Uuid;
use wallet_core::ledger::{Description, Details, TransferWithReversals};
use wallet_core::request::{Batch, Change, Expire, PreparedRequest, ReverseWhat, Share};
use wallet_core::store::{ChangeSet, codec};
use wallet_core::{
    AccountId, Capture, ChangeLimits, ChangeStatus, Command, Deposit, Leg, Metadata, OpenAccount,
    Owner, PlaceHold, Policy, PostTransfer, Reference, Release, Reverse, Split, Status, Withdrawal,
};

/// The rows that a store writes for `changes`, one of them for the outbox.
fn rows(changes: &ChangeSet) -> usize {
    let rows = [
        changes.records.len(),
        changes.opened.len(),
        changes.updated.len(),
        changes.holds.len(),
        changes.reversals.len(),
        changes.currencies.len(),
        changes.transfers().len(),
        changes.entries().len(),
        1,
    ];
    rows.iter().sum()
}

/// The request as the queue submits it, with its names resolved.
fn resolved(world: &World, request: &Arc<PreparedRequest>) -> Arc<PreparedRequest> {
    let batch = Batch::new(vec![Arc::clone(request)]);
    let snapshot = world.snapshot(&batch);
    let mut request = PreparedRequest::clone(request);
    request.resolve(&snapshot.holds, &snapshot.transfers);
    Arc::new(request)
}

/// Decides an accepted request and compares its cost with what it writes.
fn check(world: &World, name: &str, commands: Vec<Command>) {
    let request = resolved(world, &world.requests(commands));
    let decision = world.decide(vec![Arc::clone(&request)]);
    let result = &fresh(&decision.decided[0]).result;
    assert!(result.is_ok(), "{name}: {result:?}");
    let (cost, written) = (request.cost(), rows(&decision.changes));
    assert!(cost.rows >= written, "{name}: {cost:?}, {written} rows");
    // A pessimistic store may write each total and account again at most once.
    assert!(
        cost.rows <= 4 * written + 8,
        "{name}: {cost:?} is far above {written}"
    );
}

fn row(legs: Vec<Leg>) -> TransferWithReversals {
    crate::support::transfer_row(transfer_id(7), legs)
}

/// A, B, C, D with funds; the store knows no currency yet.
fn world() -> World {
    let mut world = World::with(&[(A, 1000), (B, 1000), (C, 1000), (D, 1000)]);
    world.tables.currencies.clear();
    world
}

#[test]
fn every_command_costs_at_least_the_rows_that_it_writes() {
    let share = |to, share_bp| Share { to, share_bp };
    let shares = vec![share(B, 3_000), share(C, 3_000), share(D, 4_000)];
    let legs = vec![leg(A, B, 1), leg(C, D, 1), leg(D, A, 1)];
    let commands: [(&str, Command); 9] = [
        (
            "open",
            OpenAccount::new(Owner::new("ada").unwrap(), usd()).into(),
        ),
        ("status", ChangeStatus::new(A, Status::Frozen).into()),
        (
            "limits",
            ChangeLimits::new(A)
                .with_policy(Policy::Unlimited)
                .with_max_balance(Change::Set(amount(5_000)))
                .into(),
        ),
        ("transfer", PostTransfer::new(legs).into()),
        ("deposit", Deposit::new(A, cents(1), bank()).into()),
        ("withdrawal", Withdrawal::new(A, cents(1), bank()).into()),
        ("split", Split::new(A, cents(100), shares).into()),
        ("hold", PlaceHold::new(A, B, cents(1)).into()),
        (
            "hold with an expiry",
            PlaceHold::new(A, B, cents(1))
                .with_expires_in(Duration::from_secs(1))
                .into(),
        ),
    ];
    for (name, command) in &commands {
        check(&world(), name, vec![command.clone()]);
    }
    let mut all: Vec<_> = commands.into_iter().map(|(_, command)| command).collect();
    all.retain(|command| !matches!(command, Command::ChangeStatus(_)));
    check(&world(), "all", all);
}

#[test]
fn every_step_of_a_hold_costs_at_least_the_rows_that_it_writes() {
    let mut world = World::with_hold(100);
    let mut hold = world.hold(hold_id(1));
    let part = Capture::new(hold_id(1)).with_amount(amount(1));
    check(&world, "capture", vec![Capture::new(hold_id(1)).into()]);
    check(&world, "part", vec![part.clone().into()]);
    check(&world, "final", vec![part.with_is_final(true).into()]);
    check(&world, "release", vec![Release::new(hold_id(1)).into()]);
    hold.expires_at = Some(world.now);
    world.put_hold(hold);
    check(&world, "expire", vec![Expire::new(hold_id(1)).into()]);
    let sweep = resolved(&world, &world.sweep(hold_id(1)));
    let changes = world.decide(vec![Arc::clone(&sweep)]).changes;
    assert_eq!(changes.holds.len(), 1);
    assert!(sweep.cost().rows >= rows(&changes));
}

#[test]
fn a_reversal_costs_at_least_the_rows_that_it_writes() {
    let reverse = |what| -> Vec<Command> {
        let reverse = Reverse::new(transfer_id(7));
        vec![reverse.with_what(what).into()]
    };
    let mut world = world();
    world.put_transfer(row(vec![leg(A, B, 100)]));
    check(&world, "single", reverse(ReverseWhat::Rest));
    check(&world, "part", reverse(ReverseWhat::Amount(amount(1))));
    let again_and_again = vec![(0, Some(amount(1))); 90];
    check(
        &world,
        "in bits",
        reverse(ReverseWhat::Legs(again_and_again)),
    );

    world.put_transfer(row(vec![leg(A, B, 1); 400]));
    check(&world, "between two", reverse(ReverseWhat::Rest));
    let named = (0..400).map(|index| (index, None)).collect();
    check(&world, "named", reverse(ReverseWhat::Legs(named)));

    let around = [leg(A, B, 1), leg(B, C, 1), leg(C, D, 1), leg(D, A, 1)];
    world.put_transfer(row(around.repeat(30)));
    check(&world, "around", reverse(ReverseWhat::Rest));
    let twice = [
        reverse(ReverseWhat::Legs(vec![(0, None)])),
        reverse(ReverseWhat::Rest),
    ];
    check(&world, "twice", twice.concat());
}

#[test]
fn a_reversal_of_a_transfer_of_the_same_request_costs_its_legs_too() {
    let accounts = (0..100).map(|number| AccountId::new(Uuid::from_u128(0x100 + number)));
    let accounts: Vec<_> = accounts.collect();
    let balances: Vec<_> = accounts.iter().map(|id| (*id, 10)).collect();
    let pairs = accounts.chunks(2);
    let legs = pairs.map(|pair| leg(pair[0], pair[1], 1)).collect();
    let transfer = PostTransfer::new(legs).with_id(transfer_id(7));
    let commands = vec![transfer.into(), Reverse::new(transfer_id(7)).into()];
    check(&World::with(&balances), "at once", commands);
}

#[test]
fn a_transfer_that_fits_a_store_can_be_reversed_there_whole_and_by_legs() {
    for count in [1, 2, 19, 400] {
        let mut world = world();
        let transfer = PostTransfer::new(vec![leg(A, B, 1); count]);
        let posting = world.request(transfer).cost();
        world.put_transfer(row(vec![leg(A, B, 1); count]));
        let cost = |what| {
            let command = Reverse::new(transfer_id(7)).with_what(what);
            resolved(&world, &world.request(command)).cost()
        };
        let whole = cost(ReverseWhat::Rest);
        assert!(
            whole.rows <= posting.rows,
            "{count}: {whole:?}, {posting:?}"
        );
        let single = world.request(PostTransfer::new(vec![leg(A, B, 1)])).cost();
        let one = cost(ReverseWhat::Legs(vec![(0, None)]));
        assert!(one.rows <= single.rows, "{count}: {one:?}, {single:?}");
    }
}

fn wordy(letter: &str) -> Details {
    Details {
        code: u32::MAX,
        reference: Some(Reference::new(&letter.repeat(128)).unwrap()),
        description: Some(Description::new(&letter.repeat(512)).unwrap()),
        metadata: Some(Metadata::parse(&format!(r#"{{"k":"{}"}}"#, letter.repeat(4_000))).unwrap()),
        effective_at: None,
    }
}

/// The bytes of a request in rows of variable length: its record, its share of the
/// outbox, its transfers, its holds.
fn bytes(changes: &ChangeSet) -> usize {
    let records = changes.records.iter();
    let records = records.map(|record| codec::encode_outcome(&record.outcome).len());
    let transfers = changes.transfers();
    let transfers = transfers
        .iter()
        .map(|transfer| codec::encode_transfer(transfer).len());
    let holds = changes.holds.iter();
    let holds = holds.map(|update| codec::encode_hold(&update.hold).len());
    let outbox = changes.outbox_payload().map_or(0, |payload| payload.len());
    records.chain(transfers).chain(holds).sum::<usize>() + outbox
}

fn check_bytes(world: &World, name: &str, commands: Vec<Command>) {
    let request = resolved(world, &world.requests(commands));
    let decision = world.decide(vec![Arc::clone(&request)]);
    let result = &fresh(&decision.decided[0]).result;
    assert!(result.is_ok(), "{name}: {result:?}");
    let (cost, written) = (request.cost(), bytes(&decision.changes));
    assert!(cost.bytes >= written, "{name}: {cost:?}, {written} bytes");
}

#[test]
fn long_texts_count_wherever_they_are_written() {
    let details = || wordy("x");
    let mut world = World::with_hold(100);
    let metadata = Metadata::parse(&format!(r#"{{"k":"{}"}}"#, "x".repeat(4_000))).unwrap();
    let owner = Owner::new(&"o".repeat(128)).unwrap();
    let open = OpenAccount::new(owner, eur()).with_metadata(metadata);
    check_bytes(&world, "open", vec![open.into()]);
    let transfer = PostTransfer::new(vec![leg(A, B, 1)]).with_details(details());
    check_bytes(&world, "transfer", vec![transfer.into()]);
    let deposit = Deposit::new(A, cents(1), bank()).with_details(details());
    check_bytes(&world, "deposit", vec![deposit.into()]);
    let hold = PlaceHold::new(A, B, cents(1)).with_details(details());
    check_bytes(&world, "hold", vec![hold.into()]);

    let mut hold = world.hold(hold_id(1));
    hold.details = details();
    hold.expires_at = Some(world.now.saturating_add(Duration::from_secs(1)));
    world.put_hold(hold.clone());
    let capture = Capture::new(hold_id(1)).with_details(wordy("y"));
    check_bytes(&world, "capture", vec![capture.into()]);
    check_bytes(&world, "release", vec![Release::new(hold_id(1)).into()]);
    let in_steps: Vec<Command> = vec![
        Capture::new(hold_id(1)).with_amount(amount(1)).into(),
        Capture::new(hold_id(1)).with_amount(amount(1)).into(),
        Capture::new(hold_id(1)).with_amount(amount(1)).into(),
        Release::new(hold_id(1)).into(),
    ];
    check_bytes(&world, "in steps", in_steps);
    hold.expires_at = Some(world.now);
    world.put_hold(hold);
    check_bytes(&world, "expire", vec![Expire::new(hold_id(1)).into()]);

    let mut row = row(vec![leg(A, B, 1); 100]);
    row.transfer.details = details();
    world.edit(B).counters.credits_posted = 1000;
    world.put_transfer(row);
    let reverse = Reverse::new(transfer_id(7)).with_details(wordy("y"));
    check_bytes(&world, "reverse", vec![reverse.into()]);
}

/// Captures of holds that each have 300 bytes of metadata, a cent each.
fn captures(count: u128) -> (World, Arc<PreparedRequest>) {
    let mut world = World::with(&[(A, 1000), (B, 0)]);
    let words = format!(r#"{{"a":"{}"}}"#, "x".repeat(292));
    let mut commands: Vec<Command> = Vec::new();
    for number in 0..count {
        let mut hold = crate::support::hold_row(hold_id(number), A, B, 1);
        hold.details.metadata = Some(Metadata::parse(&words).unwrap());
        world.put_hold(hold);
        commands.push(Capture::new(hold_id(number)).into());
    }
    let held = i128::try_from(count).unwrap();
    world.edit(A).counters.debits_pending = held;
    world.edit(B).counters.credits_pending = held;
    let request = resolved(&world, &world.requests(commands));
    (world, request)
}

#[test]
fn each_capture_costs_the_texts_of_its_own_hold_and_no_other() {
    let (_, one) = captures(1);
    let (world, hundred) = captures(100);
    let (one, cost) = (one.cost(), hundred.cost());
    // A store that takes a megabyte takes these.
    assert!(cost.bytes <= 100 * one.bytes, "{cost:?}, one {one:?}");
    assert!(cost.bytes < 1 << 18, "{cost:?}");
    let decision = world.decide(vec![hundred]);
    let outcome = fresh(&decision.decided[0]);
    assert!(outcome.result.is_ok());
    let record = codec::encode_outcome(outcome).len();
    let outbox = decision.changes.outbox_payload().unwrap().len();
    assert!(
        cost.bytes >= record + outbox,
        "{cost:?}, {record} + {outbox}"
    );
}

#[test]
fn a_capture_of_a_hold_of_the_same_request_costs_its_texts() {
    let world = World::with(&[(A, 1000), (B, 0)]);
    let words = Metadata::parse(&format!(r#"{{"a":"{}"}}"#, "x".repeat(3_000))).unwrap();
    let details = |metadata| Details {
        metadata,
        ..Details::default()
    };
    let place = |metadata| {
        PlaceHold::new(A, B, cents(10))
            .with_id(hold_id(1))
            .with_details(details(metadata))
    };
    let both = |metadata| {
        let commands = vec![place(metadata).into(), Capture::new(hold_id(1)).into()];
        resolved(&world, &world.requests(commands)).cost().bytes
    };
    assert!(both(Some(words)) >= both(None) + 2 * 2 * 3_000);
}
