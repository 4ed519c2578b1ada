use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use wallet_core::ledger::settlement_account;
use wallet_core::memory::MemoryStore;
use wallet_core::{
    Amount, Currency, IdempotencyKey, LedgerId, OpenAccount, Owner, Request, Settings,
    SettlementName, SystemClock,
};
use wallet_sim::{Fault, FaultPlan, FaultyStore, Port};
use wallet_testkit::ManualClock;

use crate::support::{Client, World};

/// A scripted fault that lasts until the script changes.
#[derive(Debug)]
pub(crate) struct Switch(Mutex<(Fault, Fault)>);

impl Default for Switch {
    fn default() -> Self {
        Self(Mutex::new((Fault::None, Fault::None)))
    }
}

impl Switch {
    pub(crate) fn commits(&self, fault: Fault) {
        self.0.lock().unwrap().0 = fault;
    }

    pub(crate) fn reads(&self, fault: Fault) {
        self.0.lock().unwrap().1 = fault;
    }
}

impl FaultPlan for Switch {
    fn on_commit(&self) -> Fault {
        self.0.lock().unwrap().0
    }

    fn on_read(&self) -> Fault {
        self.0.lock().unwrap().1
    }

    fn on_call(&self, _: Port) -> Fault {
        Fault::None
    }

    fn skips_kept(&self) -> bool {
        false
    }
}

fn euro() -> Currency {
    Currency::new("EUR", 2).unwrap()
}

/// A server over books with every object that a call can need.
pub(super) struct Books {
    pub(super) world: World,
    pub(super) store: Arc<FaultyStore>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) faults: Arc<Switch>,
}

/// An id that ends in these digits.
macro_rules! id {
    ($digits:literal) => {
        concat!("01890000-0000-7000-8000-0000000000", $digits)
    };
}

impl Books {
    /// Holds 100.00 euros and more.
    pub(super) const ADA: &str = id!("01");
    /// Holds 30.00 euros.
    pub(super) const BOB: &str = id!("02");
    /// Holds nothing, and may be closed.
    pub(super) const SPARE: &str = id!("03");
    /// Holds dollars.
    pub(super) const DOLLARS: &str = id!("04");
    pub(super) const CLOSED: &str = id!("05");
    /// Frozen, with 20.00 euros and a hold.
    pub(super) const FROZEN: &str = id!("06");
    /// May hold 5.00 euros at most.
    pub(super) const SMALL: &str = id!("07");
    /// Holds nothing, since all of it went on to Ada.
    pub(super) const POOR: &str = id!("08");
    /// Holds points: the store counts hundredths, the server none.
    pub(super) const POINTS: &str = id!("09");
    /// A system account that may hold 5.00 euros at most and holds nothing.
    pub(super) const OWN: &str = id!("0a");
    pub(super) const NOBODY: &str = id!("ff");
    /// 30.00 euros from Ada to Bob.
    pub(super) const TRANSFER: &str = id!("11");
    /// Two legs between Ada and Bob.
    pub(super) const LEGS: &str = id!("12");
    /// Undoes 1.00 of another transfer.
    pub(super) const REVERSAL: &str = id!("13");
    /// 10.00 euros from Ada to Poor.
    pub(super) const SPENT: &str = id!("14");
    /// 5.00 euros from Ada to Frozen.
    pub(super) const TO_FROZEN: &str = id!("15");
    /// 1.00 euro from Closed to Ada.
    pub(super) const FROM_CLOSED: &str = id!("16");
    /// 5.00 euros from Small to Ada.
    pub(super) const FROM_SMALL: &str = id!("17");
    /// 1.00 euro between the settlement accounts `bank` and `card`.
    pub(super) const SYSTEM: &str = id!("18");
    /// 10.00 euros held on Ada for Bob.
    pub(super) const HOLD: &str = id!("21");
    pub(super) const RELEASED: &str = id!("22");
    pub(super) const EXPIRED: &str = id!("23");
    pub(super) const ON_FROZEN: &str = id!("24");

    /// Books without a sweep; each request is tried once.
    pub(super) fn new(settings: Settings) -> Self {
        let clock = Arc::new(ManualClock::default());
        let faults = Arc::new(Switch::default());
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let store = FaultyStore::new(store, Arc::new(SystemClock), faults.clone());
        let store = Arc::new(store);
        let settings = Settings {
            sweep_interval: None,
            tries_max: 1,
            ..settings
        };
        let world = World::over(store.clone(), settings, &["--allow-system-transfers"]);
        let books = Self {
            world,
            store,
            clock,
            faults,
        };
        books.fill();
        books
    }

    /// The settlement account that every deposit came from.
    pub(super) fn bank() -> String {
        let name = SettlementName::new("bank").unwrap();
        settlement_account(LedgerId::default(), euro(), &name, 0).to_string()
    }

    pub(super) fn client(&self) -> Client {
        self.world.client()
    }

