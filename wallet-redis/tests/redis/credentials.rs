//! Passwords that change while connections are open.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::cache::BalanceCache;
use wallet_core::store::StoreErrorKind;
use wallet_redis::{Redis, RedisCredentials, RedisCredentialsProvider, RedisSettings};
use wallet_test_servers::{PrivateRedis, PrivateRedisCluster};

use crate::support::{account, balance, open, patient, until};

const RIGHTS: &str = "on ~* resetchannels +@all";

/// A provider with settable credentials. It fails if none are set.
#[derive(Debug, Default)]
struct Rotating {
    now: Mutex<Option<(String, String)>>,
    asked: AtomicU32,
}

impl Rotating {
    fn at(user: &str, password: &str) -> Arc<Self> {
        let rotating = Self::default();
        rotating.turn_to(user, password);
        Arc::new(rotating)
    }

    fn turn_to(&self, user: &str, password: &str) {
        *self.now.lock().unwrap() = Some((user.to_owned(), password.to_owned()));
    }

    fn fail(&self) {
        *self.now.lock().unwrap() = None;
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl RedisCredentialsProvider for Rotating {
    async fn credentials(&self) -> Result<RedisCredentials, Box<dyn Error + Send + Sync>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let now = self.now.lock().unwrap().clone();
        let (user, password) = now.ok_or("no token")?;
        Ok(RedisCredentials::new(user, password))
    }
}

fn set(server: &PrivateRedis, user: &str, password: &str) {
    server.execute(&format!("ACL SETUSER {user} reset {RIGHTS} >{password}"));
}

/// Whether a stored value is found again.
async fn works(redis: &Redis) -> bool {
    let one = balance(account(1), 1);
    let cache = redis.cache();
    cache.put(&[one]).await.is_ok()
        && cache
            .get(&[one.account])
            .await
            .is_ok_and(|found| found == [Some(one)])
}

/// The number of connections of this user.
fn connections(server: &PrivateRedis, user: &str) -> usize {
    let list = server.ask("CLIENT LIST");
    let user = format!(" user={user} ");
    list.lines().filter(|line| line.contains(&user)).count()
}

/// The password is right when the host starts, and wrong for the next connection. A token
/// behaves like this after 15 minutes.
#[tokio::test]
async fn each_connection_signs_in_with_the_password_of_the_moment() {
    let server = PrivateRedis::start();
    set(&server, "wallet", "first");
    let provider = Rotating::at("wallet", "first");
    let mut settings = patient(server.url());
    settings.credentials = Some(provider.clone());
    let redis = open(&settings).await;
    let mut settings = patient(format!("redis://wallet:first@127.0.0.1:{}", server.port()));
    settings.budget = Duration::from_secs(1);
    let fixed = open(&settings).await;
    assert!(works(&redis).await && works(&fixed).await);
    assert_eq!(connections(&server, "wallet"), 2);
    for password in ["second", "third"] {
        set(&server, "wallet", password);
        provider.turn_to("wallet", password);
        let before = redis.stats().connections;
        server.execute("CLIENT KILL USER wallet");
        until(|| works(&redis)).await;
        assert!(redis.stats().connections > before);
    }
    assert!(!works(&fixed).await, "its password is no longer right");
}

/// The connection stays the same, but its user changes.
#[tokio::test]
async fn a_connection_signs_in_again_when_it_is_old_and_stays_open() {
    let server = PrivateRedis::start();
    for user in ["early", "late"] {
        set(&server, user, user);
    }
    let provider = Rotating::at("early", "early");
    let settings = RedisSettings {
        credentials: Some(provider.clone()),
        sign_in_age: Duration::from_millis(20),
        ..patient(server.url())
    };
    let redis = open(&settings).await;
    assert!(works(&redis).await);
    assert_eq!(connections(&server, "early"), 1);
    // An error of the provider leaves the connection as it is.
    provider.fail();
    let asked = provider.asked();
    until(|| async { provider.asked() > asked + 2 }).await;
    assert!(works(&redis).await);
    provider.turn_to("late", "late");
    until(|| async { connections(&server, "late") == 1 }).await;
    assert!(works(&redis).await);
    assert_eq!(connections(&server, "early"), 0);
    let stats = redis.stats();
    assert_eq!((stats.connections, stats.breaks), (1, 0), "{stats:?}");
}

#[tokio::test]
async fn a_provider_that_fails_at_first_is_asked_again() {
    let server = PrivateRedis::start();
    server.execute(&format!("ACL SETUSER wallet reset {RIGHTS} >right"));
    let provider = Arc::new(Rotating::default());
    let settings = RedisSettings {
        credentials: Some(provider.clone()),
        ..patient(server.url())
    };
    let redis = Redis::open(&settings).await.unwrap();
    assert!(!redis.is_up());
    provider.turn_to("wallet", "wrong");
    let asked = provider.asked();
    until(|| async { provider.asked() > asked + 2 }).await;
    assert!(!redis.is_up());
    provider.turn_to("wallet", "right");
    until(|| works(&redis)).await;
}

/// The client opens connections to nodes by itself, long after the first ones.
#[tokio::test]
async fn each_node_of_a_cluster_is_signed_in_to_with_the_password_of_the_moment() {
    let cluster = PrivateRedisCluster::start();
    let set_all = |password: &str| {
        for node in cluster.nodes() {
            set(node, "wallet", password);
        }
    };
    set_all("first");
    let provider = Rotating::at("wallet", "first");
    let settings = RedisSettings {
        // The client may leave calls without an answer while it opens connections.
        budget: Duration::from_secs(1),
        credentials: Some(provider.clone()),
        ..patient(cluster.url())
    };
    let redis = open(&settings).await;
    let all: Vec<_> = (0..100).map(|number| balance(account(number), 1)).collect();
    redis.cache().put(&all).await.unwrap();
    set_all("second");
    provider.turn_to("wallet", "second");
    for node in cluster.nodes() {
        node.execute("CLIENT KILL USER wallet");
    }
    until(|| async { redis.cache().put(&all).await.is_ok() }).await;
    for node in cluster.nodes() {
        assert!(connections(node, "wallet") > 0);
    }
}

#[tokio::test]
async fn credentials_come_from_one_place() {
    let provider = Rotating::at("wallet", "secret");
    let url = "redis://127.0.0.1:1";
    let bad = [
        RedisSettings {
            credentials: Some(provider.clone()),
            ..RedisSettings::new("redis://wallet:secret@127.0.0.1:1")
        },
        RedisSettings {
            credentials: Some(provider),
            sign_in_age: Duration::ZERO,
            ..RedisSettings::new(url)
        },
    ];
    for settings in bad {
        let error = settings.check().unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Internal);
    }
    let shown = format!("{:?}", RedisCredentials::new("wallet", "secret"));
    assert!(
        shown.contains("wallet") && !shown.contains("secret"),
        "{shown}"
    );
}
