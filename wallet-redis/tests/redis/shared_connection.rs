//! The connection to Redis: its failures, their cost, and its recovery.

use std::time::Duration;

use wallet_core::StoreError;
use wallet_core::cache::BalanceCache;
use wallet_core::edge::{Charge, Quota, RateLimiter, SessionLife, SessionStore};
use wallet_core::ledger::{LimitName, LimitScope, LockName, LockOwner, SessionUser};
use wallet_core::locks::LockManager;
use wallet_core::runtime::Backoff;
use wallet_core::store::StoreErrorKind;
use wallet_redis::{Redis, RedisSettings};
use wallet_test_servers::{PrivateRedis, PrivateRedisCluster};

use crate::support::{account, balance, open, patient, until};

/// Whether a stored value is found again.
async fn works(redis: &Redis) -> Result<bool, StoreError> {
    let one = balance(account(1), 1);
    let cache = redis.cache();
    cache.put(&[one]).await?;
    Ok(cache.get(&[one.account]).await? == [Some(one)])
}

async fn until_it_works(redis: &Redis) {
    until(|| async { works(redis).await.unwrap_or(false) }).await;
}

/// Writes through every port.
async fn writes_everywhere(redis: &Redis) {
    assert!(works(redis).await.unwrap());
    let quota = Quota::new(1_000, 1, Duration::from_secs(60)).unwrap();
    let charge = Charge::new(LimitName::new("a").unwrap(), quota, 1);
    let scope = LimitScope::new("a").unwrap();
    let verdict = redis.limiter().take(&scope, &[charge]).await.unwrap();
    assert!(verdict.is_admitted());
    let locks = redis.locks();
    let (name, owner) = (LockName::new("a").unwrap(), LockOwner::new("a").unwrap());
    let lease = locks.acquire(&name, &owner, Duration::from_secs(60)).await;
    let lease = lease.unwrap().unwrap();
    locks.renew(&lease, Duration::from_secs(60)).await.unwrap();
    locks.release(&lease).await.unwrap();
    let (sessions, user) = (redis.sessions(), SessionUser::new("ada").unwrap());
    let created = sessions.create(&user, b"x", SessionLife::default()).await;
    let (id, session) = created.unwrap();
    assert_eq!(sessions.load(&id).await.unwrap(), Some(session));
    assert!(sessions.revoke(&id).await.unwrap());
}

#[tokio::test]
async fn scripts_survive_a_flush() {
    let server = PrivateRedis::start();
    let redis = open(&patient(server.url())).await;
    for _ in 0..3 {
        server.execute("SCRIPT FLUSH SYNC");
        writes_everywhere(&redis).await;
    }
    assert_eq!(redis.stats().failures, 0);
}

#[tokio::test]
async fn scripts_are_sent_whole_to_each_node_of_a_cluster() {
    let cluster = PrivateRedisCluster::start();
    let redis = open(&patient(cluster.url())).await;
    for _ in 0..2 {
        for node in cluster.nodes() {
            node.execute("SCRIPT FLUSH SYNC");
        }
        let all: Vec<_> = (100..612)
            .map(|number| balance(account(number), 3))
            .collect();
        redis.cache().put(&all).await.unwrap();
        writes_everywhere(&redis).await;
    }
    let keys: Vec<u32> = cluster
        .nodes()
        .iter()
        .map(|node| {
            let size = node.ask("DBSIZE");
            size.trim_start_matches(':').parse().unwrap()
        })
        .collect();
    assert!(keys.iter().all(|size| *size > 100), "spread: {keys:?}");
}

#[tokio::test]
async fn a_call_is_repeated_when_its_connection_was_cut() {
    let server = PrivateRedis::start();
    let redis = open(&patient(server.url())).await;
    for round in 1..=3 {
        server.execute("CLIENT KILL TYPE normal SKIPME yes");
        assert!(works(&redis).await.unwrap(), "round {round}");
    }
    let stats = redis.stats();
    assert_eq!((stats.failures, stats.timeouts), (0, 0));
    assert!(stats.connections >= 2, "{stats:?}");
}

