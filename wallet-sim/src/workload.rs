use std::time::Duration;

use wallet_core::ledger::{AccountKey, InLedger};
use wallet_core::request::{Change, ReverseWhat};
use wallet_core::{
    AccountId, Amount, Capture, ChangeLimits, ChangeStatus, Command, Currency, Deposit, HoldId,
    LedgerId, Leg, Money, OpenAccount, Outcome, Owner, PlaceHold, Policy, PostTransfer, Receipt,
    Release, Reverse, SettlementName, Status, TransferId, Withdrawal,
};

use super::Rng;

/// The number of accounts that each client opens.
const ACCOUNTS_EACH: u64 = 2;
/// The account that everybody pays: the hot merchant.
const MERCHANT: u64 = 0;

/// The knowledge of clients about the ledger, from their answers.
#[derive(Debug, Default)]
pub(super) struct Known {
    transfers: Vec<TransferId>,
    holds: Vec<HoldId>,
    frozen: Vec<AccountId>,
}

impl Known {
    /// Learns from an outcome.
    pub(super) fn learn(&mut self, outcome: &Outcome) {
        for receipt in outcome.receipts() {
            match receipt {
                Receipt::Posted(posted) => self.transfers.push(posted.transfer.key.id),
                Receipt::HoldChanged(changed) => self.holds.push(changed.hold.key.id),
                Receipt::AccountChanged(changed) => {
                    let id = changed.state.key.id;
                    self.frozen.retain(|known| *known != id);
                    if changed.state.status != Status::Active {
                        self.frozen.push(id);
                    }
                }
                _ => {}
            }
        }
    }

    /// Mostly one of the latest holds, because those are still open.
    fn hold(&self, rng: &Rng) -> Option<HoldId> {
        recent(rng, &self.holds)
    }

    fn transfer(&self, rng: &Rng) -> Option<TransferId> {
        recent(rng, &self.transfers)
    }
}

fn recent<T: Copy>(rng: &Rng, all: &[T]) -> Option<T> {
    let latest = &all[all.len().saturating_sub(8)..];
    let some = if rng.chance(700) { latest } else { all };
    (!some.is_empty()).then(|| some[rng.index(some.len())])
}

/// The first commands of a client: it opens its accounts and deposits money.
pub(super) fn opening(client: u64) -> Vec<Command> {
    let mut commands = Vec::new();
    for number in 0..ACCOUNTS_EACH {
        let id = account(client * ACCOUNTS_EACH + number);
        let owner = Owner::new(&format!("client-{client}")).unwrap();
        commands.push(OpenAccount::new(owner, euro()).with_id(Some(id)).into());
        commands.push(Deposit::new(id, money(1_000), bank()).into());
    }
    commands
}

/// The next commands of a client.
pub(super) fn commands(rng: &Rng, clients: u64, known: &Known) -> Vec<Command> {
    let count = if rng.chance(150) { 2 } else { 1 };
    (0..count).map(|_| command(rng, clients, known)).collect()
}

fn command(rng: &Rng, clients: u64, known: &Known) -> Command {
    let accounts = clients * ACCOUNTS_EACH;
    let much = money(1 + i128::from(rng.below(400)));
    match rng.below(100) {
        0..10 => Deposit::new(account(rng.below(accounts)), much, bank()).into(),
        10..14 => Withdrawal::new(account(rng.below(accounts)), much, bank()).into(),
        14..30 => {
            let from = account(1 + rng.below(accounts - 1));
            let little = money(1 + i128::from(rng.below(100)));
            PostTransfer::new(vec![Leg::new(from, account(MERCHANT), little)]).into()
        }
        30..44 => place_hold(rng, accounts, much),
        44..58 => capture(rng, accounts, known, much.amount),
        58..63 => match known.hold(rng) {
            Some(hold) => Release::new(hold).into(),
            None => pay(rng, accounts),
        },
        63..72 => reverse(rng, accounts, known),
        72..76 => {
            let status = rng.pick(&[Status::DebitsFrozen, Status::CreditsFrozen, Status::Frozen]);
            ChangeStatus::new(account(rng.below(accounts)), status).into()
        }
        76..84 if !known.frozen.is_empty() => {
            let frozen = known.frozen[rng.index(known.frozen.len())];
            ChangeStatus::new(frozen, Status::Active).into()
        }
        84..86 => change_limits(rng, accounts),
        _ => pay(rng, accounts),
    }
}

