//! Requests as large as the server's longest packet. Requests that fit are sent in as many
//! packets as needed. Larger requests are refused, and no part of them is stored.

use std::sync::Arc;

use wallet_aurora::AuroraStore;
use wallet_core::ledger::{Details, SettlementShards};
use wallet_core::request::{Batch, Cost, InvalidRequest, PreparedRequest};
use wallet_core::runtime::Uuid7;
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{
    Command, Leg, Metadata, PostTransfer, Request, SystemClock, Wallet, WalletError,
};
use wallet_test_servers::{Kind, Private};

use crate::support::books::{
    account, assert_sound, commit, euros, is_recorded, key, open, posted, set_up,
};
use crate::support::{Database, on_both};

on_both! {
    a_request_at_the_limit_is_committed_and_one_beyond_it_refused
    greatest_requests_fill_a_batch_to_the_limit
    what_no_packet_holds_is_an_error_that_changes_nothing
}

/// A small packet limit in bytes that every server of both kinds accepts.
const PACKET: usize = 1 << 20;

struct Small {
    // Dropped before its server.
    database: Database,
    _server: Private,
}

impl Small {
    async fn start(kind: Kind) -> (Self, AuroraStore) {
        let option = format!("--max-allowed-packet={PACKET}");
        let server = Private::start_with(kind, &[&option]);
        let database = Database::create_on(&server.url()).await;
        let store = open(&database).await;
        set_up(&store, 1_000_000).await;
        let small = Self {
            database,
            _server: server,
        };
        (small, store)
    }
}

/// A transfer of one cent per leg, with metadata of this many bytes.
fn pay(legs: usize, bytes: usize) -> PostTransfer {
    let legs = vec![Leg::new(account(0), account(1), euros(1)); legs];
    let text = "m".repeat(bytes - r#"{"a":""}"#.len());
    let metadata = Metadata::parse(&format!(r#"{{"a":"{text}"}}"#)).unwrap();
    let details = Details {
        metadata: Some(metadata),
        ..Details::default()
    };
    PostTransfer::new(legs).with_details(details)
}

fn request(text: &str, commands: Vec<PostTransfer>) -> Request {
    Request::of_many(key(text), commands.into_iter().map(Command::from).collect())
}

fn cost(request: &Request) -> Cost {
    let shards = SettlementShards::new();
    PreparedRequest::new(request.clone(), &Uuid7, &shards)
        .unwrap()
        .cost()
}

fn prepared(request: Request) -> Arc<PreparedRequest> {
    Arc::new(PreparedRequest::new(request, &Uuid7, &SettlementShards::new()).unwrap())
}

/// A request of exactly `bytes`. It counts 256 bytes, plus 512 for each transfer, 512 for
/// each leg, and three times the length of the texts.
fn of_bytes(text: &str, bytes: usize) -> Request {
    let count = bytes.div_ceil(1_024 + 3 * 4_000);
    let rest = bytes - 256 - count * 1_024;
    let more_legs = (0..3).find(|legs| (rest - legs * 512).is_multiple_of(3));
    let more_legs = more_legs.unwrap();
    let texts = (rest - more_legs * 512) / 3;
    let transfers = (0..count).map(|index| {
        let legs = if index == 0 { 1 + more_legs } else { 1 };
        pay(legs, texts / count + usize::from(index < texts % count))
    });
    request(text, transfers.collect())
}

async fn a_request_at_the_limit_is_committed_and_one_beyond_it_refused(kind: Kind) {
    let (small, store) = Small::start(kind).await;
    let store = Arc::new(store);
    let limit = store.limits().bytes;
    assert!((PACKET / 3..PACKET / 2).contains(&limit), "{limit}");
    let books: Arc<dyn LedgerStore> = Arc::<AuroraStore>::clone(&store);
    let (wallet, driver) = Wallet::builder(books)
        .clock(Arc::new(SystemClock))
        .build()
        .unwrap();
    let driver = tokio::spawn(driver);
    let mut paid = 0;
    for (text, bytes) in [("under", limit - 3), ("at", limit)] {
        let request = of_bytes(text, bytes);
        assert_eq!(cost(&request).bytes, bytes);
        let legs = request.commands().iter().map(|command| match command {
            Command::PostTransfer(transfer) => transfer.legs.len(),
            other => panic!("{other:?}"),
        });
        paid += legs.sum::<usize>();
        let answer = wallet.submit_raw(request.clone()).await.unwrap();
        assert!(answer.outcome.result.is_ok());
        assert!(wallet.submit_raw(request).await.unwrap().replayed);
    }
    let over = of_bytes("over", limit + 3);
    let refused = wallet.submit_raw(over).await.unwrap_err();
    let is_too_large = matches!(refused, WalletError::Invalid(InvalidRequest::TooLarge));
    assert!(is_too_large, "{refused}");
    assert!(!is_recorded(&store, "over").await);
    let left = 1_000_000 - i128::try_from(paid).unwrap();
    assert_eq!(posted(&store, 0).await, left);
    wallet.shutdown().await;
    driver.await.unwrap();
    assert_sound(&store).await;
    drop(small);
}

async fn greatest_requests_fill_a_batch_to_the_limit(kind: Kind) {
    let (small, store) = Small::start(kind).await;
    let one = |number: usize| {
        let text = format!("great-{number}");
        prepared(request(&text, vec![pay(500, Metadata::MAX_BYTES)]))
    };
    let count = store.limits().bytes / one(0).cost().bytes;
    // Also a batch that the service would never make: larger than any packet.
    for (round, count) in [count, count * 8].into_iter().enumerate() {
        let numbers = round * 100..round * 100 + count;
        let decided = commit(&store, numbers.map(one).collect()).await;
        for decided in &decided {
            crate::support::books::accepted(decided);
        }
    }
    let legs = i128::try_from(count * 9 * 500).unwrap();
    assert_eq!(posted(&store, 0).await, 1_000_000 - legs);
    assert_sound(&store).await;
    drop(small);
}

async fn what_no_packet_holds_is_an_error_that_changes_nothing(kind: Kind) {
    let (small, store) = Small::start(kind).await;
    // One outcome is one row, which is larger than a packet here.
    let commands = vec![pay(60, Metadata::MAX_BYTES); 100];
    let huge = prepared(request("huge", commands));
    assert!(huge.cost().bytes > 2 * store.limits().bytes);
    let beside = prepared(request("beside", vec![pay(1, 8)]));
    let batch = Arc::new(Batch::new(vec![beside, huge]));
    let Err(error) = store.transact(batch).await else {
        panic!("it is committed");
    };
    assert_eq!(error.kind(), StoreErrorKind::Invalid, "{error}");
    for text in ["beside", "huge"] {
        assert!(!is_recorded(&store, text).await);
    }
    assert_eq!(posted(&store, 0).await, 1_000_000);
    let after = prepared(request("after", vec![pay(1, 8)]));
    crate::support::books::accepted(&commit(&store, vec![after]).await[0]);
    assert_eq!(posted(&store, 0).await, 999_999);
    assert_sound(&store).await;
    assert!(small.database.name().starts_with("wallet_"));
}
