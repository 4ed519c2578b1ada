//! The inbox with its own transactions, on both servers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Connection, Executor};
use wallet_aurora::{AuroraInbox, AuroraSettings};
use wallet_core::ledger::{Epoch, Position, Version};
use wallet_core::messaging::{Inbox, InboxStep};
use wallet_core::store::StoreErrorKind;
use wallet_test_servers::Kind;
use wallet_testkit::{Built, Factory, ManualClock, Reopen};

use crate::support::books::account_key;
use crate::support::proxy::{CUTS, Cut, Proxy};
use crate::support::{Database, on_both, patient, runtime};

macro_rules! conforms_on {
    ($server:ident, $kind:ident) => {
        mod $server {
            const INBOXES: super::Inboxes = super::Inboxes(wallet_test_servers::Kind::$kind);
            wallet_testkit::inbox_conformance!(crate::inbox::conformance::$server::INBOXES);
        }
    };
}

mod conformance {
    use super::Inboxes;
    conforms_on!(mariadb, MariaDb);
    conforms_on!(mysql, MySql);
}

on_both! {
    the_table_is_made_unless_the_settings_say_no
    many_may_open_it_at_once
    a_cut_at_any_point_is_never_taken_for_an_answer
    an_answer_that_does_not_come_is_no_answer
    a_step_that_somebody_has_under_way_is_a_conflict
    a_deadlock_is_tried_again
    what_the_server_refuses_moves_nothing
}

/// Creates inboxes on a server of this kind, each in a separate database.
#[derive(Debug, Clone, Copy)]
struct Inboxes(Kind);

#[async_trait]
impl Factory<dyn Inbox> for Inboxes {
    fn can_reopen(&self) -> bool {
        true
    }

    async fn build(&self, _: Arc<ManualClock>) -> Built<dyn Inbox> {
        let database = Database::create(self.0).await;
        let inbox = open(&database.settings()).await;
        Built::new(Arc::new(inbox), database)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
        runtime().block_on(future);
    }
}

#[async_trait]
impl Reopen<dyn Inbox> for Database {
    async fn reopen(&mut self) -> Option<Arc<dyn Inbox>> {
        Some(Arc::new(open(&self.settings()).await))
    }

    async fn open_another(&mut self) -> Option<Arc<dyn Inbox>> {
        Some(Arc::new(open(&self.settings()).await))
    }
}

async fn open(settings: &AuroraSettings) -> AuroraInbox {
    let inbox = AuroraInbox::open(settings).await;
    inbox.unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

const NAME: &str = "mailer";

fn step_from(from: Version) -> impl Fn(u8) -> InboxStep {
    move |number| InboxStep {
        account: account_key(number),
        from: Position::new(Epoch::FIRST, from),
        to: Position::new(Epoch::FIRST, from + 1),
    }
}

async fn position(inbox: &AuroraInbox, number: u8) -> Version {
    let positions = inbox.positions(NAME, &[account_key(number)]).await;
    positions.unwrap()[0].version
}

async fn the_table_is_made_unless_the_settings_say_no(kind: Kind) {
    let database = Database::create(kind).await;
    let careful = AuroraSettings {
        migrate: false,
        ..database.settings()
    };
    let refused = AuroraInbox::open(&careful).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Internal);
    let step = step_from(0)(1);
    assert!(
        open(&database.settings())
            .await
            .advance(NAME, &step)
            .await
            .unwrap()
    );
    assert!(!open(&careful).await.advance(NAME, &step).await.unwrap());
    // No ledger tables are created.
    let tables = database.rows("SHOW TABLES").await;
    assert_eq!(tables.len(), 2);
}

async fn many_may_open_it_at_once(kind: Kind) {
    let database = Database::create(kind).await;
    let settings = database.settings();
    let opening = (0..6).map(|_| AuroraInbox::open(&settings));
    for opened in futures_util::future::join_all(opening).await {
        opened.unwrap();
    }
}

async fn a_cut_at_any_point_is_never_taken_for_an_answer(kind: Kind) {
    let database = Database::create(kind).await;
    let direct = open(&database.settings()).await;
    let proxy = Proxy::start(&database.url()).await;
    let settings = patient(proxy.url(&database.url()));
    let mut doubts = 0;
    let mut number = 0;
    for cut in CUTS {
        for from in [0, 1] {
            for packets in 0.. {
                number += 1;
                if from > 0 {
                    assert!(direct.advance(NAME, &step_from(0)(number)).await.unwrap());
                }
                let step = step_from(from)(number);
                let inbox = open(&settings).await;
                proxy.arm(packets, cut);
                let answered = inbox.advance(NAME, &step).await;
                let was_cut = proxy.disarm();
                match answered {
                    Ok(moved) => assert!(moved && !was_cut),
                    Err(error) => {
                        assert!(was_cut, "{error}");
                        assert_eq!(error.kind(), StoreErrorKind::Indeterminate);
                        doubts += 1;
                        // The same step again settles the outcome, as the port requires.
                        let moves_now = settle(&direct, &step).await;
                        // The step can have moved only if the server received the whole
                        // packet.
                        assert!(moves_now || cut == Cut::After, "{cut:?}");
                    }
                }
                assert_eq!(position(&direct, number).await, from + 1);
                assert!(!direct.advance(NAME, &step).await.unwrap(), "once");
                if !was_cut {
                    break;
                }
            }
        }
    }
    assert_eq!(doubts, 6, "one packet, in each way");
}

