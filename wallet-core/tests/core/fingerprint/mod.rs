//! Fingerprints: stable over releases, and different for different requests.

mod values;

use std::collections::HashMap;

use proptest::prelude::*;
use sha2::{Digest, Sha256};
use wallet_core::ledger::{Details, Fingerprint, InLedger, KeyScope, KeyText, SettlementShards};
use wallet_core::request::{BulkRequest, Change, PreparedRequest, ReverseWhat};
use wallet_core::runtime::Uuid7;
use wallet_core::{
    ChangeLimits, Command, HoldId, IdempotencyKey, LedgerId, Policy, PostTransfer, Release, Request,
};

const GOLDEN: &str = include_str!("../golden/fingerprints.txt");

fn key(text: &str) -> IdempotencyKey {
    let scope = KeyScope::new("tests").unwrap();
    IdempotencyKey::new(scope, KeyText::new(text).unwrap())
}

fn fingerprint(request: Request) -> Fingerprint {
    let prepared = PreparedRequest::new(request, &Uuid7, &SettlementShards::new());
    prepared.expect("a valid request").fingerprint()
}

fn of_many(commands: Vec<Command>) -> Fingerprint {
    fingerprint(Request::of_many(key("k"), commands))
}

fn of(command: impl Into<Command>) -> Fingerprint {
    fingerprint(Request::new(key("k"), command))
}

#[test]
fn fingerprints_are_the_golden_ones() {
    let mut now: Vec<(&str, Vec<u8>)> = values::named()
        .into_iter()
        .map(|(name, command)| (name, of(command).as_bytes().to_vec()))
        .collect();
    let all = values::named().into_iter().map(|(_, command)| command);
    now.push(("every-command", of_many(all.collect()).as_bytes().to_vec()));
    let all = || {
        values::named()
            .into_iter()
            .map(|(_, command)| command)
            .collect()
    };
    let bulk = PreparedRequest::bulk(
        BulkRequest::new(key("k"), all()),
        &Uuid7,
        &SettlementShards::new(),
    );
    let bulk = bulk.expect("valid items");
    let keys = [
        ("key", key("k").record_key(LedgerId::new(0))),
        ("key-of-an-item", bulk[1].key()),
    ];
    now.extend(keys.map(|(name, key)| (name, key.hash.to_vec())));
    crate::golden::check(GOLDEN, &now);
}

/// Written once by hand, because the form itself is a promise, not only its hash.
#[test]
fn an_absent_field_adds_nothing_to_the_canonical_form() {
    let hold: HoldId = values::id(5);
    let mut form = b"wallet.request.1\0".to_vec();
    form.extend_from_slice(&[9, 17, 0, 0, 0, 16]);
    form.extend_from_slice(hold.as_bytes());
    form.push(0);
    assert_eq!(
        of(values::capture()).as_bytes()[..],
        Sha256::digest(&form)[..]
    );

    // One optional field said: its number, length and bytes, nothing else.
    form.pop();
    form.extend_from_slice(&[18, 0, 0, 0, 1, 1, 0]);
    let said = of(values::capture().with_is_final(true));
    assert_eq!(said.as_bytes()[..], Sha256::digest(&form)[..]);
}

#[test]
fn a_default_that_is_said_is_one_that_is_left_out() {
    let open = values::open;
    assert_eq!(of(open()), of(open().with_policy(Policy::NonNegative)));
    assert_eq!(of(open()), of(open().with_system(false)));
    let limits = values::limits;
    assert_eq!(of(limits()), of(limits().with_max_balance(Change::Keep)));
    let transfer = values::transfer;
    let details = Details {
        code: 0,
        ..Details::default()
    };
    assert_eq!(of(transfer()), of(transfer().with_details(details)));
    let reverse = values::reverse;
    assert_eq!(of(reverse()), of(reverse().with_force(false)));
    assert_eq!(of(reverse()), of(reverse().with_what(ReverseWhat::Rest)));
}

