use tokio::sync::watch;

/// Tells those who wait for commits that there was one: cheap to clone. A host
/// gives one to [`WalletBuilder::signal`](crate::service::WalletBuilder::signal) and
/// notifies it itself after transactions of its own that hold ledger work.
///
/// It is a hint and no more: a relay that misses it finds the commit by looking.
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
    /// Something was committed.
    pub fn notify(&self) {
        self.0.send_replace(());
    }

    /// From now on.
    #[must_use]
    pub fn watch(&self) -> CommitWatch {
        CommitWatch(self.0.subscribe())
    }
}

/// Waits for the commits that a [`CommitSignal`] tells of.
#[derive(Debug, Clone)]
pub struct CommitWatch(watch::Receiver<()>);

impl CommitWatch {
    /// Returns when there was a commit since the last time; never, once all of
    /// its signal's clones are gone.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