#[tokio::test]
async fn a_paused_server_costs_a_few_budgets_and_then_nothing() {
    let server = PrivateRedis::start();
    let settings = RedisSettings {
        budget: Duration::from_secs(1),
        failures_max: 3,
        connect_wait: Duration::from_millis(200),
        reconnect: Backoff::new(Duration::from_millis(5), Duration::from_millis(50)),
        ..RedisSettings::new(server.url())
    };
    let redis = open(&settings).await;
    assert!(works(&redis).await.unwrap());
    server.pause();
    for _ in 0..200 {
        let error = redis.cache().get(&[account(1)]).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    }
    let stats = redis.stats();
    assert_eq!(stats.timeouts, 3, "then the breaker is open: {stats:?}");
    assert_eq!(stats.skipped, 197);
    assert!(!redis.is_up());
    server.resume();
    until_it_works(&redis).await;
}

#[tokio::test]
async fn a_server_that_is_slower_than_the_budget_is_not_used_again() {
    let server = PrivateRedis::start();
    let settings = RedisSettings {
        budget: Duration::from_millis(100),
        reconnect: Backoff::new(Duration::from_millis(5), Duration::from_millis(5)),
        ..RedisSettings::new(server.url())
    };
    let redis = open(&settings).await;
    // Answers arrive, but each one later than the deadline of a call.
    server.execute("CLIENT PAUSE 3600000 ALL");
    until(|| async {
        let _ = redis.cache().get(&[account(1)]).await;
        !redis.is_up()
    })
    .await;
    let before = redis.stats();
    for _ in 0..1_000 {
        assert!(redis.cache().get(&[account(1)]).await.is_err());
    }
    let after = redis.stats();
    assert_eq!(after.timeouts, before.timeouts, "none was sent");
    assert_eq!(after.skipped, before.skipped + 1_000);
}

#[tokio::test]
async fn a_server_that_was_down_at_first_is_found_later() {
    let mut server = PrivateRedis::start();
    server.kill();
    let redis = Redis::open(&patient(server.url())).await.unwrap();
    assert!(!redis.is_up());
    let error = works(&redis).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    server.restart();
    until_it_works(&redis).await;
    server.kill();
    until(|| async { works(&redis).await.is_err() }).await;
    server.restart();
    until_it_works(&redis).await;
    writes_everywhere(&redis).await;
}

#[tokio::test]
async fn a_server_that_became_a_replica_is_left_until_it_is_none() {
    let (server, other) = (PrivateRedis::start(), PrivateRedis::start());
    let redis = open(&patient(server.url())).await;
    assert!(works(&redis).await.unwrap());
    server.execute(&format!("REPLICAOF 127.0.0.1 {}", other.port()));
    let quick = RedisSettings {
        budget: Duration::from_millis(500),
        ..RedisSettings::new(server.url())
    };
    let late = Redis::open(&quick).await.unwrap();
    until(|| async { works(&late).await.is_err() && !late.is_up() }).await;
    server.execute("REPLICAOF NO ONE");
    until_it_works(&late).await;
    until_it_works(&redis).await;
}

#[tokio::test]
async fn a_full_server_refuses_and_goes_on() {
    let server = PrivateRedis::start();
    let redis = open(&patient(server.url())).await;
    assert!(works(&redis).await.unwrap());
    server.execute("CONFIG SET maxmemory 1");
    let put = redis.cache().put(&[balance(account(2), 1)]).await;
    assert_eq!(put.unwrap_err().kind(), StoreErrorKind::Unavailable);
    let found = redis.cache().get(&[account(1)]).await.unwrap();
    assert_eq!(found, [Some(balance(account(1), 1))], "reads go on");
    assert!(redis.is_up(), "its connection is well");
    server.execute("CONFIG SET maxmemory 0");
    assert!(works(&redis).await.unwrap());
    assert_eq!(redis.stats().breaks, 0);
}

#[tokio::test]
async fn users_of_access_lists_are_distinguished() {
    let server = PrivateRedis::start_with(&[
        "user default off",
        "user wallet on >secret ~{wallet:* resetchannels -@all +mget +unlink +evalsha +eval +echo \
         +role +get +set +getrange +time +hget +hset +hdel +hmget +hgetall +del +pexpire +pttl",
        "user reader on >secret ~* resetchannels +@read +echo",
    ]);
    let at = |user: &str| format!("redis://{user}127.0.0.1:{}", server.port());
    let redis = open(&patient(at("wallet:secret@"))).await;
    writes_everywhere(&redis).await;
    let reader = open(&patient(at("reader:secret@"))).await;
    assert_eq!(
        works(&reader).await.unwrap_err().kind(),
        StoreErrorKind::Internal
    );
    for user in ["wallet:wrong@", ""] {
        let stranger = Redis::open(&patient(at(user))).await.unwrap();
        assert!(!stranger.is_up(), "{user:?}");
    }
}

