use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;
use wallet_core::memory::MemoryStore;
use wallet_core::verify::{Books, Verifier, check_books};
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

/// A request: the route, then a line each of what follows the path, of the key and of
/// other headers, then the body. The server never fails, and a refused request changes
/// nothing.
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
    // After a violated property, the next input gets a new server.
    let server = SERVER.take().unwrap_or_else(Server::start);
    SERVER.set(server.carry_out(request));
}

thread_local! {
    static SERVER: RefCell<Option<Server>> = const { RefCell::new(None) };
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
    request = request.header("Host", "localhost");
    request = request.header("Content-Type", kind);
    request.body(Body::from(body.to_vec())).ok()
}

/// A server over small books of its own. It carries out one request after the
/// other for as long as none leaves a trace, so that an input does the same
/// whatever came before it.
struct Server {
    runtime: Runtime,
    store: Arc<MemoryStore>,
    wallet: Wallet,
    router: Router,
    before: Books,
}

impl Server {
    fn start() -> Self {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_time().build().unwrap();
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let settings = Settings {
            sweep_interval: None,
            ..Settings::default()
        };
        let (wallet, before) = runtime.block_on(async {
            let wallet = Wallet::builder(Arc::<MemoryStore>::clone(&store));
            let wallet = wallet.settings(settings).spawn().unwrap();
            set_up(&wallet).await;
            (wallet, books(&store).await)
        });
        let app = AppSettings {
            // Long, so that a paused and resumed fuzzer reports no timeout.
            request_timeout: Duration::from_secs(86_400),
            ..AppSettings::default()
        };
        let app = App::new(wallet.clone(), app).unwrap();
        Self {
            runtime,
            store,
            wallet,
            router: router(app),
            before,
        }
    }

    /// Returns the server, unless it may have kept state of the request.
    fn carry_out(self, request: Request<Body>) -> Option<Self> {
        let shown = format!("{request:?}");
        let is_reading = request.method() == Method::GET;
        let answer = self.router.clone().oneshot(request);
        let (status, after) = self.runtime.block_on(async {
            let status = answer.await.unwrap().status();
            if !is_reading && !is_malformed(status) {
                self.wallet.shutdown().await;
            }
            (status, books(&self.store).await)
        });
        assert!(!status.is_server_error(), "{status}: {shown}");
        let is_same = self.before == after;
        assert!(is_same || status.is_success(), "{status}: {shown}");
        assert!(is_same || !is_reading, "{status}: {shown}");
        if is_reading || is_malformed(status) {
            return Some(self);
        }
        assert_eq!(check_books(&after), [], "{shown}");
        None
    }
}

/// Whether no rule was evaluated, so that no refusal was recorded.
fn is_malformed(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 405 | 408 | 413 | 415 | 421)
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
    wallet
        .submit_raw(request)
        .await
        .unwrap()
        .accepted()
        .unwrap();
}
