use std::time::Duration;

use clap::Args;
use wallet_core::cache::BalanceCache;
use wallet_core::runtime::Clock;
use wallet_core::verify::reconcile::{ReconcileProgress, Reconciler};
use wallet_core::{SystemClock, Timestamp};

use crate::progress::ProgressBar;
use crate::statement::when;
use crate::{CliError, plain};
use wallet_server::tools::Books;
use wallet_server::{TableUrl, tools};

/// Compares the books with themselves, their history and their cache, while they are in
/// use. Exits with 0 when nothing differs, 1 when something differs, 3 when the check
/// could not be made. Suitable for a schedule.
#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// The history: `dynamodb:TABLE`, with the feature `aws`.
    #[arg(long, env = "WALLET_HISTORY")]
    history: Option<TableUrl>,
    /// The cache: `redis://HOST`, with the feature `redis`.
    #[arg(long, env = "WALLET_CACHE")]
    cache: Option<String>,
    /// The prefix of the cache's keys.
    #[arg(long, default_value = "wallet")]
    cache_prefix: String,
    /// Only the last entries of each account, this many; all by default.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    last: Option<u32>,
    /// The longest lag of the history, in seconds: an older entry that the history lacks
    /// is a difference. Without it any lag is accepted.
    #[arg(long, value_name = "SECONDS")]
    lag_max: Option<u64>,
    /// Lines of history before this time may have expired (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = when)]
    expired_before: Option<Timestamp>,
    /// The report as one JSON object.
    #[arg(long)]
    json: bool,
}

impl Reconcile {
    pub(crate) async fn run(&self, store: &dyn Books) -> Result<u8, CliError> {
        let history = match &self.history {
            Some(url) => Some(tools::open_history(url).await?),
            None => None,
        };
        let cache = self.cache().await?;
        let mut reconciler = Reconciler::new(store);
        if let Some(history) = &history {
            reconciler = reconciler.with_history(history.as_ref());
        }
        if let Some(cache) = &cache {
            reconciler = reconciler.with_cache(cache.as_ref());
        }
        if let Some(last) = self.last {
            reconciler = reconciler.with_last(last);
        }
        if let Some(at) = self.expired_before {
            reconciler = reconciler.with_expired_before(at);
        }
        if let Some(lag) = self.lag_max {
            let due = SystemClock.now().saturating_sub(Duration::from_secs(lag));
            reconciler = reconciler.with_history_due(due);
        }
        let bar = ProgressBar::new();
        let mut notify = |progress: ReconcileProgress| {
            let stage = progress.total.map_or("adding up", |_| "accounts");
            bar.show(stage, progress.done, progress.total);
        };
        let report = reconciler.run(&mut notify).await;
        bar.finish();
        let report = report?;
        if self.json {
            say!("{}", report.json())?;
        } else {
            for line in report.to_string().lines() {
                say!("{}", plain(line))?;
            }
        }
        Ok(u8::from(!report.is_clean()))
    }

    #[cfg(feature = "redis")]
    async fn cache(&self) -> Result<Option<Box<dyn BalanceCache>>, CliError> {
        let Some(url) = &self.cache else {
            return Ok(None);
        };
        let settings = wallet_redis::RedisSettings {
            prefix: self.cache_prefix.clone(),
            // No payment waits for this answer, so the timeout is longer than in the service.
            budget: Duration::from_secs(2),
            ..wallet_redis::RedisSettings::new(url)
        };
        let redis = wallet_redis::Redis::open(&settings).await?;
        Ok(Some(Box::new(redis.cache())))
    }

    #[cfg(not(feature = "redis"))]
    #[expect(clippy::unused_async, reason = "only a server is waited for")]
    async fn cache(&self) -> Result<Option<Box<dyn BalanceCache>>, CliError> {
        match &self.cache {
            None => Ok(None),
            Some(_) => Err(CliError::Feature("redis")),
        }
    }
}
