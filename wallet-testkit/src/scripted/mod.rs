//! A store whose commits go wrong as a test says.

mod host;
mod store;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wallet_core::StoreError;
use wallet_core::runtime::Clock;
use wallet_core::store::StoreErrorKind;

/// What goes wrong with one commit: of a batch of requests, or of a host's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// The commit waits for this long, by the clock of the store, and is then as usual.
    Delay(Duration),
    /// Another commit was faster. Nothing is done.
    Conflict,
    /// The database cannot be reached. Nothing is done.
    Unavailable,
    /// The commit takes effect, and its answer is lost.
    AnswerLost,
    /// The commit is lost on its way, and nobody knows.
    CommitLost,
}

/// A store that does what a script says with its next commits. Without a script, and in all
/// else, it does what the store within does.
///
/// ```
/// use std::sync::Arc;
/// use wallet_core::memory::MemoryStore;
/// use wallet_core::prelude::*;
/// use wallet_core::SystemClock;
/// use wallet_testkit::scripted::{ScriptedStore, Trouble};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), WalletError> {
/// let clock = Arc::new(SystemClock);
/// let store = ScriptedStore::new(MemoryStore::new(clock.clone()), clock);
/// let wallet = Wallet::builder(store.clone()).spawn()?;
/// let eur = Currency::iso("EUR")?;
/// // The account is opened, and the service finds out although the answer is lost.
/// store.then(Trouble::AnswerLost);
/// let ada = wallet.ensure_account(OpenAccount::new("ada".parse()?, eur)).await?;
/// assert!(wallet.account(ada.id()).await?.is_some());
/// assert_eq!(store.left(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ScriptedStore<S> {
    store: Arc<S>,
    clock: Arc<dyn Clock>,
    script: Arc<Mutex<VecDeque<Trouble>>>,
}

/// Clones share the store and the script.
impl<S> Clone for ScriptedStore<S> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            script: Arc::clone(&self.script),
        }
    }
}

/// How a commit ends.
enum Ending {
    Answered,
    AnswerLost,
    NotDone,
}

impl Ending {
    fn unknown() -> StoreError {
        StoreError::new(
            StoreErrorKind::Indeterminate,
            "the answer to a commit is lost",
        )
    }
}

impl<S> ScriptedStore<S> {
    /// A store over `store`. Delays are by `clock`.
    pub fn new(store: S, clock: Arc<dyn Clock>) -> Self {
        Self {
            store: Arc::new(store),
            clock,
            script: Arc::default(),
        }
    }

    /// Lets the next commit go wrong, behind those that the script already has.
    pub fn then(&self, trouble: Trouble) -> &Self {
        self.script().push_back(trouble);
        self
    }

    /// The number of commits that will still go wrong.
    #[must_use]
    pub fn left(&self) -> usize {
        self.script().len()
    }

    /// Takes back what is left of the script.
    pub fn clear(&self) {
        self.script().clear();
    }

    /// The store within, for what only it can do.
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.store
    }

    fn script(&self) -> MutexGuard<'_, VecDeque<Trouble>> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next step of the script.
    async fn ending(&self) -> Result<Ending, StoreError> {
        let next = self.script().pop_front();
        match next {
            None => Ok(Ending::Answered),
            Some(Trouble::Delay(delay)) => {
                self.clock.sleep(delay).await;
                Ok(Ending::Answered)
            }
            Some(Trouble::Conflict) => {
                let context = "another commit was faster";
                Err(StoreError::new(StoreErrorKind::Conflict, context))
            }
            Some(Trouble::Unavailable) => {
                let context = "the database cannot be reached";
                Err(StoreError::new(StoreErrorKind::Unavailable, context))
            }
            Some(Trouble::AnswerLost) => Ok(Ending::AnswerLost),
            Some(Trouble::CommitLost) => Ok(Ending::NotDone),
        }
    }
}
