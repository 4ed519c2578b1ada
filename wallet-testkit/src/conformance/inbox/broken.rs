use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{Built, Factory, ManualClock, Reopen};
use wallet_core::ledger::{AccountKey, Position, Restore};
use wallet_core::messaging::{Inbox, InboxStep};
use wallet_core::{AccountId, LedgerId, StoreError};

/// The number of yields during which another step can interleave.
const TURNS: usize = 1_000;

crate::planted_bugs! {
    /// A bug that is planted in an inbox.
    InboxBug {
        /// Leaves out unknown accounts.
        LeavesOutUnknown,
        /// Returns positions in the order of keys.
        SortsAccounts,
        /// Returns each account once.
        AnswersOnce,
        /// Handles only the first 1,000 accounts of a call.
        CutsLongLists,
        /// Never moves a position.
        ForgetsSteps,
        /// Moves a position whatever the start of the step is.
        IgnoresTheBeginning,
        /// Returns `false` and still moves.
        MovesWhenItSaysNo,
        /// Accepts steps that do not lead forward.
        TakesAnyStep,
        /// Compares versions and ignores epochs.
        IgnoresEpochs,
        /// Keeps the first time of a restore, even if a later one is earlier.
        KeepsTheFirstTime,
        /// Returns restores in the order in which they were noted.
        MixesRestores,
        /// Rounds a version to 53 bits, as a float does.
        RoundsVersions,
        /// Loses all data when it is opened again.
        ForgetsOnRestart,
        /// Uses one position for all consumers.
        SharesPositions,
        /// Compares names without regard to case.
        FoldsCase,
        /// Ignores spaces at the end of names.
        TrimsNames,
        /// Uses only 100 bytes of a name.
        CutsNames,
        /// Accepts names of any length.
        TakesAnyName,
        /// Uses one position for the same id in all ledgers.
        IgnoresLedgers,
        /// Ignores zeros and spaces at the end of an id.
        TrimsAccounts,
        /// Checks the position before the lock, and writes under it.
        ChecksTooEarly,
    }
}

/// A key for no account.
const NO_ACCOUNT: AccountKey = AccountKey::new(LedgerId::new(0), AccountId::from_bytes([0; 16]));

type NotedRestores = Arc<Mutex<BTreeMap<String, Vec<Restore>>>>;
type Positions = Arc<Mutex<BTreeMap<(String, AccountKey), Position>>>;

/// Makes inboxes in memory with a bug; without a bug, correct inboxes for
/// comparison.
#[derive(Debug, Clone, Copy)]
pub struct BrokenInboxes(pub Option<InboxBug>);

#[async_trait]
impl Factory<dyn Inbox> for BrokenInboxes {
    fn can_reopen(&self) -> bool {
        true
    }

    async fn build(&self, _: Arc<ManualClock>) -> Built<dyn Inbox> {
        let stored = Stored {
            bug: self.0,
            positions: Positions::default(),
            restores: NotedRestores::default(),
        };
        let inbox = stored.inbox(Arc::clone(&stored.positions), Arc::clone(&stored.restores));
        Built::new(inbox, stored)
    }
}

/// The positions outlive the inbox, as a file outlives a process.
#[derive(Debug)]
struct Stored {
    bug: Option<InboxBug>,
    positions: Positions,
    restores: NotedRestores,
}

impl Stored {
    fn inbox(&self, positions: Positions, restores: NotedRestores) -> Arc<dyn Inbox> {
        Arc::new(BrokenInbox {
            bug: self.bug,
            positions,
            restores,
            under_way: AtomicUsize::new(0),
        })
    }

    /// The inbox as another process opens it.
    fn open(&self) -> Arc<dyn Inbox> {
        let (positions, restores) = if self.bug == Some(InboxBug::ForgetsOnRestart) {
            (Positions::default(), NotedRestores::default())
        } else {
            (Arc::clone(&self.positions), Arc::clone(&self.restores))
        };
        self.inbox(positions, restores)
    }
}

#[async_trait]
impl Reopen<dyn Inbox> for Stored {
    async fn reopen(&mut self) -> Option<Arc<dyn Inbox>> {
        Some(self.open())
    }

    async fn open_another(&mut self) -> Option<Arc<dyn Inbox>> {
        Some(self.open())
    }
}

#[derive(Debug)]
struct BrokenInbox {
    bug: Option<InboxBug>,
    positions: Positions,
    restores: NotedRestores,
    /// The number of steps between their read and their write.
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

    /// The key of a stored position.
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
                let last = bytes.iter().rposition(|byte| ![0, b' '].contains(byte));
                bytes[last.map_or(0, |last| last + 1)..].fill(0);
                account.id = AccountId::from_bytes(bytes);
            }
            _ => {}
        }
        (name, account)
    }

    /// Reads without the lock, with a wait so that another step can interleave.
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
        let restores = self.restores.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(restores.get(&name).cloned().unwrap_or_default())
    }

    async fn note_restore(&self, consumer: &str, restore: &Restore) -> Result<(), StoreError> {
        if !self.has(InboxBug::TakesAnyName) {
            InboxStep::validate_consumer(consumer)?;
        }
        let (name, _) = self.key(consumer, NO_ACCOUNT);
        let mut restores = self.restores.lock().unwrap_or_else(PoisonError::into_inner);
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
