//! Each payment counts once, wherever the process dies between commit and mark.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tempfile::TempDir;
use tokio::sync::Notify;
use wallet::prelude::*;
use wallet_core::messaging::{DeliveryError, EventPublisher, Message, Published, PublisherLimits};
use wallet_core::store::{CommitSignal, OutboxDepth};
use wallet_events::HandlerPublisher;
use wallet_events_example::{Income, ReadModel, publisher, relay};

/// Longer than any step of a test takes.
const LONG: Duration = Duration::from_secs(60);

/// The point of a call at which the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    BeforeTheHandler,
    BetweenCommitAndMark,
}

/// Never answers: the relay waits for it when the process dies.
#[derive(Debug)]
struct Dying {
    inner: HandlerPublisher,
    death: Death,
    is_there: Notify,
}

#[async_trait]
impl EventPublisher for Dying {
    fn limits(&self) -> PublisherLimits {
        self.inner.limits()
    }

    async fn publish(&self, messages: &[Message]) -> Result<Vec<Published>, DeliveryError> {
        if self.death == Death::BetweenCommitAndMark {
            self.inner.publish(messages).await?;
        }
        self.is_there.notify_one();
        std::future::pending().await
    }
}

/// The files of a host: its books and its own database.
struct Host {
    folder: TempDir,
}

impl Host {
    fn file(&self) -> PathBuf {
        self.folder.path().join("shop.db")
    }

    async fn books(&self, signal: &CommitSignal) -> Books {
        let url = format!("sqlite:{}", self.folder.path().join("books.db").display());
        let books = Books::builder(&url).signal(signal.clone()).open().await;
        books.expect("the books open")
    }
}

fn model(file: &Path) -> Arc<ReadModel> {
    Arc::new(ReadModel::open(file).expect("the read model opens"))
}

async fn depth(books: &Books) -> OutboxDepth {
    books.outbox().depth().await.expect("the depth")
}

/// A payment of 10.00 to ada, and no event of hers afterwards.
async fn pay(books: &Books) {
    let eur = Currency::iso("EUR").unwrap();
    let ada = OpenAccount::new("ada".parse().unwrap(), eur);
    let ada = books.ensure_account(ada).await.unwrap().id();
    let bank = SettlementName::new("bank").unwrap();
    let deposit = Deposit::new(ada, eur.parse("10.00").unwrap(), bank);
    let shop = books.scope("shop").unwrap();
    shop.run("deposit-1", deposit).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_counts_once_wherever_the_process_dies() {
    for death in [Death::BeforeTheHandler, Death::BetweenCommitAndMark] {
        let folder = tempfile::tempdir().unwrap();
        let host = Host { folder };
        let due = [Income {
            owner: "ada".to_owned(),
            payments: 1,
            minor: 1_000,
        }];

        // The first process dies: its relay is dropped in the middle of a call.
        let signal = CommitSignal::default();
        let books = host.books(&signal).await;
        pay(&books).await;
        let first = model(&host.file());
        let dying = Arc::new(Dying {
            inner: publisher(&books, &host.file(), &first).unwrap(),
            death,
            is_there: Notify::new(),
        });
        let at_work = relay(&books, signal, Arc::<Dying>::clone(&dying)).unwrap();
        tokio::select! {
            () = at_work.run(tokio::time::sleep(LONG)) => panic!("{death:?}: no call"),
            () = dying.is_there.notified() => {}
        }
        assert!(depth(&books).await.rows > 0, "{death:?}: marked too early");
        let was_committed = death == Death::BetweenCommitAndMark;
        assert_eq!(first.incomes().unwrap() == due, was_committed, "{death:?}");
        drop((at_work, dying, first, books));

        // The second one starts. The account has no further event.
        let signal = CommitSignal::default();
        let books = host.books(&signal).await;
        let second = model(&host.file());
        let handler = Arc::new(publisher(&books, &host.file(), &second).unwrap());
        let at_work = relay(&books, signal, Arc::<HandlerPublisher>::clone(&handler)).unwrap();
        let is_done = async {
            while depth(&books).await.rows > 0 {
                tokio::task::yield_now().await;
            }
        };
        let ran = tokio::time::timeout(LONG, at_work.run(is_done)).await;
        ran.expect("the outbox is never empty");
        assert_eq!(second.incomes().unwrap(), due, "{death:?}");
        let repeated = handler.stats().duplicates;
        assert_eq!(repeated > 0, was_committed, "{death:?}: {repeated}");
    }
}
