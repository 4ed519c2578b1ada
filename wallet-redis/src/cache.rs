//! The balance cache.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use redis::{Value, cmd};
use wallet_core::cache::BalanceCache;
use wallet_core::ledger::AccountKey;
use wallet_core::memory::ttl_with_jitter;
use wallet_core::store::codec::{decode_balance, encode_balance};
use wallet_core::{Balance, StoreError};

use crate::connection::Request;
use crate::error::unexpected;
use crate::script::PUT;
use crate::shared_connection::Repeat;
use crate::{Redis, keys};

/// The most balances in one request. A request of this size delays no other one for long.
const REQUEST_MAX: usize = 512;
/// The bytes of epoch and version in front of the balance.
const POSITION_BYTES: usize = 16;

/// A balance cache in Redis.
///
/// There is one key per account. Its value is eight bytes of epoch, eight of version, then
/// the balance in the core's encoding. A balance of another release that this one cannot
/// read is a cache miss.
#[derive(Debug, Clone)]
pub struct RedisCache {
    redis: Redis,
    ttl: Duration,
}

impl Redis {
    /// Creates a balance cache.
    #[must_use]
    pub fn cache(&self) -> RedisCache {
        RedisCache::new(self.clone(), self.settings.cache_ttl)
    }
}

impl RedisCache {
    pub(crate) const fn new(redis: Redis, ttl: Duration) -> Self {
        Self { redis, ttl }
    }

    /// Groups the indexes of `accounts` into requests. On a cluster, one request holds only
    /// accounts of one hash slot.
    fn requests(&self, accounts: impl Iterator<Item = AccountKey>) -> Vec<Vec<usize>> {
        let mut shares: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
        for (place, account) in accounts.enumerate() {
            let share = if self.redis.shared.is_cluster() {
                keys::share(account)
            } else {
                0
            };
            shares.entry(share).or_default().push(place);
        }
        let cut = |places: Vec<usize>| -> Vec<Vec<usize>> {
            places.chunks(REQUEST_MAX).map(<[usize]>::to_vec).collect()
        };
        shares.into_values().flat_map(cut).collect()
    }

    fn key(&self, account: AccountKey) -> Vec<u8> {
        keys::balance(&self.redis.prefix, account)
    }

    async fn get_some(&self, accounts: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError> {
        const CONTEXT: &str = "reading balances from the cache";
        let mut command = cmd("MGET");
        for account in accounts {
            command.arg(self.key(*account));
        }
        let request = Request::Plain(command);
        let shared = &self.redis.shared;
        match shared.ask(&request, Repeat::Harmless, CONTEXT).await? {
            Value::Array(values) if values.len() == accounts.len() => {
                let each = values.into_iter().zip(accounts);
                Ok(each
                    .map(|(value, account)| read(&value, *account))
                    .collect())
            }
            _ => Err(unexpected(CONTEXT)),
        }
    }

    async fn put_some(&self, balances: Vec<&Balance>) -> Result<(), StoreError> {
        let mut call = PUT.call(balances.len());
        for balance in &balances {
            call.arg(self.key(balance.account));
        }
        for balance in &balances {
            let ttl = ttl_with_jitter(self.ttl, balance).as_millis().max(1);
            call.arg(write(balance));
            call.arg(u64::try_from(ttl).unwrap_or(u64::MAX));
        }
        let request = Request::Script {
            script: &PUT,
            by_hash: call,
        };
        let context = "putting balances into the cache";
        let shared = &self.redis.shared;
        shared.ask(&request, Repeat::Harmless, context).await?;
        Ok(())
    }
}

fn write(balance: &Balance) -> Vec<u8> {
    let encoded = encode_balance(balance);
    let mut value = Vec::with_capacity(POSITION_BYTES.saturating_add(encoded.len()));
    value.extend_from_slice(&balance.epoch.number().to_be_bytes());
    value.extend_from_slice(&balance.version.to_be_bytes());
    value.extend_from_slice(&encoded);
    value
}

/// Decodes a stored balance. Returns `None` if it is not one of this account.
fn read(value: &Value, account: AccountKey) -> Option<Balance> {
    let Value::BulkString(bytes) = value else {
        return None;
    };
    let balance = decode_balance(account.ledger, bytes.get(POSITION_BYTES..)?).ok()?;
    (balance.account == account).then_some(balance)
}

#[async_trait]
impl BalanceCache for RedisCache {
    async fn get(&self, accounts: &[AccountKey]) -> Result<Vec<Option<Balance>>, StoreError> {
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let requests = self.requests(accounts.iter().copied());
        if requests.len() <= 1 {
            return self.get_some(accounts).await;
        }
        let asked = requests.iter().map(|places| {
            let some = places.iter().filter_map(|place| accounts.get(*place));
            let some: Vec<_> = some.copied().collect();
            async move { self.get_some(&some).await }
        });
        let answers = try_join_all(asked).await?;
        let mut found = vec![None; accounts.len()];
        for (places, answers) in requests.iter().zip(answers) {
            for (place, answer) in places.iter().zip(answers) {
                if let Some(one) = found.get_mut(*place) {
                    *one = answer;
                }
            }
        }
        Ok(found)
    }

    async fn put(&self, balances: &[Balance]) -> Result<(), StoreError> {
        let requests = self.requests(balances.iter().map(|balance| balance.account));
        let puts = requests.iter().map(|places| {
            let some = places.iter().filter_map(|place| balances.get(*place));
            self.put_some(some.collect())
        });
        try_join_all(puts).await?;
        Ok(())
    }

    async fn invalidate(&self, accounts: &[AccountKey]) -> Result<(), StoreError> {
        let requests = self.requests(accounts.iter().copied());
        let deletions = requests.iter().map(|places| {
            // The server frees the memory in the background.
            let mut command = cmd("UNLINK");
            for account in places.iter().filter_map(|place| accounts.get(*place)) {
                command.arg(self.key(*account));
            }
            let request = Request::Plain(command);
            async move {
                let context = "forgetting balances in the cache";
                let shared = &self.redis.shared;
                shared.ask(&request, Repeat::Harmless, context).await
            }
        });
        try_join_all(deletions).await?;
        Ok(())
    }
}
