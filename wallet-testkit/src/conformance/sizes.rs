//! The greatest sizes: legs, texts, requests at once, entries on an account.

use std::sync::Arc;
use std::time::Duration;

use super::steps::{at_home, cents, eur, owner, posted, receipts};
use crate::store_kit::{fresh, replayed};
use crate::{ManualClock, StoreKit};
use wallet_core::ledger::{Description, Details, Sequence};
use wallet_core::request::{InvalidRequest, LEGS_MAX, PreparedRequest};
use wallet_core::store::Order;
use wallet_core::{
    AccountId, EntryQuery, IdempotencyKey, LedgerId, Leg, Metadata, OpenAccount, Policy,
    PostTransfer, Reference, Request, Timestamp, Wallet, WalletError,
};

/// The number of entries of an account, unless `WALLET_KIT_ENTRIES` sets it.
const ENTRIES: Sequence = 2_000;

/// Details with every text at its greatest length.
fn longest() -> Details {
    let metadata = "m".repeat(Metadata::MAX_BYTES - r#"{"a":""}"#.len());
    Details {
        code: u32::MAX,
        reference: Some(Reference::new(&"r".repeat(Reference::MAX_BYTES)).unwrap()),
        description: Some(Description::new(&"d".repeat(Description::MAX_BYTES)).unwrap()),
        metadata: Some(Metadata::parse(&format!(r#"{{"a":"{metadata}"}}"#)).unwrap()),
        effective_at: Some(Timestamp::from_micros(i64::MAX)),
    }
}

/// Pays a cent to each account, with the longest texts.
fn pay_all(key: IdempotencyKey, from: AccountId, to: &[AccountId]) -> Request {
    let legs = to.iter().map(|to| Leg::new(from, *to, cents(1)));
    Request::new(
        key,
        PostTransfer::new(legs.collect()).with_details(longest()),
    )
}

impl StoreKit {
    /// Opens an account without an overdraft limit.
    async fn open_unlimited(&self, name: &str) -> AccountId {
        let open = OpenAccount::new(owner(name), eur());
        self.open_as(open.with_policy(Policy::Unlimited)).await
    }

    async fn open_many(&self, count: usize) -> Vec<AccountId> {
        let open = |_| {
            let open = OpenAccount::new(owner("many"), eur());
            self.prepare(Request::new(self.fresh_key(), open))
        };
        let requests: Vec<Arc<PreparedRequest>> = (0..count).map(open).collect();
        let decided = self.transact(requests).await.into_iter().map(fresh);
        let opened = decided.map(|outcome| super::steps::opened(&receipts(&outcome)[0]));
        opened.map(|account| account.state.key.id).collect()
    }

    /// The greatest number of accounts in one transfer with the longest texts.
    fn most_legs(&self) -> usize {
        let (from, limits) = (AccountId::from_bytes([0x71; 16]), self.store().limits());
        let to = vec![AccountId::from_bytes([0x72; 16]); LEGS_MAX];
        let fits = |legs: &usize| {
            let request = pay_all(self.fresh_key(), from, &to[..*legs]);
            limits.admit(self.prepare(request).cost())
        };
        (1..=LEGS_MAX).rev().find(fits).expect("one leg fits")
    }
}

/// A transfer of the most legs with the longest texts is posted, read back and
/// replayed. One more leg is refused before any read, and leaves its key free.
pub async fn the_most_legs_with_the_longest_texts_are_one_request(kit: &StoreKit) {
    let most = kit.most_legs();
    let payer = kit.open_unlimited("payer").await;
    let payees = kit.open_many(most + 1).await;
    let key = kit.fresh_key();
    let more = pay_all(key.clone(), payer, &payees);
    let record = key.record_key(LedgerId::default());
    let wallet = Wallet::builder(kit.store()).clock(Arc::new(ManualClock::default()));
    // No task drives it, because the refusal comes earlier.
    let (wallet, driver) = wallet.build().unwrap();
    let refused = wallet.submit_raw(more).await.unwrap_err();
    drop(driver);
    let due = if most == LEGS_MAX {
        InvalidRequest::TooManyLegs
    } else {
        InvalidRequest::TooLarge
    };
    assert!(
        matches!(&refused, WalletError::Invalid(why) if *why == due),
        "{refused:?}"
    );
    assert_eq!(kit.store().records(&[record]).await.unwrap(), [None]);
    assert_eq!(kit.account(payer).await.state.version, 1);

    let request = pay_all(key, payer, &payees[..most]);
    let outcome = fresh(kit.submit(request.clone()).await);
    let done = posted(&receipts(&outcome)[0]);
    assert_eq!(done.effects.len(), 2 * most);
    kit.reopen().await;
    assert_eq!(replayed(kit.submit(request).await), outcome);
    let row = kit.transfer_now(done.transfer.key.id).await;
    assert_eq!(row.transfer, done.transfer);
    assert_eq!(row.transfer.details, longest());
    let count = i64::try_from(most).unwrap();
    let entries = kit.entries(payer).await;
    let sequences = entries.iter().map(|entry| entry.sequence);
    assert!(sequences.eq(1..=count));
    assert_eq!(kit.balances(payer).await.0, -i128::from(count));
    for payee in &payees[..most] {
        assert_eq!(kit.balances(*payee).await.0, 1);
    }
    assert_eq!(kit.balances(payees[most]).await.0, 0);
}

/// Several of the largest requests, up to the limits of a transaction, are one
/// batch, which is committed completely.
pub async fn a_batch_of_greatest_requests_is_committed(kit: &StoreKit) {
    let most = kit.most_legs();
    let from = kit.open_unlimited("payer").await;
    let to = kit.open("payee").await;
    let limits = kit.store().limits();
    let one = || kit.prepare(pay_all(kit.fresh_key(), from, &vec![to; most]));
    let cost = one().cost();
    let count = limits.requests.min(limits.rows / cost.rows);
    // A memory store takes any number; these are more than 1 MB.
    let count = count.min(limits.bytes / cost.bytes).min(4);
    let requests = (0..count).map(|_| one()).collect();
    let committed = kit.try_transact(requests).await.unwrap();
    assert_eq!(committed.decided.len(), count);
    let legs: usize = committed
        .decided
        .into_iter()
        .map(|decided| posted(&receipts(&fresh(decided))[0]).transfer.legs.len())
        .sum();
    assert_eq!(legs, count * most);
    let sum = i128::try_from(legs).unwrap();
    assert_eq!(kit.balances(to).await.0, sum);
    assert_eq!(kit.balances(from).await.0, -sum);
}

/// An account with very many entries: its statement can be read from any position,
/// its past balances equal those of its entries, and everything adds up.
///
/// `WALLET_KIT_ENTRIES` sets the number.
pub async fn an_account_of_many_entries_reads_and_adds_up(kit: &StoreKit) {
    let asked = std::env::var("WALLET_KIT_ENTRIES").ok();
    let count = asked.map_or(ENTRIES, |text| text.parse().expect("a number"));
    many_entries(kit, count).await;
}

/// The same with `count` entries.
pub async fn many_entries(kit: &StoreKit, count: Sequence) {
    let (from, to) = (
        kit.open_unlimited("payer").await,
        kit.open("merchant").await,
    );
    fill(kit, from, to, count).await;
    kit.reopen().await;
    for (account, sign) in [(from, -1), (to, 1)] {
        let state = kit.account(account).await.state;
        assert_eq!(state.sequence, count);
        assert_eq!(state.counters.posted(), sign * i128::from(count));
        for after in [0, 1, count / 2, count - 100, count - 1, count] {
            for order in [Order::Ascending, Order::Descending] {
                page(kit, account, after, order, count, sign).await;
            }
        }
        for sequence in [1, count / 3, count / 2, count] {
            past(kit, account, sequence, count, sign).await;
        }
    }
    let ledger = LedgerId::default();
    let sums = kit.store().trial_balance(ledger).await.unwrap();
    assert_eq!(sums.len(), 1);
    assert_eq!((sums[0].posted, sums[0].accounts), (0, 2));
}

/// One cent in each entry, ten legs in each transfer, a millisecond between commits.
async fn fill(kit: &StoreKit, from: AccountId, to: AccountId, count: Sequence) {
    let mut left = count;
    while left > 0 {
        let mut requests = Vec::new();
        while left > 0 && requests.len() < 100 {
            let legs = left.min(10);
            left -= legs;
            let legs = (0..legs).map(|_| Leg::new(from, to, cents(1))).collect();
            let request = Request::new(kit.fresh_key(), PostTransfer::new(legs));
            requests.push(kit.prepare(request));
        }
        for decided in kit.transact(requests).await {
            receipts(&fresh(decided));
        }
        kit.advance(Duration::from_millis(1));
    }
}

async fn page(
    kit: &StoreKit,
    account: AccountId,
    after: Sequence,
    order: Order,
    count: Sequence,
    sign: i128,
) {
    let limit = 100;
    let query = EntryQuery {
        after: Some(after),
        order,
        ..EntryQuery::first(at_home(account), limit)
    };
    let entries = kit.store().entries(&query).await.unwrap();
    let found = entries.iter().map(|entry| entry.sequence);
    match order {
        Order::Ascending => {
            assert!(found.eq(after + 1..=count.min(after + i64::from(limit))));
        }
        Order::Descending => {
            assert!(found.eq((1.max(after - i64::from(limit))..after).rev()));
        }
    }
    for entry in entries {
        assert_eq!(entry.balance_after, sign * i128::from(entry.sequence));
    }
}

/// The balance at an entry's time is the balance after the last entry with this
/// time.
async fn past(kit: &StoreKit, account: AccountId, sequence: Sequence, count: Sequence, sign: i128) {
    let entry = async |sequence: Sequence| {
        let query = EntryQuery {
            after: Some(sequence - 1),
            ..EntryQuery::first(at_home(account), 1)
        };
        kit.store().entries(&query).await.unwrap()[0]
    };
    let at = entry(sequence).await.created_at;
    let found = kit.store().balance_at(at_home(account), at).await.unwrap();
    let found = found.expect("an account");
    assert!(found.sequence >= sequence);
    assert_eq!(found.posted, sign * i128::from(found.sequence));
    assert_eq!(entry(found.sequence).await.created_at, at);
    if found.sequence < count {
        assert!(entry(found.sequence + 1).await.created_at > at);
    }
}
