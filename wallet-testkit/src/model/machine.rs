use std::sync::Arc;

use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;

use crate::{ManualClock, SeededIds};
use wallet_core::ledger::{
    AccountKey, HoldKey, InLedger, KeyScope, KeyText, PastBalance, SettlementShards,
};
use wallet_core::request::{BulkRequest, InvalidRequest, PreparedRequest};
use wallet_core::{Command, IdempotencyKey, LedgerId, Request, Timestamp};

use super::concrete::Scene;
use super::steps::{self, Draft, Form};
use super::{Expected, Model, values};

/// One step of a run.
#[derive(Debug, Clone)]
pub enum Step {
    /// Submit requests together.
    Submit(Vec<Draft>),
    /// Move the clock, in milliseconds.
    Clock(i32),
    /// Expire every expired hold.
    Sweep,
    /// Read an account's balance some milliseconds ago.
    PastBalance(u8, i32),
}

/// The model, the time, and all requests so far.
#[derive(Debug, Clone)]
pub struct World {
    pub(super) model: Model,
    pub(super) now: Timestamp,
    pub(super) sent: Vec<Sent>,
    prepared_count: u64,
    /// The work of the last step for the store, with the expected result.
    pub(super) task: Task,
}

/// A request under a new key.
#[derive(Debug, Clone)]
pub(super) enum Sent {
    Request(Request),
    Bulk(BulkRequest),
    Cancellation(LedgerId, IdempotencyKey),
}

impl Sent {
    const fn key(&self) -> (LedgerId, &IdempotencyKey) {
        match self {
            Self::Request(request) => (request.ledger(), request.key()),
            Self::Bulk(bulk) => (bulk.ledger(), bulk.key()),
            Self::Cancellation(ledger, key) => (*ledger, key),
        }
    }

    fn commands(&self) -> &[Command] {
        match self {
            Self::Request(request) => request.commands(),
            Self::Bulk(bulk) => bulk.items(),
            Self::Cancellation(..) => &[],
        }
    }
}

/// The work of a step for a store.
#[derive(Debug, Clone)]
pub(super) enum Task {
    Nothing,
    Submit(Vec<(Arc<PreparedRequest>, Expected)>),
    /// The holds to expire, and their requests.
    Sweep(Vec<HoldKey>, Vec<(Arc<PreparedRequest>, Expected)>),
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
    /// The model after the last step.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// Takes one step. Afterwards `task` has the work for the store.
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
                    let prepared = PreparedRequest::expiry(*hold, &SeededIds::new(0));
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
            let sent = self.draw(draft);
            let (ledger, key) = sent.key();
            let key = (ledger, key.clone());
            // A batch holds each key once. The service makes the second wait.
            if keys.contains(&key) {
                continue;
            }
            keys.push(key);
            self.prepared_count += 1;
            let ids = SeededIds::new(self.prepared_count);
            let shards = SettlementShards::new();
            match &sent {
                Sent::Request(request) => {
                    let Some(prepared) =
                        valid(PreparedRequest::new(request.clone(), &ids, &shards))
                    else {
                        continue;
                    };
                    let expected = self.model.submit(request, &prepared.ids(), self.now);
                    task.push((Arc::new(prepared), expected));
                }
                Sent::Bulk(bulk) => {
                    let items = PreparedRequest::bulk(bulk.clone(), &ids, &shards);
                    let Some(items) = valid(items.map_err(|(_, error)| error)) else {
                        continue;
                    };
                    for (index, item) in (0..).zip(items) {
                        let id = item.ids()[0];
                        let expected = self.model.submit_item(bulk, index, id, self.now);
                        task.push((Arc::new(item), expected));
                    }
                }
                Sent::Cancellation(ledger, key) => {
                    let expected = self.model.cancel(*ledger, key, self.now);
                    let prepared = PreparedRequest::cancellation(key.record_key(*ledger));
                    task.push((Arc::new(prepared), expected));
                }
            }
            self.sent.push(sent);
        }
        Task::Submit(task)
    }

    fn draw(&self, draft: &Draft) -> Sent {
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
        let mut commands: Vec<Command> = commands.collect();
        let (ledger, key) = match &earlier {
            None => (ledger, self.fresh_key()),
            // Under the same key in the same ledger, often with more commands after or
            // before the earlier ones, or in another form.
            Some(earlier) => {
                let (before, key) = earlier.key();
                match draft.earlier_key % 8 {
                    0..3 => {}
                    3 | 4 => commands
                        .splice(0..0, earlier.commands().to_vec())
                        .for_each(drop),
                    5 => commands.extend_from_slice(earlier.commands()),
                    _ if earlier.commands().is_empty() => {}
                    _ => commands = earlier.commands().to_vec(),
                }
                let same = draft.earlier_key % 8 > 2;
                (if same { before } else { ledger }, key.clone())
            }
        };
        match draft.form {
            Form::Alone if commands.len() == 1 => {
                Sent::Request(Request::new(key, commands.remove(0)).in_ledger(ledger))
            }
            Form::Alone | Form::List => {
                Sent::Request(Request::of_many(key, commands).in_ledger(ledger))
            }
            Form::Bulk => Sent::Bulk(BulkRequest::new(key, commands).in_ledger(ledger)),
            Form::Cancellation => Sent::Cancellation(ledger, key),
        }
    }

    fn fresh_key(&self) -> IdempotencyKey {
        let scope = KeyScope::new("model").unwrap();
        IdempotencyKey::new(scope, KeyText::new(&self.sent.len().to_string()).unwrap())
    }
}

/// Returns the valid request. A settlement account that settles with itself is not
/// valid.
fn valid<T>(prepared: Result<T, InvalidRequest>) -> Option<T> {
    match prepared {
        Ok(prepared) => Some(prepared),
        Err(InvalidRequest::SameAccount) => None,
        Err(error) => panic!("a draft is no valid request: {error}"),
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
    use wallet_core::{Receipt, Rejection};

    /// Counts the results of random runs.
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
            Expected::Replayed(outcome) if outcome.is_cancelled() => {
                vec!["replayed cancellation".to_owned()]
            }
            Expected::Replayed(_) => vec!["replay".to_owned()],
            Expected::Mismatch => vec!["mismatch".to_owned()],
            Expected::Blocked => vec!["blocked".to_owned()],
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
            Receipt::BulkAccepted { .. } => "bulk".to_owned(),
            other => panic!("the model does not know {other:?}"),
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
            "replayed cancellation",
            "blocked",
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
            "System",
            "hold Pending",
            "hold Released",
            "hold Expired",
        ];
        let wanted = codes.map(|code| code.code()).chain(others);
        let missing: Vec<_> = wanted.filter(|name| !counts.contains_key(*name)).collect();
        assert_eq!(missing, Vec::<&str>::new(), "{counts:#?}");
    }
}
