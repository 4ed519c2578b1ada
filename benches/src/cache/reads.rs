//! Reads of single balances by many callers at a time.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;
use wallet_core::Wallet;
use wallet_core::ledger::{AccountKey, Freshness};

use crate::Result;
use crate::clock::{self, Window};
use crate::measure::{Figures, Log};
use crate::pattern::Picker;

/// The accounts that are read, and the number of callers.
#[derive(Debug, Clone)]
pub(crate) struct ReadSet {
    pub(crate) accounts: Arc<Vec<AccountKey>>,
    pub(crate) picker: Picker,
    pub(crate) callers: u32,
}

impl ReadSet {
    /// Each caller reads one balance after the other.
    pub(crate) async fn run(
        &self,
        wallet: &Wallet,
        length: Duration,
        figures: &mut Figures,
    ) -> Result<()> {
        let window = Window::open(length);
        let mut tasks = JoinSet::new();
        for _ in 0..self.callers {
            let (reads, wallet) = (self.clone(), wallet.clone());
            tasks.spawn(async move {
                let (mut rng, mut log) = (Rng::new(), Log::default());
                while window.is_open() {
                    reads.once(&wallet, &window, &mut rng, &mut log).await;
                }
                log
            });
        }
        figures.add(&window, tasks.join_all().await);
        Ok(())
    }

    async fn once(&self, wallet: &Wallet, window: &Window, rng: &mut Rng, log: &mut Log) {
        let number = self.picker.draw(rng).from;
        let index = usize::try_from(number.saturating_sub(1)).unwrap_or(0);
        let Some(account) = self.accounts.get(index) else {
            return log.failed(&"no such account");
        };
        let begin = clock::now();
        match wallet.balance(*account, &Freshness::Cached).await {
            Ok(Some(_)) => log.acknowledged(window, begin, clock::now()),
            Ok(None) => log.failed(&"an account without a balance"),
            Err(error) => log.failed(&error),
        }
    }
}
