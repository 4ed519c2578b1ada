//! The plan of requests. Every request follows from its place, so that a restarted
//! process sends the same request again. The verification knows from the plan what each
//! request moves.

use std::time::Duration;

use fastrand::Rng;
use wallet_core::ledger::{AccountKey, InLedger};
use wallet_core::request::{SystemAccount, SystemLeg, SystemTransfer};
use wallet_core::{
    AccountId, Capture, Command, Currency, Deposit, HoldId, IdempotencyKey, LedgerId, Leg, Money,
    OpenAccount, Owner, PlaceHold, PostTransfer, Request, Reverse, SettlementName, TransferId,
};

use crate::Result;

/// System accounts, whose events are not published.
pub(crate) const POSITIONS: u16 = 200;
/// Accounts of customers, whose events go all the way.
pub(crate) const CUSTOMERS: u16 = 64;
/// The initial funds of a position, in cents: enough for any run.
const FUNDS: i128 = 1_000_000_000_000;
/// The initial funds of a customer: sometimes too little.
const POCKET: i128 = 5_000;

/// The place of a request: its host, the caller of the host, the round of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) host: u16,
    pub(crate) caller: u16,
    pub(crate) round: u32,
}

/// The request of a place. Rounds come in pairs; the second may build on the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Transfer(Vec<Leg>),
    /// A transfer under an id of the caller's, which the next round undoes.
    Reversible(Leg),
    Reverse(Leg),
    Hold(Leg),
    Capture(Leg),
    /// A hold that nobody captures: it expires.
    Forgotten(Leg),
}

impl Step {
    /// The movements of an accepted request.
    pub(crate) fn moves(&self) -> Vec<Leg> {
        match self {
            Self::Transfer(legs) => legs.clone(),
            Self::Reversible(leg) | Self::Capture(leg) => vec![*leg],
            Self::Reverse(leg) => vec![Leg::new(leg.to, leg.from, leg.money)],
            Self::Hold(_) | Self::Forgotten(_) => Vec::new(),
        }
    }

    /// Whether it posts a transfer when it is accepted.
    pub(crate) const fn is_transfer(&self) -> bool {
        !matches!(self, Self::Hold(_) | Self::Forgotten(_))
    }
}

impl Place {
    pub(crate) fn key(self) -> Result<IdempotencyKey> {
        let text = format!("{}/{}/{}", self.host, self.caller, self.round);
        Ok(IdempotencyKey::parse("soak", &text)?)
    }

    /// The random generator of this pair of rounds.
    fn rng(self) -> Rng {
        let place = u64::from(self.host) << 48 | u64::from(self.caller) << 32;
        let mut rng = Rng::with_seed(place | u64::from(self.round / 2));
        // Similar seeds start with similar numbers.
        rng.u64(..);
        rng
    }

    fn id(self) -> [u8; 16] {
        let mut id = [0x70; 16];
        id[0..2].copy_from_slice(&self.host.to_be_bytes());
        id[2..4].copy_from_slice(&self.caller.to_be_bytes());
        id[8] = 0x80;
        id[9..13].copy_from_slice(&(self.round / 2).to_be_bytes());
        id
    }

    pub(crate) fn step(self) -> Result<Step> {
        let mut rng = self.rng();
        let kind = rng.u8(0..64);
        let is_first = self.round.is_multiple_of(2);
        // Only customers have holds and reversals.
        let pair = leg(&mut rng, true)?;
        let single = |rng: &mut Rng| Ok::<_, crate::Error>(Step::Transfer(vec![leg(rng, false)?]));
        Ok(match (kind, is_first) {
            (0..=1, true) => Step::Hold(pair),
            (0..=1, false) => Step::Capture(pair),
            (2..=3, true) => Step::Reversible(pair),
            (2..=3, false) => Step::Reverse(pair),
            (4, true) => Step::Forgotten(pair),
            (8..=11, true) => {
                let legs = (0..rng.usize(2..=6)).map(|_| leg(&mut rng, false));
                Step::Transfer(legs.collect::<Result<_>>()?)
            }
            (12..=15, true) => Step::Transfer(vec![leg(&mut rng, true)?]),
            (_, true) => single(&mut rng)?,
            (_, false) => {
                // Another account than that of the first round.
                rng.u64(..);
                single(&mut rng)?
            }
        })
    }

    pub(crate) fn request(self) -> Result<Request> {
        let hold = HoldId::from_bytes(self.id());
        let transfer = TransferId::from_bytes(self.id());
        let place = |leg: Leg| PlaceHold::new(leg.from, leg.to, leg.money).with_id(hold);
        let command: Command = match self.step()? {
            Step::Transfer(legs) => moving(legs),
            Step::Reversible(leg) => PostTransfer::new(vec![leg]).with_id(transfer).into(),
            Step::Reverse(_) => Reverse::new(transfer).into(),
            Step::Hold(leg) => place(leg).into(),
            Step::Forgotten(leg) => place(leg).with_expires_in(Duration::from_secs(1)).into(),
            Step::Capture(_) => Capture::new(hold).into(),
        };
        Ok(Request::new(self.key()?, command))
    }
}

