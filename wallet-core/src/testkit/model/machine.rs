use std::sync::Arc;

use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;

use crate::testkit::{ManualClock, SeededIds};
use crate::{
    AccountKey, HoldKey, IdempotencyKey, InLedger, InvalidRequest, KeyScope, KeyText, LedgerId,
    PastBalance, Prepared, Request, SettlementShards, Timestamp,
};

use super::concrete::Scene;
use super::steps::{self, Draft};
use super::{Expected, Model, values};

/// One step of a run.
#[derive(Debug, Clone)]
pub enum Step {
    /// Submit requests together.
    Submit(Vec<Draft>),
    /// Move the clock, in milliseconds.
    Clock(i32),
    /// Expire every hold whose time is over.
    Sweep,
    /// Ask for an account's balance some milliseconds ago.
    PastBalance(u8, i32),
}

/// The model, the time, and all that was asked so far.
#[derive(Debug, Clone)]
pub struct World {
    pub(super) model: Model,
    pub(super) now: Timestamp,
    pub(super) sent: Vec<Request>,
    prepared_count: u64,
    /// What the last step asks of the store, and what is expected.
    pub(super) task: Task,
}

/// What a step asks of a store.
#[derive(Debug, Clone)]
pub(super) enum Task {
    Nothing,
    Submit(Vec<(Arc<Prepared>, Expected)>),
    /// The holds to expire, and their requests.
    Sweep(Vec<HoldKey>, Vec<(Arc<Prepared>, Expected)>),
    PastBalance(AccountKey, Timestamp, Option<PastBalance>),
}

impl Default for World {
    fn default() -> Self {
        Self {
            model: Model::default(),
            now: ManualClock::START,
            sent: Vec::new(),
            prepared_count: 0,
            task: Task::Nothing,
        }
    }
}

impl World {
    /// The model as it is after the last step.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// Takes one step: afterwards `task` says what the store is to do.
    pub(super) fn take(&mut self, step: &Step) {
        self.task = match step {
            Step::Submit(drafts) => self.submit(drafts),
            Step::Clock(millis) => {
                let micros = self.now.as_micros() + i64::from(*millis) * 1_000;
                self.now = Timestamp::from_micros(micros);
                Task::Nothing
            }
            Step::Sweep => {
                let due = self.model.expired(self.now);
                let requests = due.iter().map(|hold| {
                    let prepared = Prepared::expiry(*hold, &SeededIds::new(0));
                    (Arc::new(prepared), self.model.sweep(*hold, self.now))
                });
                let requests = requests.collect();
                Task::Sweep(due, requests)
            }
            Step::PastBalance(place, ago) => {
                let ledger = LedgerId::default();
                let account = InLedger::new(ledger, values::account(ledger, *place));
                let at = Timestamp::from_micros(self.now.as_micros() + i64::from(*ago) * 1_000);
                Task::PastBalance(account, at, self.model.balance_at(account, at))
            }
        };
    }

    fn submit(&mut self, drafts: &[Draft]) -> Task {
        let mut task = Vec::new();
        let mut keys = Vec::new();
        for draft in drafts {
            let request = self.request(draft);
            let key = (request.ledger(), request.key().clone());
            // A batch holds each key once: the service lets the second wait.
            if keys.contains(&key) {
                continue;
            }
            keys.push(key);
            self.prepared_count += 1;
            let ids = SeededIds::new(self.prepared_count);
            let prepared = Prepared::new(request.clone(), &ids, &SettlementShards::new());
            let prepared = match prepared {
                Ok(prepared) => prepared,
                // A settlement account that settles with itself.
                Err(InvalidRequest::SameAccount) => continue,
                Err(error) => panic!("a draft is no valid request: {error}"),
            };
            let expected = self.model.submit(&request, &prepared.ids(), self.now);
            task.push((Arc::new(prepared), expected));
            self.sent.push(request);
        }
        Task::Submit(task)
    }

