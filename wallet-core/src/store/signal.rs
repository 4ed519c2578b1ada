use tokio::sync::watch;

/// Notifies waiting relays of commits. It is cheap to clone. A host passes one to
/// [`WalletBuilder::signal`](crate::service::WalletBuilder::signal). It also calls
/// `notify` itself after its own transactions with ledger work.
///
/// The signal is only a hint. A relay that misses it finds the commit by polling.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let signal = wallet_core::store::CommitSignal::default();
/// let mut watch = signal.watch();
/// signal.notify();
/// watch.changed().await;
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct CommitSignal(watch::Sender<()>);

impl Default for CommitSignal {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl CommitSignal {
    /// Notifies all watches of a commit.
    pub fn notify(&self) {
        self.0.send_replace(());
    }

    /// A watch for commits from now on.
    #[must_use]
    pub fn watch(&self) -> CommitWatch {
        CommitWatch(self.0.subscribe())
    }
}

/// Waits for the commits that a [`CommitSignal`] announces.
#[derive(Debug, Clone)]
pub struct CommitWatch(watch::Receiver<()>);

impl CommitWatch {
    /// Returns when there was a commit since the last call. It never returns once
    /// all clones of the signal are dropped.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
