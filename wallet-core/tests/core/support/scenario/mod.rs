//! One accepted command per scenario, and all conditions that can refuse it.

mod accounts;
mod holds;
mod money;
mod reversals;

use wallet_core::ledger::AccountState;
use wallet_core::{AccountId, Command, Rejection};

use super::{World, in_ledger};

/// The place that a condition occupies. Two conditions of one place cannot hold at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The new id of a command.
    NewId,
    /// The row of the hold. A missing hold has no state.
    HoldRow,
    /// A hold has one status.
    HoldStatus,
    /// A hold has expired or not.
    HoldTime,
    /// The amount or the legs of a command.
    What,
    /// The row of the transfer. A missing transfer has no legs.
    TransferRow,
    /// A transfer is a reversal or not.
    TransferKind,
    /// The reversed amounts.
    Totals,
    /// An account holds one currency.
    Currency(Side),
    /// An account has one status.
    Status(Side),
    /// An account has one posted balance.
    Sums(Side),
    /// An account has open holds or not.
    Pending(Side),
    /// An account has one ceiling.
    Ceiling(Side),
    /// An account has one version.
    Version(Side),
    /// An account has one sequence.
    Sequence(Side),
    /// An account is a system account or not.
    System(Side),
}

/// The side of a command that an account is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    From,
    To,
}

use Side::{From, To};

/// A state, and a command that it accepts.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub world: World,
    pub command: Command,
    pub from: AccountId,
    pub to: AccountId,
}

/// All places of an account. A missing account has no state.
pub(crate) const fn places_of(side: Side) -> [Place; 8] {
    [
        Place::Currency(side),
        Place::Status(side),
        Place::Sums(side),
        Place::Pending(side),
        Place::Ceiling(side),
        Place::Version(side),
        Place::Sequence(side),
        Place::System(side),
    ]
}

impl Scenario {
    fn id(&self, side: Side) -> AccountId {
        match side {
            From => self.from,
            To => self.to,
        }
    }
}

/// Makes a state refuse a command that it would accept.
pub(crate) struct Condition {
    pub name: String,
    pub rejection: Rejection,
    pub places: Vec<Place>,
    pub apply: Box<dyn Fn(&mut Scenario)>,
}

pub(crate) fn condition(
    name: &str,
    rejection: Rejection,
    places: &[Place],
    apply: impl Fn(&mut Scenario) + 'static,
) -> Condition {
    Condition {
        name: name.to_owned(),
        rejection,
        places: places.to_vec(),
        apply: Box::new(apply),
    }
}

/// A condition of one account's state.
pub(crate) fn edit(
    side: Side,
    name: &str,
    rejection: Rejection,
    place: Place,
    change: impl Fn(&mut AccountState) + 'static,
) -> Condition {
    let name = format!("{side:?} {name}");
    condition(&name, rejection, &[place], move |s| {
        let id = s.id(side);
        change(s.world.edit(id));
    })
}

pub(crate) fn missing(side: Side) -> Condition {
    let name = format!("{side:?} missing");
    let places = places_of(side);
    condition(&name, Rejection::AccountNotFound, &places, move |s| {
        let key = in_ledger(s.id(side));
        s.world.tables.accounts.remove(&key);
    })
}

/// A named case: a scenario and all conditions that can refuse it.
pub(crate) struct Case {
    pub name: &'static str,
    pub scenario: fn() -> Scenario,
    pub conditions: Vec<Condition>,
    /// Rejections of the command that cannot compete, with the reason.
    pub apart: &'static [(Rejection, Rejection, &'static str)],
}

pub(crate) fn scenario(
    world: World,
    from: AccountId,
    to: AccountId,
    command: impl Into<Command>,
) -> Scenario {
    Scenario {
        world,
        command: command.into(),
        from,
        to,
    }
}

/// Every command with all conditions that can refuse it.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        accounts::open(),
        accounts::close(),
        accounts::limits(),
        money::post_transfer(),
        money::deposit(),
        money::withdrawal(),
        money::system_transfer(),
        money::split(),
        money::place_hold(),
        holds::capture(),
        holds::release(),
        holds::expire(),
        reversals::reverse(),
    ]
}
