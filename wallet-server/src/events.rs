//! The relay of the server's events.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wallet_core::SystemClock;
use wallet_core::history::HistoryStore;
use wallet_core::messaging::EventPublisher;
use wallet_core::runtime::{Clock, IdGenerator, Uuid7};
use wallet_core::store::{CommitSignal, LedgerStore, Outbox};
use wallet_events::{Projector, Relay, RelaySettings};

use crate::config::Config;
use crate::error::StartError;
use crate::log::Chain;
use crate::store::Books;

/// How long the relay may publish at shutdown. Events behind a parked one are never
/// published then.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the log reports why events are not published.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// The relay that the settings ask for: to a queue, or without a queue into history.
pub(crate) async fn relay(
    config: &Config,
    store: &Arc<dyn Books>,
    history: Option<Arc<dyn HistoryStore>>,
    signal: CommitSignal,
) -> Result<Option<Relay>, StartError> {
    let ledger: Arc<dyn LedgerStore> = Arc::<dyn Books>::clone(store);
    let (publisher, system_accounts) = match (publisher(config).await?, history) {
        (Some(queue), _) => (queue, false),
        (None, Some(history)) => {
            let projector: Arc<dyn EventPublisher> =
                Arc::new(Projector::new(history, Arc::clone(&ledger)));
            (projector, true)
        }
        (None, None) => return Ok(None),
    };
    // The name differs for each process: a restarted relay is a new one.
    let owner = format!("wallet-server/{}", Uuid7.new_id());
    let outbox: Arc<dyn Outbox> = Arc::<dyn Books>::clone(store);
    let mut settings = RelaySettings::new(owner);
    settings.system_accounts = system_accounts;
    if system_accounts {
        settings.calls_max = Projector::CALLS;
    }
    let relay = Relay::builder(outbox, ledger, publisher, Arc::new(SystemClock), settings);
    Ok(Some(relay.signal(signal).build()?))
}

/// Logs that nothing publishes these books' events, and how many wait.
pub(crate) async fn warn_unpublished(outbox: &dyn Outbox) {
    match outbox.depth().await {
        Ok(depth) => {
            let age = |at| SystemClock.now().since(at).as_secs();
            let oldest_secs = depth.oldest.map_or(0, age);
            tracing::warn!(
                rows = depth.rows,
                oldest_secs,
                "no publisher of events is set: they wait in the outbox, and it grows; \
                 see --events-queue"
            );
        }
        Err(error) => {
            let error = Chain(&error);
            tracing::warn!(%error, "no publisher of events is set; how many wait is not known");
        }
    }
}

#[cfg(feature = "aws")]
async fn publisher(config: &Config) -> Result<Option<Arc<dyn EventPublisher>>, StartError> {
    let Some(url) = &config.events_queue else {
        return Ok(None);
    };
    let publisher = wallet_events::aws::SqsPublisher::new(crate::aws::sqs().await, url)
        .map_err(|error| StartError::Events(error.to_string()))?;
    Ok(Some(Arc::new(publisher)))
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "only a queue's client is waited for")]
async fn publisher(config: &Config) -> Result<Option<Arc<dyn EventPublisher>>, StartError> {
    match &config.events_queue {
        None => Ok(None),
        Some(_) => Err(StartError::Events(
            "built without the feature aws".to_owned(),
        )),
    }
}

/// Logs why events are not published. Each reason is logged once until another one comes.
/// Runs without end.
async fn report(relay: Relay) {
    let mut last = None;
    loop {
        let failure = relay.stats().last_failure;
        if failure != last
            && let Some(failure) = &failure
        {
            tracing::warn!(failure, "events are not published for now");
        }
        last = failure;
        tokio::time::sleep(REPORT_EVERY).await;
    }
}

/// A running relay.
#[derive(Debug)]
pub(crate) struct Publishing {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Publishing {
    pub(crate) fn start(relay: Relay) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stop = async {
                let _ = stopped.await;
            };
            let reported = relay.clone();
            tokio::select! {
                () = relay.run(stop) => {}
                () = report(reported) => {}
            }
        });
        Self { stop, task }
    }

    /// Publishes the waiting events for a short time, then releases the outbox. The next
    /// relay publishes the rest.
    pub(crate) async fn finish(self, relay: &Relay) {
        let empty = async {
            // If the outbox cannot be read, it is left as it is.
            while relay.depth().await.is_ok_and(|depth| depth.rows > 0) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, empty).await;
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}