/// One to three legs from one account to the next.
fn pay(rng: &Rng, accounts: u64) -> Command {
    let count = rng.pick(&[1, 1, 1, 1, 2, 3]);
    let legs = (0..count).map(|_| {
        let [from, to] = two(rng, accounts);
        Leg::new(from, to, money(1 + i128::from(rng.below(300))))
    });
    PostTransfer::new(legs.collect()).into()
}

fn place_hold(rng: &Rng, accounts: u64, much: Money) -> Command {
    let [from, to] = two(rng, accounts);
    let life = rng
        .chance(600)
        .then(|| Duration::from_millis(100 + rng.below(2_000)));
    PlaceHold::new(from, to, much).with_expires_in(life).into()
}

fn capture(rng: &Rng, accounts: u64, known: &Known, much: Amount) -> Command {
    let Some(hold) = known.hold(rng) else {
        return place_hold(rng, accounts, money(much.minor()));
    };
    let part = rng
        .chance(600)
        .then(|| Amount::new(1 + much.minor() / 4).unwrap());
    let is_final = rng.chance(200).then_some(true);
    Capture::new(hold)
        .with_amount(part)
        .with_is_final(is_final)
        .into()
}

fn reverse(rng: &Rng, accounts: u64, known: &Known) -> Command {
    let Some(transfer) = known.transfer(rng) else {
        return pay(rng, accounts);
    };
    let part = Amount::new(1 + i128::from(rng.below(50))).unwrap();
    let what = rng.pick(&[0, 0, 1, 2]);
    let what = match what {
        0 => ReverseWhat::Rest,
        1 => ReverseWhat::Amount(part),
        _ => ReverseWhat::Proportional(part),
    };
    Reverse::new(transfer)
        .with_what(what)
        .with_force(rng.chance(200))
        .into()
}

fn change_limits(rng: &Rng, accounts: u64) -> Command {
    let amount = |minor: u64| Amount::new(i128::from(minor)).unwrap();
    let policy = rng.pick(&[Policy::NonNegative, Policy::Overdraft(amount(100))]);
    let ceiling = rng.pick(&[Change::Clear, Change::Set(amount(3_000 + rng.below(2_000)))]);
    ChangeLimits::new(account(rng.below(accounts)))
        .with_policy(Some(policy))
        .with_max_balance(ceiling)
        .into()
}

/// The accounts of the default ledger that a run of `clients` moves money on,
/// without the settlement account.
pub(super) fn accounts(clients: u64) -> impl Iterator<Item = AccountId> {
    (0..clients * ACCOUNTS_EACH).map(account)
}

/// The same accounts and the settlement account, as keys.
pub(super) fn account_keys(clients: u64) -> Vec<AccountKey> {
    let all = accounts(clients).chain([settlement()]);
    all.map(|id| InLedger::new(LedgerId::default(), id))
        .collect()
}

/// The settlement account of a run.
pub(super) fn settlement() -> AccountId {
    wallet_core::ledger::settlement_account(LedgerId::default(), euro(), &bank(), 0)
}

fn two(rng: &Rng, accounts: u64) -> [AccountId; 2] {
    let from = rng.below(accounts);
    let to = (from + 1 + rng.below(accounts - 1)) % accounts;
    [account(from), account(to)]
}

fn account(number: u64) -> AccountId {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&number.to_be_bytes());
    let id = uuid::Builder::from_unix_timestamp_millis(1_700_000_000_000, &bytes);
    AccountId::new(id.into_uuid())
}

fn euro() -> Currency {
    Currency::new("EUR", 2).unwrap()
}

fn bank() -> SettlementName {
    SettlementName::new("bank").unwrap()
}

fn money(minor: i128) -> Money {
    Money::minor(minor, euro()).unwrap()
}