#[test]
fn a_policy_to_change_to_is_no_default() {
    let ceiling = || ChangeLimits::new(values::id(1)).with_max_balance(Change::Clear);
    assert_ne!(
        of(ceiling()),
        of(ceiling().with_policy(Policy::NonNegative))
    );
}

#[test]
fn requests_that_differ_in_one_field_have_different_fingerprints() {
    let mut seen: HashMap<[u8; 32], Command> = HashMap::new();
    let named = values::named().into_iter().map(|(_, command)| command);
    // Values of both lists may coincide; those are one request.
    for command in named.chain(values::variants()) {
        let print = *of(command.clone()).as_bytes();
        if let Some(other) = seen.insert(print, command.clone()) {
            assert_eq!(other, command, "one fingerprint for two");
        }
    }
    assert!(seen.len() > 150, "{}", seen.len());
}

#[test]
fn key_ledger_and_generated_ids_are_not_part_of_it() {
    let request = |text| Request::new(key(text), values::transfer());
    let first = fingerprint(request("a"));
    assert_eq!(first, fingerprint(request("b")));
    assert_eq!(first, fingerprint(request("a").in_ledger(LedgerId::new(9))));
}

#[test]
fn settlement_shards_are_not_part_of_it() {
    let (_, deposit) = values::named().swap_remove(7);
    let Command::Deposit(deposit) = deposit else {
        panic!("no deposit");
    };
    let shards = SettlementShards::new().with(deposit.settlement.clone(), 64);
    let request = Request::new(key("k"), deposit.clone());
    let sharded = PreparedRequest::new(request, &Uuid7, &shards).unwrap();
    assert_eq!(sharded.fingerprint(), of(deposit));
}

#[test]
fn the_order_and_the_number_of_commands_count() {
    let transfer = || Command::from(values::transfer());
    let release = || Command::from(Release::new(values::id(5)));
    let both = of_many(vec![transfer(), release()]);
    assert_ne!(both, of_many(vec![release(), transfer()]));
    assert_ne!(both, of_many(vec![transfer()]));
    assert_ne!(both, of_many(vec![transfer(), release(), release()]));
    // A list of one is another request than the command by itself.
    assert_ne!(of_many(vec![transfer()]), of(values::transfer()));
    // Two legs of one transfer are not one leg of two.
    let legs = vec![values::leg(1, 2, 5), values::leg(2, 3, 5)];
    let apart = legs.iter().map(|leg| PostTransfer::new(vec![*leg]).into());
    assert_ne!(of_many(apart.collect()), of(PostTransfer::new(legs)));
}

#[test]
fn the_sweep_has_the_fingerprint_of_what_it_does() {
    let hold: HoldId = values::id(5);
    let sweep = PreparedRequest::expiry(InLedger::new(LedgerId::new(0), hold), &Uuid7);
    assert_eq!(
        sweep.fingerprint(),
        of(wallet_core::request::Expire::new(hold))
    );
}

proptest! {
    /// Bytes of one text never become part of the next.
    #[test]
    fn neighbouring_texts_do_not_run_together(
        first in ("[a-c]{1,4}", "[a-c]{1,4}"),
        second in ("[a-c]{1,4}", "[a-c]{1,4}"),
    ) {
        let of_texts = |(reference, description): &(String, String)| {
            let reference = Some(reference.parse().unwrap());
            let description = Some(description.parse().unwrap());
            let details = Details { reference, description, ..Details::default() };
            of(values::transfer().with_details(details))
        };
        prop_assert_eq!(of_texts(&first) == of_texts(&second), first == second);
    }

    #[test]
    fn transfers_of_other_amounts_have_other_fingerprints(first in 1_i128..1_000, second in 1_i128..1_000) {
        let of_minor = |minor| of(PostTransfer::new(vec![values::leg(1, 2, minor)]));
        prop_assert_eq!(of_minor(first) == of_minor(second), first == second);
    }
}
