//! What the decision function costs: batches of 1,000 simple transfers over
//! 100,000 accounts, the batch and its snapshot built each time, balances and
//! keys checked. Beside it what a request costs when it is submitted
//! (validation, fingerprint, key hash, id).
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    reason = "criterion's macros generate undocumented items; the sums here are small"
)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use wallet_core::ledger::{AccountState, Counters, InLedger, KeyScope, KeyText, SettlementShards};
use wallet_core::memory::Tables;
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::runtime::{IdGenerator, Uuid7};
use wallet_core::{
    Account, AccountId, Currency, IdempotencyKey, LedgerId, Leg, Money, Owner, Policy,
    PostTransfer, Request, Status, Timestamp,
};

const ACCOUNTS: u64 = 100_000;
const BATCH: u64 = 1_000;
const BATCHES: u64 = 100;

type AnyError = Box<dyn std::error::Error>;

/// splitmix64: the same accounts and pairs in every run.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn account(number: u64) -> AccountId {
    // Spread as random ids are.
    let mut state = number;
    let (high, low) = (random(&mut state), random(&mut state));
    AccountId::new(uuid::Builder::from_random_bytes(wide(high, low)).into_uuid())
}

fn wide(high: u64, low: u64) -> [u8; 16] {
    ((u128::from(high) << 64) | u128::from(low)).to_be_bytes()
}

fn books(currency: Currency) -> Result<Tables, AnyError> {
    let mut tables = Tables::default();
    let owner = Owner::new("bench")?;
    for number in 0..ACCOUNTS {
        let key = InLedger::new(LedgerId::default(), account(number));
        let counters = Counters {
            credits_posted: 1_000_000_000,
            ..Counters::default()
        };
        let state = AccountState {
            key,
            currency,
            system: false,
            policy: Policy::NonNegative,
            max_balance: None,
            status: Status::Active,
            counters,
            version: 2,
            sequence: 1,
            last_at: Timestamp::EPOCH,
        };
        let account = Account {
            state,
            owner: owner.clone(),
            metadata: None,
            created_at: Timestamp::EPOCH,
        };
        tables.accounts.insert(key, account);
    }
    Ok(tables)
}

fn requests(currency: Currency, count: u64) -> Result<Vec<Request>, AnyError> {
    let mut state = 7;
    let scope = KeyScope::new("bench")?;
    let mut requests = Vec::new();
    for number in 0..count {
        let from = random(&mut state) % ACCOUNTS;
        let to = (from + 1 + random(&mut state) % (ACCOUNTS - 1)) % ACCOUNTS;
        let money = Money::minor(i128::from(1 + number % 100), currency)?;
        let leg = Leg::new(account(from), account(to), money);
        let text = format!("{:016x}{number:016x}", random(&mut state));
        let key = IdempotencyKey::new(scope.clone(), KeyText::new(&text)?);
        requests.push(Request::new(key, PostTransfer::new(vec![leg])));
    }
    Ok(requests)
}

fn prepare(requests: &[Request], ids: &dyn IdGenerator) -> Vec<Arc<PreparedRequest>> {
    let shards = SettlementShards::new();
    let prepared = requests
        .iter()
        .cloned()
        .map(|request| PreparedRequest::new(request, ids, &shards));
    prepared.flatten().map(Arc::new).collect()
}

fn decide(criterion: &mut Criterion) -> Result<(), AnyError> {
    let currency = Currency::iso("EUR")?;
    let tables = books(currency)?;
    let requests = requests(currency, BATCH * BATCHES)?;
    let prepared = prepare(&requests, &Uuid7);
    let size = usize::try_from(BATCH)?;
    let mut next = prepared.chunks(size).cycle();

    let mut group = criterion.benchmark_group("decide");
    group.throughput(Throughput::Elements(BATCH));
    group.bench_function("simple transfers, batch of 1,000", |bencher| {
        bencher.iter_batched(
            || next.next().unwrap_or_default().to_vec(),
            |requests| {
                let batch = Batch::new(requests);
                let now = Timestamp::from_micros(1);
                let snapshot = tables.snapshot(batch.reads(), now, |_| true);
                let decision = wallet_core::decide::decide(&batch, &snapshot);
                assert_eq!(
                    decision.changes.accepted.len(),
                    size,
                    "every transfer is accepted"
                );
                black_box(decision)
            },
            BatchSize::LargeInput,
        );
    });
    let mut next = requests.chunks(size).cycle();
    group.bench_function("submit: validate, fingerprint, key, ids", |bencher| {
        bencher.iter_batched(
            || next.next().unwrap_or_default(),
            |requests| black_box(prepare(requests, &Uuid7)),
            BatchSize::LargeInput,
        );
    });
    group.finish();
    Ok(())
}

fn run(criterion: &mut Criterion) {
    if let Err(error) = decide(criterion) {
        eprintln!("the benchmark could not be set up: {error}");
        std::process::exit(1);
    }
}

criterion_group!(benches, run);
criterion_main!(benches);