/// Positions are system accounts, customers are not; no leg joins the two.
fn moving(legs: Vec<Leg>) -> Command {
    let is_customer_s = |leg: &Leg| (0..CUSTOMERS).any(|number| account(number) == leg.from);
    if legs.iter().any(is_customer_s) {
        return PostTransfer::new(legs).into();
    }
    let own = SystemAccount::Account;
    let legs = legs.into_iter();
    let legs = legs.map(|leg| SystemLeg::new(own(leg.from), own(leg.to), leg.money));
    SystemTransfer::new(legs.collect()).into()
}

pub(crate) fn eur() -> Result<Currency> {
    Ok(Currency::iso("EUR")?)
}

/// Customers come first, then positions.
pub(crate) fn account(number: u16) -> AccountId {
    let mut id = [0x77; 16];
    id[14..].copy_from_slice(&number.to_be_bytes());
    AccountId::from_bytes(id)
}

pub(crate) fn account_key(number: u16) -> AccountKey {
    InLedger::new(LedgerId::default(), account(number))
}

/// Every account but the bank's.
pub(crate) fn accounts() -> Vec<AccountKey> {
    (0..CUSTOMERS + POSITIONS).map(account_key).collect()
}

pub(crate) fn customers() -> Vec<AccountKey> {
    (0..CUSTOMERS).map(account_key).collect()
}

/// A quarter of all that positions move meets one of them.
fn position(rng: &mut Rng) -> u16 {
    let hot = rng.u8(0..4) == 0;
    CUSTOMERS + if hot { 0 } else { rng.u16(1..POSITIONS) }
}

fn leg(rng: &mut Rng, is_customer_s: bool) -> Result<Leg> {
    let (from, to) = if is_customer_s {
        let (from, to) = (rng.u16(0..CUSTOMERS), rng.u16(0..CUSTOMERS - 1));
        (from, to + u16::from(to >= from))
    } else {
        let from = position(rng);
        let to = CUSTOMERS + rng.u16(1..POSITIONS - 1);
        (from, to + u16::from(to >= from))
    };
    // One in a hundred is more than any customer has.
    let is_too_much = is_customer_s && rng.u8(0..100) == 0;
    let cents = if is_too_much {
        1_000_000_000
    } else {
        rng.u32(1..=300)
    };
    let money = Money::minor(i128::from(cents), eur()?)?;
    Ok(Leg::new(account(from), account(to), money))
}

/// Opens every account and pays its initial funds.
pub(crate) fn opening() -> Result<Vec<Request>> {
    let mut requests = Vec::new();
    for number in 0..CUSTOMERS + POSITIONS {
        let is_position = number >= CUSTOMERS;
        let key = IdempotencyKey::parse("set-up", &number.to_string())?;
        let open = OpenAccount::new(Owner::new("soak")?, eur()?);
        let open = open.with_id(account(number)).with_system(is_position);
        let bank = SettlementName::new("bank")?;
        let funds: Command = if is_position {
            let (bank, own) = (
                SystemAccount::Settlement(bank),
                SystemAccount::Account(account(number)),
            );
            let funds = Money::minor(FUNDS, eur()?)?;
            SystemTransfer::new(vec![SystemLeg::new(bank, own, funds)]).into()
        } else {
            Deposit::new(account(number), Money::minor(POCKET, eur()?)?, bank).into()
        };
        requests.push(Request::of_many(key, vec![open.into(), funds]));
    }
    Ok(requests)
}

/// The last word on each customer: one more event, which shows a consumer
/// whatever its queue has lost.
pub(crate) fn closing() -> Result<Vec<Request>> {
    let mut requests = Vec::new();
    for number in 0..CUSTOMERS {
        let key = IdempotencyKey::parse("closing", &number.to_string())?;
        let bank = SettlementName::new("bank")?;
        let pay = Deposit::new(account(number), Money::minor(1, eur()?)?, bank);
        requests.push(Request::new(key, pay));
    }
    Ok(requests)
}

/// The balance that opening and closing leave on an account.
pub(crate) const fn given(number: u16) -> i128 {
    if number < CUSTOMERS {
        POCKET + 1
    } else {
        FUNDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_place_always_asks_for_the_same() {
        let mut kinds = std::collections::BTreeSet::new();
        for round in 0..2_000 {
            let place = Place {
                host: 1,
                caller: 2,
                round,
            };
            let (request, step) = (place.request().unwrap(), place.step().unwrap());
            assert_eq!(request, place.request().unwrap());
            for leg in step.moves() {
                assert_ne!(leg.from, leg.to);
            }
            kinds.insert(format!("{step:?}").split('(').next().map(str::to_owned));
        }
        assert_eq!(kinds.len(), 6, "{kinds:?}");
    }

    #[test]
    fn the_second_of_a_pair_undoes_or_captures_the_first() {
        let mut pairs = 0;
        for round in (0..2_000).step_by(2) {
            let at = |round| Place {
                host: 0,
                caller: 0,
                round,
            };
            match (at(round).step().unwrap(), at(round + 1).step().unwrap()) {
                (Step::Hold(held), Step::Capture(captured)) => assert_eq!(held, captured),
                (Step::Reversible(leg), Step::Reverse(back)) => assert_eq!(leg, back),
                (first, second) => {
                    assert_ne!(first, second);
                    continue;
                }
            }
            pairs += 1;
        }
        assert!(pairs > 50);
    }
}
