use std::time::Duration;

use crate::{
    AccountId, Amount, Capture, Command, Currency, Deposit, HoldId, LedgerId, Leg, Money,
    OpenAccount, Outcome, Owner, PlaceHold, PostTransfer, Receipt, Release, Reverse, ReverseWhat,
    SettlementName, TransferId, Withdrawal,
};

use super::Rng;

/// How many accounts each client opens.
const ACCOUNTS_EACH: u64 = 2;

/// What clients know of the books: what their answers told them.
#[derive(Debug, Default)]
pub(super) struct Known {
    transfers: Vec<TransferId>,
    holds: Vec<HoldId>,
}

impl Known {
    /// Learns from an answer.
    pub(super) fn learn(&mut self, outcome: &Outcome) {
        for receipt in outcome.receipts() {
            match receipt {
                Receipt::Posted(posted) => self.transfers.push(posted.transfer.key.id),
                Receipt::HoldChanged(changed) => self.holds.push(changed.hold.key.id),
                Receipt::AccountOpened(_) | Receipt::AccountChanged(_) => {}
            }
        }
    }
}

/// What a client asks first: its accounts, with money on them.
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

/// What a client asks next.
pub(super) fn commands(rng: &Rng, clients: u64, known: &Known) -> Vec<Command> {
    let count = if rng.chance(150) { 2 } else { 1 };
    (0..count).map(|_| command(rng, clients, known)).collect()
}

fn command(rng: &Rng, clients: u64, known: &Known) -> Command {
    let accounts = clients * ACCOUNTS_EACH;
    let any = || account(rng.below(accounts));
    let much = money(1 + i128::from(rng.below(400)));
    match rng.below(100) {
        0..15 => Deposit::new(any(), much, bank()).into(),
        15..20 => Withdrawal::new(any(), much, bank()).into(),
        20..35 => {
            let [from, to] = two(rng, accounts);
            let life = rng
                .chance(300)
                .then(|| Duration::from_millis(200 + rng.below(4_000)));
            PlaceHold::new(from, to, much).with_expires_in(life).into()
        }
        35..47 if !known.holds.is_empty() => {
            let hold = known.holds[rng.index(known.holds.len())];
            let part = rng.chance(500).then_some(much.amount);
            let is_final = rng.chance(300).then_some(true);
            Capture::new(hold)
                .with_amount(part)
                .with_is_final(is_final)
                .into()
        }
        47..53 if !known.holds.is_empty() => {
            Release::new(known.holds[rng.index(known.holds.len())]).into()
        }
        53..63 if !known.transfers.is_empty() => {
            let transfer = known.transfers[rng.index(known.transfers.len())];
            let part = Amount::new(1 + i128::from(rng.below(50))).unwrap();
            let what = if rng.chance(500) {
                ReverseWhat::Rest
            } else {
                ReverseWhat::Amount(part)
            };
            Reverse::new(transfer)
                .with_what(what)
                .with_force(rng.chance(200))
                .into()
        }
        _ => {
            let legs = (0..=rng.below(2)).map(|_| {
                let [from, to] = two(rng, accounts);
                Leg::new(from, to, money(1 + i128::from(rng.below(300))))
            });
            PostTransfer::new(legs.collect()).into()
        }
    }
}

/// The accounts of the default ledger that a run of `clients` moves money on,
/// without the settlement account.
pub(super) fn accounts(clients: u64) -> impl Iterator<Item = AccountId> {
    (0..clients * ACCOUNTS_EACH).map(account)
}

/// The settlement account of a run.
pub(super) fn settlement() -> AccountId {
    crate::settlement_account(LedgerId::default(), euro(), &bank(), 0)
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