/// Waits while another transaction holds the lock.
async fn settle(inbox: &AuroraInbox, step: &InboxStep) -> bool {
    loop {
        match inbox.advance(NAME, step).await {
            Ok(moved) => return moved,
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Conflict, "{error}"),
        }
    }
}

async fn an_answer_that_does_not_come_is_no_answer(kind: Kind) {
    let database = Database::create(kind).await;
    let direct = open(&database.settings()).await;
    let proxy = Proxy::start(&database.url()).await;
    let mut settings = patient(proxy.url(&database.url()));
    settings.answer_wait = Duration::from_secs(2);
    let inbox = open(&settings).await;
    let step = step_from(0)(1);
    proxy.arm(0, Cut::Held);
    let unknown = inbox.advance(NAME, &step).await.unwrap_err();
    assert_eq!(unknown.kind(), StoreErrorKind::Indeterminate);
    assert!(
        direct.advance(NAME, &step).await.unwrap(),
        "it has not come"
    );
    let next = step_from(1)(1);
    assert!(direct.advance(NAME, &next).await.unwrap());
    // The late packet finds that the position has moved.
    proxy.let_go();
    assert!(!settle(&inbox, &step).await);
    assert_eq!(position(&direct, 1).await, 2);
}

async fn a_step_that_somebody_has_under_way_is_a_conflict(kind: Kind) {
    let database = Database::create(kind).await;
    let inbox = open(&database.settings()).await;
    for from in [0, 1] {
        let step = step_from(from)(1);
        let mut other = database.connect().await;
        let mut transaction = other.begin().await.unwrap();
        let under_way = AuroraInbox::advance_in(&mut transaction, NAME, &step).await;
        assert!(under_way.unwrap());
        let refused = inbox.advance(NAME, &step).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Conflict);
        assert_eq!(position(&inbox, 1).await, from);
        transaction.rollback().await.unwrap();
        assert!(inbox.advance(NAME, &step).await.unwrap());
    }
}

async fn a_deadlock_is_tried_again(kind: Kind) {
    let database = Database::create(kind).await;
    let inbox = open(&database.settings()).await;
    // The trigger fires once in each session.
    let trigger = "CREATE TRIGGER refusal BEFORE INSERT ON wallet_inbox FOR EACH ROW BEGIN \
                   IF @met IS NULL THEN \
                   SET @met = 1; SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; \
                   END IF; END";
    database.execute(trigger).await;
    assert!(inbox.advance(NAME, &step_from(0)(1)).await.unwrap());
    assert_eq!(position(&inbox, 1).await, 1);
}

async fn what_the_server_refuses_moves_nothing(kind: Kind) {
    let database = Database::create(kind).await;
    let inbox = open(&database.settings()).await;
    assert!(inbox.advance(NAME, &step_from(0)(1)).await.unwrap());
    let mut admin = database.connect().await;
    for (code, expected) in [
        (1205, StoreErrorKind::Conflict),
        (1213, StoreErrorKind::Conflict),
        (1290, StoreErrorKind::Unavailable),
        (1264, StoreErrorKind::Invalid),
    ] {
        for (event, from, number) in [("INSERT", 0, 2), ("UPDATE", 1, 1)] {
            let trigger = format!(
                "CREATE TRIGGER refusal BEFORE {event} ON wallet_inbox FOR EACH ROW \
                 SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {code}"
            );
            admin.execute(trigger.as_str()).await.unwrap();
            let refused = inbox.advance(NAME, &step_from(from)(number)).await;
            assert_eq!(refused.unwrap_err().kind(), expected, "{code} {event}");
            assert_eq!(position(&inbox, number).await, from);
            admin.execute("DROP TRIGGER refusal").await.unwrap();
        }
    }
    assert!(inbox.advance(NAME, &step_from(0)(2)).await.unwrap());
    assert!(inbox.advance(NAME, &step_from(1)(1)).await.unwrap());
    // A wrong value that another program wrote is refused too.
    let wrong = "UPDATE wallet_inbox SET version = 0";
    assert!(admin.execute(wrong).await.is_err());
}