    fn request(&self, draft: &Draft) -> Request {
        let earlier = usize::from(draft.earlier_key).checked_rem(self.sent.len());
        let earlier = earlier.filter(|_| draft.earlier_key > 0);
        let earlier = earlier.map(|index| self.sent[index].clone());
        if let (Some(earlier), true) = (&earlier, draft.is_retry) {
            return earlier.clone();
        }
        let ledger = LedgerId::new(draft.ledger.into());
        let asks = draft.asks.iter();
        let books = self.model.books();
        let scene = Scene { ledger, books };
        let commands = asks.map(|ask| scene.command(ask));
        let key = earlier.map_or_else(|| self.fresh_key(), |earlier| earlier.key().clone());
        Request::of_many(key, commands.collect()).in_ledger(ledger)
    }

    fn fresh_key(&self) -> IdempotencyKey {
        let number = self.sent.len();
        let scope = KeyScope::new("model").unwrap();
        let key = IdempotencyKey::new(scope, KeyText::new(&format!("{}", number / 2)).unwrap());
        // Every second one is an item of a batch.
        if number.is_multiple_of(2) {
            key
        } else {
            key.child(0)
        }
    }
}

/// Random runs of the model.
#[derive(Debug)]
pub struct Machine;

impl ReferenceStateMachine for Machine {
    type State = World;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<World> {
        Just(World::default()).boxed()
    }

    fn transitions(world: &World) -> BoxedStrategy<Step> {
        if world.sent.is_empty() {
            Just(steps::opening()).boxed()
        } else {
            steps::step().boxed()
        }
    }

    fn apply(mut world: World, step: &Step) -> World {
        world.take(step);
        world
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::{Receipt, Rejection};

    /// Counts what random runs come to.
    fn reached() -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        let mut runner = TestRunner::deterministic();
        for _ in 0..120 {
            let runs = Machine::sequential_strategy(30);
            let (mut world, steps, _) = runs.new_tree(&mut runner).unwrap().current();
            for step in steps {
                world.take(&step);
                let (Task::Submit(requests) | Task::Sweep(_, requests)) = &world.task else {
                    continue;
                };
                for (_, expected) in requests {
                    for name in names(expected) {
                        *counts.entry(name).or_default() += 1;
                    }
                }
            }
        }
        counts
    }

    fn names(expected: &Expected) -> Vec<String> {
        match expected {
            Expected::Replayed(_) => vec!["replay".to_owned()],
            Expected::Mismatch => vec!["mismatch".to_owned()],
            Expected::ClockBehind(_) => vec!["clock behind".to_owned()],
            Expected::Fresh(outcome) => match &outcome.result {
                Err(rejected) => vec![rejected.rejection.code().to_owned()],
                Ok(receipts) => receipts.iter().map(receipt_name).collect(),
            },
        }
    }

    fn receipt_name(receipt: &Receipt) -> String {
        match receipt {
            Receipt::AccountOpened(_) => "opened".to_owned(),
            Receipt::AccountChanged(changed) => format!("changed {:?}", changed.effect),
            Receipt::Posted(posted) => format!("{:?}", posted.transfer.kind),
            Receipt::HoldChanged(changed) => format!("hold {:?}", changed.hold.status),
        }
    }

    #[test]
    fn random_runs_reach_every_answer() {
        let counts = reached();
        let codes = Rejection::ALL
            .iter()
            .filter(|code| **code != Rejection::CounterOverflow);
        let others = [
            "replay",
            "mismatch",
            "clock behind",
            "opened",
            "changed None",
            "changed Some(StatusChanged)",
            "changed Some(LimitsChanged)",
            "Transfer",
            "Deposit",
            "Withdrawal",
            "Split",
            "Capture",
            "Reversal",
            "hold Pending",
            "hold Released",
            "hold Expired",
        ];
        let wanted = codes.map(|code| code.code()).chain(others);
        let missing: Vec<_> = wanted.filter(|name| !counts.contains_key(*name)).collect();
        assert_eq!(missing, Vec::<&str>::new(), "{counts:#?}");
    }
}
