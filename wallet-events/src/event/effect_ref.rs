use std::sync::Arc;

use wallet_core::ledger::{
    AccountKey, AccountState, EffectKind, Epoch, InLedger, Restore, Version,
};
use wallet_core::store::EventIndex;
use wallet_core::{LedgerId, Outcome, Owner, Receipt, Timestamp};

use super::{Balance, Event, EventEntry, Terms};

/// The position of one effect in the outcomes of a commit. It is small, so that many can
/// wait. The event is built when it is published.
#[derive(Debug, Clone)]
pub(crate) struct EffectRef {
    /// The effect's index among all effects of its row.
    pub(crate) index: EventIndex,
    pub(crate) account: AccountKey,
    pub(crate) version: Version,
    /// Whether the account is a system account of the host.
    pub(crate) is_system: bool,
    /// The account's owner, if the effect holds it.
    pub(crate) owner: Option<Owner>,
    /// The restores of the database, if the effect is of a later epoch.
    pub(crate) restores: Arc<[Restore]>,
    outcome: Arc<(LedgerId, Outcome)>,
    receipt: usize,
    effect: usize,
}

/// Every effect of a commit, in order.
pub(crate) fn effects_of(outcomes: Vec<(LedgerId, Outcome)>) -> Vec<EffectRef> {
    let mut refs = Vec::new();
    let mut index: EventIndex = 0;
    for outcome in outcomes {
        let outcome = Arc::new(outcome);
        for (receipt, of) in outcome.1.receipts().iter().enumerate() {
            for (effect, (account, version, is_system, owner)) in
                effects(outcome.0, of).into_iter().enumerate()
            {
                refs.push(EffectRef {
                    index,
                    account,
                    version,
                    is_system,
                    owner,
                    restores: Arc::default(),
                    outcome: Arc::clone(&outcome),
                    receipt,
                    effect,
                });
                index = index.saturating_add(1);
            }
        }
    }
    refs
}

type Mark = (AccountKey, Version, bool, Option<Owner>);

fn effects(ledger: LedgerId, receipt: &Receipt) -> Vec<Mark> {
    let of_state = |state: &AccountState, owner| (state.key, state.version, state.system, owner);
    let of_effects = |effects: &[wallet_core::ledger::Effect]| {
        let marks = effects.iter().map(|effect| {
            let account = InLedger::new(ledger, effect.account);
            (account, effect.version, effect.system, None)
        });
        marks.collect()
    };
    match receipt {
        Receipt::AccountOpened(account) => {
            vec![of_state(&account.state, Some(account.owner.clone()))]
        }
        Receipt::AccountChanged(changed) => {
            let effect = changed.effect.iter();
            effect.map(|_| of_state(&changed.state, None)).collect()
        }
        Receipt::Posted(posted) => of_effects(&posted.effects),
        Receipt::HoldChanged(changed) => of_effects(&changed.effects),
        // The core's enum may grow; an unknown receipt has no events.
        _ => Vec::new(),
    }
}

impl EffectRef {
    /// The epoch of the commit.
    pub(crate) fn epoch(&self) -> Epoch {
        self.outcome.1.epoch
    }

    /// The event itself; `None` if the commit does not hold the effect.
    pub(crate) fn event(&self, owner: Owner) -> Option<Event> {
        let outcome = &self.outcome.1;
        let receipt = outcome.receipts().get(self.receipt)?;
        let effects = match receipt {
            Receipt::AccountOpened(account) => {
                return Some(self.of_state(&account.state, EffectKind::Opened, owner, outcome.at));
            }
            Receipt::AccountChanged(changed) => {
                return Some(self.of_state(&changed.state, changed.effect?, owner, outcome.at));
            }
            Receipt::Posted(posted) => &posted.effects,
            Receipt::HoldChanged(changed) => &changed.effects,
            _ => return None,
        };
        let effect = effects.get(self.effect)?;
        let entry = effect.entry.map(|mark| EventEntry {
            sequence: mark.sequence,
            direction: mark.direction,
            amount: mark.amount,
            leg: mark.leg,
        });
        let (transfer, hold) = match receipt {
            Receipt::Posted(posted) => (
                Some(posted.transfer.clone()),
                posted.hold.as_deref().cloned(),
            ),
            Receipt::HoldChanged(changed) => (None, Some(changed.hold.clone())),
            _ => return None,
        };
        let currency = match (&transfer, &hold) {
            (Some(transfer), _) => {
                let leg = usize::from(entry.map_or(0, |entry| entry.leg));
                transfer.legs.get(leg)?.money.currency
            }
            (None, Some(hold)) => hold.money.currency,
            (None, None) => return None,
        };
        Some(Event {
            account: self.account,
            epoch: outcome.epoch,
            version: self.version,
            kind: effect.kind,
            at: outcome.at,
            owner,
            currency,
            balance: Balance::from(&effect.counters),
            entry,
            transfer,
            hold,
            terms: None,
            restores: self.restores.to_vec(),
        })
    }

    fn of_state(
        &self,
        state: &AccountState,
        kind: EffectKind,
        owner: Owner,
        at: Timestamp,
    ) -> Event {
        Event {
            account: self.account,
            epoch: self.epoch(),
            version: self.version,
            kind,
            at,
            owner,
            currency: state.currency,
            balance: Balance::from(&state.counters),
            entry: None,
            transfer: None,
            hold: None,
            terms: Some(Terms {
                status: state.status,
                policy: state.policy,
                max_balance: state.max_balance,
            }),
            restores: self.restores.to_vec(),
        }
    }
}
