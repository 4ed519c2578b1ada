//! The way of one transfer over queues, from its commit to a subscriber's inbox.
//!
//! ```text
//! wallet ── outbox ──► Relay ──► queue ──► Forwarder ──► topic ──► mailer's queue
//!                                                                       │
//!                       mailer's database: mail and position, together ◄┘
//! ```
//!
//! Queues are in a SQLite file here; on AWS they are `SqsPublisher`, `SqsQueue` and
//! `SnsPublisher`, and nothing else changes.

mod mailer;
mod topic;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use wallet_core::messaging::EventPublisher;
use wallet_core::runtime::Clock;
use wallet_core::store::CommitSignal;
use wallet_core::{
    Currency, Deposit, OpenAccount, PostTransfer, SettlementName, SystemClock, Wallet,
};
use wallet_events::{Consumer, ConsumerSettings, Forwarder, Gaps, Relay, RelaySettings};
use wallet_sqlite::{SqliteInbox, SqliteQueue, SqliteQueueSettings, SqliteSettings, SqliteStore};

use mailer::{MAILER, Mailer};
use topic::Topic;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (stop, stopped) = watch::channel(false);
    let until_stopped = move || {
        let mut stopped = stopped.clone();
        async move { drop(stopped.wait_for(|is_over| *is_over).await) }
    };

    // The wallet's side: books, and a relay that is notified of each commit.
    let settings = SqliteSettings::new(folder.path().join("wallet.db"));
    let store = Arc::new(SqliteStore::open(&settings, Arc::new(SystemClock))?);
    let signal = CommitSignal::default();
    let builder = Wallet::builder(Arc::<SqliteStore>::clone(&store));
    let wallet = builder.signal(signal.clone()).spawn()?;
    let queues = SqliteSettings::new(folder.path().join("queues.db"));
    let events = Arc::new(queue(&queues, "events", &clock)?);
    let relay = Relay::builder(
        Arc::<SqliteStore>::clone(&store),
        Arc::<SqliteStore>::clone(&store),
        Arc::<SqliteQueue>::clone(&events),
        Arc::clone(&clock),
        RelaySettings::new("relay-1"),
    );
    let relay = relay.signal(signal).build()?;

    // Between them: a forwarder from the queue to a topic; its subscriber gets credits.
    let mails = Arc::new(queue(&queues, "mails", &clock)?);
    let topic = Topic::new(&mails, "wallet.account.credited.v1");
    let forwarder = Forwarder::new(
        Arc::<SqliteQueue>::clone(&events),
        Arc::new(topic),
        Arc::clone(&clock),
    );

    // The subscriber's side: its own database.
    let file = folder.path().join("mailer.db");
    let inbox = SqliteInbox::open(&SqliteSettings::new(&file))?;
    let mailer = Arc::new(Mailer::open(&file)?);
    let mut settings = ConsumerSettings::new(MAILER);
    // It subscribed to credits only.
    settings.gaps = Gaps::Expected;
    let consumer = Consumer::new(
        Arc::<SqliteQueue>::clone(&mails),
        Arc::new(inbox),
        Arc::<Mailer>::clone(&mailer),
        clock,
        settings,
    )?;

    let at_work = {
        let (relay, consumer) = (relay.clone(), consumer.clone());
        let stop = [until_stopped(), until_stopped(), until_stopped()];
        tokio::spawn(async move {
            let [first, second, third] = stop;
            tokio::join!(relay.run(first), forwarder.run(second), consumer.run(third));
        })
    };

    let eur = Currency::iso("EUR")?;
    let example = wallet.scope("example")?;
    let open = |owner: &str| owner.parse().map(|owner| OpenAccount::new(owner, eur));
    let ada = example.run("open-ada", open("ada")?).await?.id();
    let bob = example.run("open-bob", open("bob")?).await?.id();
    let deposit = Deposit::new(ada, eur.parse("100.00")?, SettlementName::new("bank")?);
    example.run("deposit", deposit).await?;
    mailer.wait_for(1).await;
    let pay = PostTransfer::simple(ada, bob, eur.parse("30.00")?);
    example.run("transfer", pay).await?;
    println!("committed: 30.00 EUR from ada to bob");

    mailer.wait_for(2).await;
    // A queue may deliver a message twice: it has its effect once.
    let again = mailer.latest().ok_or("no event")?.message("/wallet")?;
    mails.publish(&[again]).await?;
    while consumer.stats().duplicates == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    stop.send(true)?;
    at_work.await?;
    wallet.shutdown().await;
    println!("published: {} events", relay.stats().published);
    for mail in mailer.mails()? {
        println!("mailed: {mail}");
    }
    let stats = consumer.stats();
    println!(
        "handled {}, seen before {}",
        stats.handled, stats.duplicates
    );
    Ok(())
}

/// A queue that takes every message, also one that it has had before.
fn queue(file: &SqliteSettings, name: &str, clock: &Arc<dyn Clock>) -> Result<SqliteQueue> {
    let settings = SqliteQueueSettings {
        window: Duration::ZERO,
        ..SqliteQueueSettings::new(name)
    };
    Ok(SqliteQueue::open(file, settings, Arc::clone(clock))?)
}
