use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{BuiltInbox, InboxFactory, OpenInbox};
use wallet_core::ledger::{AccountKey, Position, Restore};
use wallet_core::messaging::{Inbox, InboxStep};
use wallet_core::{AccountId, LedgerId, StoreError};

/// How many turns a step waits for another one to get between.
const TURNS: usize = 1_000;

crate::planted_bugs! {
    /// A bug that an inbox is planted with.
    InboxBug {
        /// Leaves out the accounts that it does not know.
        LeavesOutUnknown,
        /// Answers in the order of keys.
        SortsAccounts,
        /// Answers each account once.
        AnswersOnce,
        /// Knows nothing of accounts behind the first thousand asked for.
        CutsLongLists,
        /// Moves nothing.
        ForgetsSteps,
        /// Moves wherever a step begins.
        IgnoresTheBeginning,
        /// Says no and moves all the same.
        MovesWhenItSaysNo,
        /// Takes steps that lead nowhere, or back.
        TakesAnyStep,
        /// Compares versions, of whatever epoch.
        IgnoresEpochs,
        /// Keeps the first time of a restore, be it later than the second.
        KeepsTheFirstTime,
        /// Tells restores in the order in which they were noted.
        MixesRestores,
        /// Keeps 53 bits of a version, as a float does.
        RoundsVersions,
        /// Has nothing left when it is opened again.
        ForgetsOnRestart,
        /// Has one position for all consumers.
        SharesPositions,
        /// Compares names without regard to case.
        FoldsCase,
        /// Compares names without the spaces at their end.
        TrimsNames,
        /// Keeps 100 bytes of a name.
        CutsNames,
        /// Takes names of any length.
        TakesAnyName,
        /// Has one position for the same id in all ledgers.
        IgnoresLedgers,
        /// Keeps an id without the zeros and spaces at its end.
        TrimsAccounts,
        /// Looks where it stands before the lock, and writes under it.
        ChecksTooEarly,
    }
}

/// Stands for none.
const NO_ACCOUNT: AccountKey = AccountKey::new(LedgerId::new(0), AccountId::from_bytes([0; 16]));

type Told = Arc<Mutex<BTreeMap<String, Vec<Restore>>>>;
type Positions = Arc<Mutex<BTreeMap<(String, AccountKey), Position>>>;

/// Makes inboxes in memory with a bug; without one, sound inboxes for comparison.
#[derive(Debug, Clone, Copy)]
pub struct BrokenInboxes(pub Option<InboxBug>);

#[async_trait]
impl InboxFactory for BrokenInboxes {
    async fn build(&self) -> BuiltInbox {
        let kept = Kept {
            bug: self.0,
            positions: Positions::default(),
            told: Told::default(),
        };
        let inbox = kept.inbox(Arc::clone(&kept.positions), Arc::clone(&kept.told));
        BuiltInbox::new(inbox, kept)
    }
}

/// The positions outlive the inbox, as a file outlives a process.
#[derive(Debug)]
struct Kept {
    bug: Option<InboxBug>,
    positions: Positions,
    told: Told,
}

impl Kept {
    fn inbox(&self, positions: Positions, told: Told) -> Arc<dyn Inbox> {
        Arc::new(BrokenInbox {
            bug: self.bug,
            positions,
            told,
            under_way: AtomicUsize::new(0),
        })
    }
}

#[async_trait]
impl OpenInbox for Kept {
    async fn open(&self) -> Option<Arc<dyn Inbox>> {
        let (positions, told) = if self.bug == Some(InboxBug::ForgetsOnRestart) {
            (Positions::default(), Told::default())
        } else {
            (Arc::clone(&self.positions), Arc::clone(&self.told))
        };
        Some(self.inbox(positions, told))
    }
}

#[derive(Debug)]
struct BrokenInbox {
    bug: Option<InboxBug>,
    positions: Positions,
    told: Told,
    /// Steps between their reading and their writing.
    under_way: AtomicUsize,
}

impl BrokenInbox {
    fn has(&self, bug: InboxBug) -> bool {
        self.bug == Some(bug)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, AccountKey), Position>> {
        let positions = self.positions.lock();
        positions.unwrap_or_else(PoisonError::into_inner)
    }

