use std::sync::Arc;

use futures_util::future::join_all;

use super::{Anomaly, Call, Recorder, Seen, anomalies, wrong_sums};
use crate::deterministic::Rng;
use wallet_core::ledger::{AccountKey, Epoch, Freshness, InLedger};
use wallet_core::{
    AccountId, Balance, Command, Currency, IdempotencyKey, LedgerId, Leg, Money, OpenAccount,
    Owner, Policy, PostTransfer, Request, Wallet, WalletError,
};

/// Clients that pay each other and read balances, at wallets over the same ledger.
/// One order must explain everything that they see.
#[derive(Debug, Clone)]
pub struct Bank {
    /// The number of accounts. The first one pays the others their opening balance.
    pub accounts: u8,
    /// The number of clients at each wallet.
    pub clients: u8,
    /// The number of calls per client.
    pub rounds: u32,
    /// The seed of the clients' actions.
    pub seed: u64,
}

impl Default for Bank {
    fn default() -> Self {
        Self {
            accounts: 6,
            clients: 6,
            rounds: 40,
            seed: 1,
        }
    }
}

/// The result of a run of a [`Bank`].
type Saw = (usize, Vec<Anomaly>);

impl Bank {
    fn key(&self, number: u8) -> AccountKey {
        // An id that a caller may give: of version 7.
        let mut id = [0x75; 16];
        id[7..15].copy_from_slice(&self.seed.to_be_bytes());
        id[15] = number;
        InLedger::new(LedgerId::default(), AccountId::from_bytes(id))
    }

    fn all(&self) -> Vec<AccountKey> {
        (0..self.accounts).map(|number| self.key(number)).collect()
    }

    fn leg(&self, from: u8, to: u8, cents: i128) -> Leg {
        let money = Money::minor(cents, eur()).unwrap();
        Leg::new(self.key(from).id, self.key(to).id, money)
    }

    fn request(&self, text: &str, commands: Vec<Command>) -> Request {
        let text = format!("{}-{text}", self.seed);
        Request::of_many(IdempotencyKey::parse("bank", &text).unwrap(), commands)
    }

    /// Runs clients at all `wallets` concurrently. Returns the number of their
    /// calls and the anomalies. The owner of the wallets must drive them.
    ///
    /// # Panics
    /// If a call fails for good.
    pub async fn run(&self, wallets: &[Wallet]) -> Saw {
        let calls = self.calls(wallets).await;
        (calls.len(), self.anomalies(&calls))
    }

    /// The same run, with the calls as the result.
    ///
    /// # Panics
    /// If a call fails for good.
    pub async fn calls(&self, wallets: &[Wallet]) -> Vec<Call> {
        let recorder = Arc::new(Recorder::new());
        self.open(&wallets[0], &recorder).await;
        let mut clients = Vec::new();
        for (number, wallet) in wallets.iter().enumerate() {
            for client in 0..self.clients {
                let name = format!("{number}-{client}");
                clients.push(self.client(wallet, name, &recorder));
            }
        }
        join_all(clients).await;
        recorder.calls()
    }

    /// The anomalies of its clients' calls.
    #[must_use]
    pub fn anomalies(&self, calls: &[Call]) -> Vec<Anomaly> {
        let mut found = anomalies(calls);
        // Transfers never change the sum, so it must be zero.
        found.extend(wrong_sums(calls, &self.all(), 0));
        found
    }

    async fn open(&self, wallet: &Wallet, recorder: &Recorder) {
        for number in 0..self.accounts {
            let open = OpenAccount::new(Owner::new("bank").unwrap(), eur());
            let open = open.with_id(self.key(number).id);
            let policy = if number == 0 {
                Policy::Unlimited
            } else {
                Policy::NonNegative
            };
            let request = self.request(
                &format!("open-{number}"),
                vec![open.with_policy(policy).into()],
            );
            let began = recorder.begin();
            let answer = submit(wallet, &request).await.expect("settled");
            let opened = answer.account().unwrap().expect("opened").state;
            let seen = Seen::read(opened.key, opened.version, opened.counters.posted());
            recorder.wrote(began, vec![seen]);
        }
        for number in 1..self.accounts {
            let pay = PostTransfer::new(vec![self.leg(0, number, 1_000)]);
            let request = self.request(&format!("fund-{number}"), vec![pay.into()]);
            self.pay(wallet, request, &[0, number], recorder).await;
        }
    }

    async fn client(&self, wallet: &Wallet, name: String, recorder: &Recorder) {
        let rng = Rng::new(self.seed ^ mixed(&name));
        for round in 0..self.rounds {
            let number = || u8::try_from(rng.below(u64::from(self.accounts))).unwrap();
            let (from, to) = (number(), number());
            let to = if to == from {
                (from + 1) % self.accounts
            } else {
                to
            };
            match rng.below(4) {
                0 => self.look(wallet, &[self.key(from)], recorder).await,
                1 => self.look_at_all(wallet, recorder).await,
                _ => {
                    let cents = i128::from(rng.below(400)) + 1;
                    let mut legs = vec![self.leg(from, to, cents)];
                    let third = (to + 1) % self.accounts;
                    if rng.below(3) == 0 && third != from {
                        legs.push(self.leg(to, third, 1));
                    }
                    let text = format!("{name}-{round}");
                    let request = self.request(&text, vec![PostTransfer::new(legs).into()]);
                    self.pay(wallet, request, &[from, to, third], recorder)
                        .await;
                }
            }
        }
    }

    async fn pay(&self, wallet: &Wallet, request: Request, touched: &[u8], recorder: &Recorder) {
        let began = recorder.begin();
        if let Some(answer) = submit(wallet, &request).await {
            recorder.wrote(began, Seen::all_of(LedgerId::default(), &answer.outcome));
        } else {
            let touched = touched.iter().map(|number| (self.key(*number), 2));
            recorder.unknown(began, touched.collect());
        }
    }

    async fn look(&self, wallet: &Wallet, accounts: &[AccountKey], recorder: &Recorder) {
        let began = recorder.begin();
        let found = wallet.balances(accounts, &Freshness::Strong).await.unwrap();
        recorder.read(began, found.iter().flatten().map(seen).collect());
    }

    /// Reads all accounts at once, as the store shows them.
    async fn look_at_all(&self, wallet: &Wallet, recorder: &Recorder) {
        let began = recorder.begin();
        let found = wallet.store().accounts(&self.all()).await.unwrap();
        let found = found.iter().flatten();
        let found = found.map(|account| seen(&Balance::of(&account.state, Epoch::FIRST)));
        recorder.read(began, found.collect());
    }
}

fn eur() -> Currency {
    Currency::iso("EUR").unwrap()
}

fn seen(balance: &Balance) -> Seen {
    Seen::read(balance.account, balance.version, balance.counters.posted())
}

/// A number derived from a name.
fn mixed(name: &str) -> u64 {
    let mix = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}

/// Submits until the answer is known; `None` where it stays unknown.
async fn submit(wallet: &Wallet, request: &Request) -> Option<wallet_core::service::Answer> {
    loop {
        match wallet.submit_raw(request.clone()).await {
            Ok(answer) => return Some(answer),
            Err(WalletError::Indeterminate { .. }) => return None,
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
    }
}