    /// Posts what must succeed, under the path and body as its key.
    fn must(&self, path: &str, body: &Value) {
        let key = format!("{path} {body}").replace('"', "'");
        let key = key.get(..255).unwrap_or(&key).to_owned();
        let answer = self.client().post(path, &key, body);
        assert!(answer.status < 300, "{path} {body}: {answer:?}");
    }

    fn open(&self, id: &str, currency: &str, max: Option<&str>) {
        let mut body = json!({"owner": "somebody", "currency": currency, "id": id});
        if let Some(max) = max {
            body["max_balance"] = json!(max);
        }
        self.must("/v1/accounts", &body);
    }

    fn fund(&self, id: &str, amount: &str) {
        let path = format!("/v1/accounts/{id}/deposits");
        self.must(&path, &json!({"amount": amount}));
    }

    fn fill(&self) {
        let leg = |from: &str, to: &str, amount: &str| json!({"from": from, "to": to, "amount": amount, "currency": "EUR"});
        let with_id = |mut body: Value, id: &str| {
            body["id"] = json!(id);
            body
        };
        let moves = |from, to, amount, id| {
            self.must("/v1/transfers", &with_id(leg(from, to, amount), id));
        };
        let holds = |from, to, id, expires: Option<u64>| {
            let mut body = with_id(leg(from, to, "10.00"), id);
            if let Some(secs) = expires {
                body["expires_in_secs"] = json!(secs);
            }
            self.must("/v1/holds", &body);
        };
        let does = |path: &str, id: &str, what: &str| {
            self.must(&format!("/v1/{path}/{id}/{what}"), &json!({}));
        };
        for id in [Self::ADA, Self::BOB, Self::SPARE, Self::CLOSED, Self::POOR] {
            self.open(id, "EUR", None);
        }
        self.open(Self::FROZEN, "EUR", None);
        self.open(Self::DOLLARS, "USD", None);
        self.open(Self::SMALL, "EUR", Some("5.00"));
        self.fund(Self::ADA, "200.00");
        self.fund(Self::FROZEN, "20.00");
        self.fund(Self::CLOSED, "1.00");
        self.fund(Self::SMALL, "5.00");
        moves(Self::ADA, Self::BOB, "30.00", Self::TRANSFER);
        moves(Self::ADA, Self::POOR, "10.00", Self::SPENT);
        moves(Self::POOR, Self::ADA, "10.00", Self::NOBODY);
        moves(Self::ADA, Self::FROZEN, "5.00", Self::TO_FROZEN);
        moves(Self::CLOSED, Self::ADA, "1.00", Self::FROM_CLOSED);
        moves(Self::SMALL, Self::ADA, "5.00", Self::FROM_SMALL);
        self.fund(Self::SMALL, "4.00");
        let legs = [
            leg(Self::ADA, Self::BOB, "2.00"),
            leg(Self::BOB, Self::ADA, "1.00"),
        ];
        let legs = json!({"legs": legs, "id": Self::LEGS});
        self.must("/v1/transfers", &legs);
        let path = format!("/v1/transfers/{}/reverse", Self::TRANSFER);
        let undone = json!({"amount": "1.00", "id": Self::REVERSAL});
        self.must(&path, &undone);
        holds(Self::ADA, Self::BOB, Self::HOLD, None);
        holds(Self::ADA, Self::BOB, Self::RELEASED, None);
        holds(Self::ADA, Self::BOB, Self::EXPIRED, Some(1));
        holds(Self::FROZEN, Self::BOB, Self::ON_FROZEN, None);
        does("holds", Self::RELEASED, "release");
        does("accounts", Self::FROZEN, "freeze");
        does("accounts", Self::CLOSED, "close");
        self.clock.advance(Duration::from_secs(2));
        let used = json!({"owner": "used", "currency": "EUR"});
        let answer = self.client().post("/v1/accounts", "used", &used);
        answer.expect(201);
        let leg = json!({
            "from": {"settlement": "bank"}, "to": {"settlement": "card"},
            "amount": "1.00", "currency": "EUR",
        });
        let system = json!({"legs": [leg], "id": Self::SYSTEM});
        self.must("/v1/system-transfers", &system);
        let open = OpenAccount::new(Owner::new("own funds").unwrap(), euro());
        let open = open.with_id(Some(Self::OWN.parse().unwrap()));
        let open = open.with_max_balance(Some(Amount::new(500).unwrap()));
        let key = IdempotencyKey::parse("test", "own").unwrap();
        let opened = self.world.submit(Request::new(key, open.with_system(true)));
        opened.accepted().unwrap();
        let points = Currency::new("POINTS", 2).unwrap();
        let open = OpenAccount::new(Owner::new("points").unwrap(), points);
        let open = open.with_id(Some(Self::POINTS.parse().unwrap()));
        let key = IdempotencyKey::parse("test", "points").unwrap();
        let opened = self.world.submit(Request::new(key, open));
        opened.accepted().unwrap();
    }
}
