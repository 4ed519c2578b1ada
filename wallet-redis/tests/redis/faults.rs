//! Redis fails under load, and no balance is affected.

use std::time::Duration;

use wallet_core::runtime::Backoff;
use wallet_redis::RedisSettings;
use wallet_test_servers::{PrivateRedis, PrivateRedisCluster};

use crate::load::Load;

/// The settings of a host, but with a short lifetime for balances.
fn settings(url: String) -> RedisSettings {
    RedisSettings {
        cache_ttl: Duration::from_millis(200),
        reconnect: Backoff::new(Duration::from_millis(5), Duration::from_millis(100)),
        ..RedisSettings::new(url)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_started_again_empty() {
    let mut server = PrivateRedis::start();
    let (load, tasks) = Load::start(&settings(server.url())).await;
    for _ in 0..3 {
        load.go_on(200).await;
        server.kill();
        load.until_down().await;
        load.go_on(200).await;
        server.restart();
        load.until_up().await;
    }
    load.go_on(200).await;
    load.end(tasks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_and_resumed() {
    let server = PrivateRedis::start();
    let (load, tasks) = Load::start(&settings(server.url())).await;
    for _ in 0..3 {
        load.go_on(200).await;
        server.pause();
        load.until_down().await;
        let before = load.redis[0].stats();
        load.go_on(500).await;
        let after = load.redis[0].stats();
        assert_eq!(after.calls, before.calls, "nothing is asked meanwhile");
        server.resume();
        load.until_up().await;
    }
    load.go_on(200).await;
    load.end(tasks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flushed() {
    let server = PrivateRedis::start();
    let (load, tasks) = Load::start(&settings(server.url())).await;
    for round in 0..20 {
        load.go_on(50).await;
        server.execute("FLUSHALL");
        if round % 4 == 0 {
            server.execute("SCRIPT FLUSH SYNC");
        }
    }
    load.go_on(200).await;
    load.end(tasks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn out_of_memory() {
    let server = PrivateRedis::start();
    let (load, tasks) = Load::start(&settings(server.url())).await;
    for _ in 0..3 {
        load.go_on(200).await;
        server.execute("CONFIG SET maxmemory 1");
        load.go_on(500).await;
        server.execute("CONFIG SET maxmemory 0");
    }
    load.go_on(200).await;
    load.end(tasks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turned_into_a_replica() {
    let (server, other) = (PrivateRedis::start(), PrivateRedis::start());
    let (load, tasks) = Load::start(&settings(server.url())).await;
    for _ in 0..3 {
        load.go_on(200).await;
        server.execute(&format!("REPLICAOF 127.0.0.1 {}", other.port()));
        load.until_down().await;
        load.go_on(300).await;
        server.execute("REPLICAOF NO ONE");
        load.until_up().await;
    }
    load.go_on(200).await;
    load.end(tasks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_cut_again_and_again() {
    let server = PrivateRedis::start();
    let (load, tasks) = Load::start(&settings(server.url())).await;
    for _ in 0..30 {
        load.go_on(30).await;
        server.execute("CLIENT KILL TYPE normal SKIPME yes");
    }
    load.until_up().await;
    load.end(tasks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_a_cluster_killed_and_started_again() {
    let mut cluster = PrivateRedisCluster::start();
    let (load, tasks) = Load::start(&settings(cluster.url())).await;
    load.go_on(200).await;
    cluster.nodes_mut()[1].kill();
    load.go_on(500).await;
    cluster.nodes_mut()[1].restart();
    load.go_on(500).await;
    load.until_up().await;
    load.end(tasks).await;
}