    /// What a position is kept under.
    fn key(&self, consumer: &str, mut account: AccountKey) -> (String, AccountKey) {
        let mut name = consumer.to_owned();
        match self.bug {
            Some(InboxBug::SharesPositions) => name.clear(),
            Some(InboxBug::FoldsCase) => name = name.to_lowercase(),
            Some(InboxBug::TrimsNames) => name = name.trim_end_matches(' ').to_owned(),
            Some(InboxBug::CutsNames) => name = name.chars().take(100).collect(),
            Some(InboxBug::IgnoresLedgers) => account.ledger = LedgerId::default(),
            Some(InboxBug::TrimsAccounts) => {
                let mut bytes = *account.id.as_bytes();
                let kept = bytes.iter().rposition(|byte| ![0, b' '].contains(byte));
                bytes[kept.map_or(0, |kept| kept + 1)..].fill(0);
                account.id = AccountId::from_bytes(bytes);
            }
            _ => {}
        }
        (name, account)
    }

    /// What is read without the lock, with a wait so that another step can get
    /// between.
    fn read_early(&self, key: &(String, AccountKey)) -> Option<Position> {
        if !self.has(InboxBug::ChecksTooEarly) {
            return None;
        }
        let early = self.lock().get(key).copied();
        self.under_way.fetch_add(1, Ordering::SeqCst);
        for _ in 0..TURNS {
            if self.under_way.load(Ordering::SeqCst) > 1 {
                break;
            }
            std::thread::yield_now();
        }
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        Some(early.unwrap_or_default())
    }

    fn check(&self, consumer: &str, step: &InboxStep) -> Result<(), StoreError> {
        match self.bug {
            Some(InboxBug::TakesAnyName) => step.validate("any"),
            Some(InboxBug::TakesAnyStep) => InboxStep::validate_consumer(consumer),
            _ => step.validate(consumer),
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Inbox for BrokenInbox {
    async fn positions(
        &self,
        consumer: &str,
        accounts: &[AccountKey],
    ) -> Result<Vec<Position>, StoreError> {
        if !self.has(InboxBug::TakesAnyName) {
            InboxStep::validate_consumer(consumer)?;
        }
        let mut accounts = accounts.to_vec();
        match self.bug {
            Some(InboxBug::SortsAccounts) => accounts.sort_unstable(),
            Some(InboxBug::AnswersOnce) => {
                let mut seen = Vec::new();
                accounts.retain(|account| {
                    let is_new = !seen.contains(account);
                    seen.push(*account);
                    is_new
                });
            }
            _ => {}
        }
        let positions = self.lock();
        let found = accounts.into_iter().enumerate().map(|(index, account)| {
            let position = positions.get(&self.key(consumer, account)).copied();
            position.filter(|_| index < 1_000 || !self.has(InboxBug::CutsLongLists))
        });
        Ok(if self.has(InboxBug::LeavesOutUnknown) {
            found.flatten().collect()
        } else {
            found.map(Option::unwrap_or_default).collect()
        })
    }

    async fn advance(&self, consumer: &str, step: &InboxStep) -> Result<bool, StoreError> {
        self.check(consumer, step)?;
        let key = self.key(consumer, step.account);
        let early = self.read_early(&key);
        let mut positions = self.lock();
        let stands = early.unwrap_or_else(|| positions.get(&key).copied().unwrap_or_default());
        let is_there = if self.has(InboxBug::IgnoresEpochs) {
            stands.version == step.from.version
        } else {
            stands == step.from
        };
        let moves = is_there || self.has(InboxBug::IgnoresTheBeginning);
        let writes = moves || self.has(InboxBug::MovesWhenItSaysNo);
        if writes && !self.has(InboxBug::ForgetsSteps) {
            let mut to = step.to;
            if self.has(InboxBug::RoundsVersions) {
                let bits = 64 - to.version.leading_zeros();
                let lost = bits.saturating_sub(53);
                to.version = (to.version >> lost) << lost;
            }
            positions.insert(key, to);
        }
        Ok(moves)
    }

    async fn restores(&self, consumer: &str) -> Result<Vec<Restore>, StoreError> {
        if !self.has(InboxBug::TakesAnyName) {
            InboxStep::validate_consumer(consumer)?;
        }
        let (name, _) = self.key(consumer, NO_ACCOUNT);
        let restores = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(restores.get(&name).cloned().unwrap_or_default())
    }

    async fn note_restore(&self, consumer: &str, restore: &Restore) -> Result<(), StoreError> {
        if !self.has(InboxBug::TakesAnyName) {
            InboxStep::validate_consumer(consumer)?;
        }
        let (name, _) = self.key(consumer, NO_ACCOUNT);
        let mut restores = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let of = restores.entry(name).or_default();
        match of.iter_mut().find(|one| one.epoch == restore.epoch) {
            Some(_) if self.has(InboxBug::KeepsTheFirstTime) => {}
            Some(known) => known.restored_to = known.restored_to.min(restore.restored_to),
            None => of.push(*restore),
        }
        if !self.has(InboxBug::MixesRestores) {
            of.sort_unstable();
        }
        Ok(())
    }
}