#[tokio::test]
async fn encrypted_connections_know_whom_they_talk_to() {
    let server = PrivateRedis::start();
    let url = format!("rediss://127.0.0.1:{}", server.tls_port());
    let ca = std::fs::read(server.ca()).unwrap();
    let mut settings = patient(url);
    settings.ca = Some(ca.into());
    let redis = open(&settings).await;
    writes_everywhere(&redis).await;
    let other = PrivateRedis::start();
    let wrong = std::fs::read(other.ca()).unwrap();
    settings.ca = Some(wrong.into());
    let stranger = Redis::open(&settings).await.unwrap();
    assert!(!stranger.is_up());
}

#[tokio::test]
async fn sentinels_lead_to_the_server_of_the_moment() {
    let mut first = PrivateRedis::start();
    let second = PrivateRedis::start();
    second.execute(&format!("REPLICAOF 127.0.0.1 {}", first.port()));
    let monitor = format!("sentinel monitor main 127.0.0.1 {} 1", first.port());
    let sentinel = PrivateRedis::start_with(&[
        "sentinel",
        &monitor,
        "sentinel down-after-milliseconds main 300",
        "sentinel failover-timeout main 3000",
    ]);
    until(|| async {
        second
            .ask("INFO replication")
            .contains("master_link_status:up")
    })
    .await;
    let url = format!("redis+sentinel://127.0.0.1:{}/main", sentinel.port());
    let redis = open(&patient(url)).await;
    assert!(works(&redis).await.unwrap());
    until(|| async {
        sentinel.ask("SENTINEL MASTER main").starts_with('*')
            && sentinel.ask("INFO sentinel").contains("slaves=1")
    })
    .await;
    first.kill();
    until_it_works(&redis).await;
    assert!(second.ask("INFO replication").contains("role:master"));
    writes_everywhere(&redis).await;
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    let with = |change: fn(&mut RedisSettings)| {
        let mut settings = RedisSettings::new("redis://127.0.0.1:1");
        change(&mut settings);
        settings
    };
    with(|_| ()).check().unwrap();
    let bad = [
        RedisSettings::new("nonsense"),
        RedisSettings::new("redis+sentinel://127.0.0.1:1"),
        with(|s| s.prefix = String::new()),
        with(|s| s.prefix = "a{b}".to_owned()),
        with(|s| s.budget = Duration::ZERO),
        with(|s| s.failures_max = 0),
        with(|s| s.cache_ttl = Duration::ZERO),
        with(|s| s.cache_ttl = RedisSettings::CACHE_TTL_MAX * 2),
    ];
    for settings in bad {
        let error = Redis::open(&settings).await.expect_err("refused");
        assert_eq!(error.kind(), StoreErrorKind::Internal, "{settings:?}");
    }
}

#[tokio::test]
async fn balances_end_by_themselves_not_all_at_once() {
    let server = PrivateRedis::start();
    let mut settings = patient(server.url());
    settings.cache_ttl = Duration::from_secs(1_000);
    let redis = open(&settings).await;
    let all: Vec<_> = (0..200).map(|number| balance(account(number), 1)).collect();
    redis.cache().put(&all).await.unwrap();
    let mut lives: Vec<u64> = all
        .iter()
        .map(|one| {
            let number = one.account.id.uuid();
            let share = number.as_bytes()[15];
            let key = format!("{{wallet:b{share:02x}}}0:{}", number.simple());
            server
                .ask(&format!("PTTL {key}"))
                .trim_start_matches(':')
                .parse()
                .unwrap()
        })
        .collect();
    lives.sort_unstable();
    assert!(lives[199] <= 1_000_000 && lives[0] > 800_000, "{lives:?}");
    lives.dedup_by_key(|life| *life / 1_000);
    assert!(
        lives.len() > 50,
        "they end in {} different seconds",
        lives.len()
    );
    // A short lifetime ends.
    settings.cache_ttl = Duration::from_millis(20);
    let cache = open(&settings).await.cache();
    let one = balance(account(1_000), 1);
    cache.put(&[one]).await.unwrap();
    until(|| async { cache.get(&[one.account]).await.unwrap() == [None] }).await;
}
