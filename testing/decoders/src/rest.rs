use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;
use wallet_core::invariants::{Books, Verifier, check_books};
use wallet_core::memory::MemoryStore;
use wallet_core::{
    AccountId, Command, Currency, Deposit, HoldId, IdempotencyKey, Leg, Money, OpenAccount, Owner,
    PlaceHold, PostTransfer, Settings, SettlementName, SystemClock, TransferId, Wallet,
};
use wallet_server::{App, AppSettings, router};

const ROUTES: [(&str, &str); 21] = [
    ("POST", "/v1/accounts"),
    ("GET", "/v1/accounts"),
    ("GET", "/v1/accounts/{a}"),
    ("POST", "/v1/accounts/{a}/freeze"),
    ("POST", "/v1/accounts/{a}/unfreeze"),
    ("POST", "/v1/accounts/{a}/close"),
    ("GET", "/v1/accounts/{a}/balance"),
    ("GET", "/v1/accounts/{a}/entries"),
    ("POST", "/v1/accounts/{a}/deposits"),
    ("POST", "/v1/accounts/{a}/withdrawals"),
    ("POST", "/v1/transfers"),
    ("GET", "/v1/transfers/{t}"),
    ("POST", "/v1/transfers/{t}/reverse"),
    ("POST", "/v1/holds"),
    ("GET", "/v1/holds"),
    ("GET", "/v1/holds/{h}"),
    ("POST", "/v1/holds/{h}/capture"),
    ("POST", "/v1/holds/{h}/release"),
    ("POST", "/v1/batches"),
    ("GET", "/v1/outcomes"),
    ("GET", ""),
];

fn account(number: u8) -> AccountId {
    AccountId::from_bytes([0x70 | number; 16])
}

/// A request: which route, then a line each of what follows the path, of the key
/// and of other headers, then the body. The server never fails, and what it
/// refuses changes nothing.
pub(crate) fn check(bytes: &[u8]) {
    let Some((route, rest)) = bytes.split_first() else {
        return;
    };
    let mut parts = rest.splitn(4, |byte| *byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let (tail, key, kind, body) = (part(), part(), part(), part());
    let Some(request) = request(*route, tail, key, kind, body) else {
        return;
    };
    runtime().block_on(carry_out(request));
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().build().unwrap()
}

fn request(route: u8, tail: &[u8], key: &[u8], kind: &[u8], body: &[u8]) -> Option<Request<Body>> {
    let (method, path) = ROUTES[usize::from(route) % ROUTES.len()];
    let path = path
        .replace("{a}", &account(1).to_string())
        .replace("{t}", &account(3).to_string())
        .replace("{h}", &account(4).to_string());
    let tail = std::str::from_utf8(tail).ok()?;
    let method: Method = method.parse().ok()?;
    let mut request = Request::builder()
        .method(method)
        .uri(format!("{path}{tail}"));
    if !key.is_empty() {
        request = request.header("Idempotency-Key", key);
    }
    let kind = if kind.is_empty() {
        b"application/json"
    } else {
        kind
    };
    request = request.header("Content-Type", kind);
    request.body(Body::from(body.to_vec())).ok()
}

async fn carry_out(request: Request<Body>) {
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let settings = Settings {
        sweep_interval: None,
        ..Settings::default()
    };
    let wallet = Wallet::builder(Arc::<MemoryStore>::clone(&store));
    let wallet = wallet.settings(settings).spawn().unwrap();
    set_up(&wallet).await;
    let before = books(&store).await;
    let app = AppSettings {
        request_timeout: Duration::from_secs(30),
        ..AppSettings::default()
    };
    let app = App::new(wallet.clone(), app).unwrap();
    let shown = format!("{request:?}");
    let answer = router(app).oneshot(request).await.unwrap();
    let status = answer.status();
    wallet.shutdown().await;
    let after = books(&store).await;
    assert!(!status.is_server_error(), "{status}: {shown}");
    assert!(status.is_success() || before == after, "{status}: {shown}");
    assert_eq!(check_books(&after), [], "{shown}");
}

async fn books(store: &MemoryStore) -> Books {
    Verifier::new(store).books().await.unwrap()
}

/// Two accounts with money, a transfer and a hold between them.
async fn set_up(wallet: &Wallet) {
    let eur = Currency::iso("EUR").unwrap();
    let money = |cents| Money::minor(cents, eur).unwrap();
    let open = |number| OpenAccount::new(Owner::new("ada").unwrap(), eur).with_id(account(number));
    let bank = SettlementName::new("bank").unwrap();
    let (one, two) = (account(1), account(2));
    let transfer = TransferId::from_bytes(*account(3).as_bytes());
    let hold = HoldId::from_bytes(*account(4).as_bytes());
    let commands: Vec<Command> = vec![
        open(1).into(),
        open(2).into(),
        Deposit::new(one, money(100_000), bank).into(),
        PostTransfer::new(vec![Leg::new(one, two, money(500))])
            .with_id(transfer)
            .into(),
        PlaceHold::new(one, two, money(300)).with_id(hold).into(),
    ];
    let key = IdempotencyKey::parse("fuzz", "set-up").unwrap();
    let request = wallet_core::Request::of_many(key, commands);
    wallet.submit(request).await.unwrap().accepted().unwrap();
}
