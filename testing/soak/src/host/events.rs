//! Publishes this host's outbox to a queue, and consumes the queue into effects.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use wallet_aurora::{AuroraInbox, AuroraStore};
use wallet_core::ledger::LockOwner;
use wallet_core::runtime::Clock;
use wallet_core::store::CommitSignal;
use wallet_events::aws::{SqsPublisher, SqsQueue, Timeouts};
use wallet_events::{Consumer, ConsumerSettings, Projector, Relay, RelaySettings};
use wallet_redis::Redis;

use super::HostArgs;
use super::effects::{CONSUMER, Effects};
use crate::tally::Tally;
use crate::{Result, clients};

/// The relay and the consumer of a host.
#[derive(Debug, Clone)]
pub(super) struct Events {
    relay: Relay,
    consumer: Consumer,
}

const TIMEOUTS: Timeouts = Timeouts {
    attempt: Duration::from_secs(1),
    call: Duration::from_secs(3),
};

impl Events {
    pub(super) fn new(
        args: &HostArgs,
        store: &Arc<AuroraStore>,
        inbox: AuroraInbox,
        redis: &Redis,
        clock: &Arc<dyn Clock>,
        signal: CommitSignal,
        tally: &Arc<Tally>,
    ) -> Result<Self> {
        let client = clients::sqs(&args.queue);
        let publisher = SqsPublisher::new(client.clone(), &args.queue_url)?;
        let name = format!("host-{}-{}", args.host, std::process::id());
        let mut settings = RelaySettings::new(&name);
        settings.lease = Duration::from_secs(2);
        settings.retry.longest = Duration::from_secs(1);
        let relay = Relay::builder(
            Arc::<AuroraStore>::clone(store),
            Arc::<AuroraStore>::clone(store),
            Arc::new(publisher.with_timeouts(TIMEOUTS)),
            Arc::clone(clock),
            settings,
        );
        let locks = Arc::new(redis.locks());
        let relay = relay.signal(signal).lock(locks, LockOwner::new(&name)?);
        let queue = SqsQueue::new(client, &args.queue_url)?.with_timeouts(TIMEOUTS);
        let history = clients::history(&args.history)?;
        let projector = Projector::new(history, Arc::<AuroraStore>::clone(store));
        let effects = Effects::new(&args.database, projector, Arc::clone(tally));
        let mut settings = ConsumerSettings::new(CONSUMER);
        settings.visibility = Duration::from_secs(6);
        settings.retry.longest = Duration::from_secs(3);
        let consumer = Consumer::new(
            Arc::new(queue.with_wait(Duration::from_secs(1))),
            Arc::new(inbox),
            Arc::new(effects),
            Arc::clone(clock),
            settings,
        )?;
        Ok(Self {
            relay: relay.build()?,
            consumer: consumer.with_ledger(Arc::<AuroraStore>::clone(store)),
        })
    }

    pub(super) async fn run<F>(&self, stop: impl Fn() -> F)
    where
        F: Future<Output = ()> + Send,
    {
        tokio::join!(self.relay.run(stop()), self.consumer.run(stop()));
    }

    pub(super) fn add_to(&self, tally: &Tally) {
        let relay = self.relay.stats();
        tally.set("events: published", relay.published);
        tally.set("events: publishing failed", relay.failed);
        tally.set("events: parked", relay.parked);
        tally.set("relay: takeovers", relay.takeovers);
        tally.set("relay: store failures", relay.store_failures);
        let consumer = self.consumer.stats();
        tally.set("events: received", consumer.received);
        tally.set("events: handled", consumer.handled);
        tally.set("events: seen before", consumer.duplicates);
    }
}
