//! Looks up each answer that a caller received.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use wallet_core::ledger::InLedger;
use wallet_core::store::LedgerStore;
use wallet_core::verify::Books;
use wallet_core::{AccountId, LedgerId, TransferId};

use super::Verified;
use crate::Result;
use crate::acks::{self, Ack};
use crate::plan::{self, Place};

/// How many keys are looked up at a time.
const PAGE: usize = 500;

/// The totals of the acknowledged requests.
#[derive(Debug, Default)]
struct Totals {
    answers: usize,
    lost: usize,
    changed: usize,
    /// The transfers that callers' rounds posted.
    transfers: BTreeSet<TransferId>,
    posted: usize,
    /// What each account gained by all accepted requests.
    gained: BTreeMap<AccountId, i128>,
}

/// Every answer is recorded as it was acknowledged. Its transfer is in the books once,
/// and the books hold no other transfer.
pub(super) async fn check(
    files: &[PathBuf],
    store: &dyn LedgerStore,
    books: &Books,
    verified: &mut Verified,
) -> Result<()> {
    let mut totals = Totals::default();
    for (host, file) in (0..).zip(files) {
        let mut each: BTreeMap<(u16, u32), Ack> = BTreeMap::new();
        let mut twice = Vec::new();
        acks::read(file, |ack| {
            let before = each.insert((ack.caller, ack.round), ack);
            if before.is_some_and(|before| before != ack) {
                twice.push(format!("one key, two answers: {before:?}, {ack:?}"));
            }
        })?;
        verified.violations.extend(twice);
        complete(&each, verified);
        let all: Vec<Ack> = each.into_values().collect();
        for page in all.chunks(PAGE) {
            look_up(host, page, store, &mut totals, verified).await?;
        }
    }
    entries(books, &totals, verified);
    balances(books, &totals, verified);
    let due = totals.transfers.len() + plan::accounts().len() + plan::customers().len();
    let there = books.existing_transfers().count();
    if due != there || totals.transfers.len() != totals.posted {
        let words = format!("{there} transfers stand in the books, {due} were acknowledged");
        verified.violation(words);
    }
    verified.figure("answers looked up", totals.answers);
    verified.figure("acknowledged transfers", totals.transfers.len());
    verified.figure("acknowledged answers lost", totals.lost);
    verified.figure("acknowledged answers changed", totals.changed);
    verified.figure(
        "transfers that nobody acknowledged",
        there.saturating_sub(due),
    );
    Ok(())
}

/// Each caller sent one request after the other and left none open.
fn complete(each: &BTreeMap<(u16, u32), Ack>, verified: &mut Verified) {
    let mut next: BTreeMap<u16, u32> = BTreeMap::new();
    for (caller, round) in each.keys() {
        let due = next.entry(*caller).or_default();
        if round != due {
            let words = format!("caller {caller} has no answer to {due}, but one to {round}");
            verified.violation(words);
        }
        *due = round + 1;
    }
}

async fn look_up(
    host: u16,
    page: &[Ack],
    store: &dyn LedgerStore,
    totals: &mut Totals,
    verified: &mut Verified,
) -> Result<()> {
    let place = |ack: &Ack| Place {
        host,
        caller: ack.caller,
        round: ack.round,
    };
    let mut keys = Vec::with_capacity(page.len());
    for ack in page {
        keys.push(place(ack).key()?.record_key(LedgerId::default()));
    }
    for (ack, record) in page.iter().zip(store.records(&keys).await?) {
        totals.answers += 1;
        let Some(record) = record else {
            totals.lost += 1;
            verified.violation(format!("lost: {:?}", place(ack)));
            continue;
        };
        let transfer = record.outcome.transfers().next();
        let transfer = transfer.map(|transfer| transfer.key.id);
        if record.outcome.result.is_ok() != ack.is_accepted || transfer != ack.transfer {
            totals.changed += 1;
            verified.violation(format!("answered {ack:?}, recorded {transfer:?}"));
        }
        if !ack.is_accepted {
            continue;
        }
        let step = place(ack).step()?;
        if step.is_transfer() != ack.transfer.is_some() {
            verified.violation(format!("{step:?} was answered by {ack:?}"));
        }
        totals.posted += usize::from(step.is_transfer());
        totals.transfers.extend(ack.transfer);
        for leg in step.moves() {
            *totals.gained.entry(leg.from).or_default() -= leg.money.amount.minor();
            *totals.gained.entry(leg.to).or_default() += leg.money.amount.minor();
        }
    }
    Ok(())
}

/// A debit and a credit for each leg of each acknowledged transfer, once.
fn entries(books: &Books, totals: &Totals, verified: &mut Verified) {
    let mut entries: BTreeMap<TransferId, usize> = BTreeMap::new();
    for entry in books.entries.values().flatten() {
        *entries.entry(entry.transfer).or_default() += 1;
    }
    let mut doubled = 0;
    for id in &totals.transfers {
        let key = InLedger::new(LedgerId::default(), *id);
        let legs = books.transfer(key).map_or(0, |moved| moved.legs.len());
        let found = entries.get(id).copied().unwrap_or(0);
        if legs == 0 || found != 2 * legs {
            doubled += usize::from(found > 2 * legs);
            verified.violation(format!("transfer {id}: {found} entries for {legs} legs"));
        }
    }
    verified.figure("acknowledged transfers doubled", doubled);
}

/// The balances equal the sum of opening, closing and accepted requests. The sum is
/// computed from the plan and not from the ledger.
fn balances(books: &Books, totals: &Totals, verified: &mut Verified) {
    for (number, account) in (0..).zip(plan::accounts()) {
        let gained = totals.gained.get(&account.id).copied().unwrap_or(0);
        let due = plan::given(number) + gained;
        let found = books.accounts.get(&account);
        let found = found.map(|account| account.state.counters.posted());
        if found != Some(due) {
            let words = format!("account {number} has {found:?}, {due} was acknowledged");
            verified.violation(words);
        }
    }
    verified.figure("balances reckoned from answers", plan::accounts().len());
}
