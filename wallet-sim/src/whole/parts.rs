//! The tasks that run in each process beside the wallet.

use std::sync::Arc;
use std::time::Duration;

use crate::{Bug, ConsumerReplica, Part, Ports, Stop};
use wallet_core::memory::MemoryInbox;
use wallet_core::messaging::{EventPublisher, Inbox};
use wallet_core::runtime::Backoff;
use wallet_core::store::LedgerStore;
use wallet_events::{
    Consumer, ConsumerSettings, Forwarder, ForwarderSettings, Gaps, Relay, RelaySettings,
};

use super::overtaking;
use super::reader::Reader;

/// The visibility timeout of a message. It is shorter than the longest delays of a
/// world, so a message can reach several receivers.
const VISIBILITY: Duration = Duration::from_millis(1_500);
const RETRY: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(500));

/// Owns the stop signal, so that it lives as long as the waiting part.
async fn stopped(stop: Stop) {
    stop.comes().await;
}

pub(crate) fn relay(ports: &Ports, publisher: &Arc<dyn EventPublisher>) -> Part {
    let mut settings = RelaySettings::new(&ports.name);
    settings.lease = Duration::from_secs(1);
    settings.poll = Duration::from_millis(200);
    settings.rows = ports.rng.pick(&[1, 4, 64]);
    settings.events_max = ports.rng.pick(&[4, 1_000]);
    settings.calls_max = ports.rng.pick(&[1, 2, 8]);
    settings.retry = RETRY;
    settings.system_accounts = true;
    let relay = Relay::builder(
        Arc::clone(&ports.outbox),
        Arc::clone(&ports.store),
        Arc::clone(publisher),
        Arc::clone(&ports.clock),
        settings,
    );
    let relay = relay.signal(ports.signal.clone()).build();
    let stop = stopped(ports.stop.clone());
    Part {
        name: "relay",
        future: Box::pin(async move {
            if let Ok(relay) = relay {
                relay.run(stop).await;
            }
        }),
    }
}

pub(crate) fn forwarder(ports: &Ports) -> Part {
    let (from, to) = (&ports.outbound.queue, &ports.inbound.publisher);
    if ports.bug == Some(Bug::OvertakesInGroup) {
        let (from, to) = (Arc::clone(from), Arc::clone(to));
        return Part {
            name: "forwarder",
            future: Box::pin(overtaking::forward(from, to, VISIBILITY)),
        };
    }
    let clock = Arc::clone(&ports.clock);
    let forwarder = Forwarder::new(Arc::clone(from), Arc::clone(to), clock);
    let forwarder = forwarder.with_settings(ForwarderSettings {
        workers: ports.rng.pick(&[1, 2]),
        visibility: VISIBILITY,
        retry: RETRY,
        patience: Duration::from_secs(3),
        ..ForwarderSettings::default()
    });
    let stop = stopped(ports.stop.clone());
    Part {
        name: "forwarder",
        future: Box::pin(async move { forwarder.run(stop).await }),
    }
}

pub(crate) fn consumer(ports: &Ports) -> Part {
    let mut settings = ConsumerSettings::new(ConsumerReplica::CONSUMER);
    settings.visibility = VISIBILITY;
    settings.retry = RETRY;
    settings.batch = ports.rng.pick(&[1, 3, 10]);
    let mut inbox: Arc<dyn Inbox> = Arc::<ConsumerReplica>::clone(&ports.replica);
    if ports.bug == Some(Bug::DeduplicatesByWindow) {
        // It does not check positions.
        settings.gaps = Gaps::Expected;
        inbox = Arc::new(MemoryInbox::new());
    }
    let consumer = Consumer::new(
        Arc::clone(&ports.inbound.queue),
        inbox,
        Arc::new(Reader::new(ports)),
        Arc::clone(&ports.clock),
        settings,
    );
    let ledger: Arc<dyn LedgerStore> = Arc::clone(&ports.store);
    let stop = stopped(ports.stop.clone());
    Part {
        name: "consumer",
        future: Box::pin(async move {
            if let Ok(consumer) = consumer {
                consumer.with_ledger(ledger).run(stop).await;
            }
        }),
    }
}
