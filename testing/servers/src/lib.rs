//! Servers for tests, databases, Redis and an emulator of Amazon SQS and SNS: each a
//! child process on a free port with a folder of its own. Development only.
//!
//! [`shared`] gives one server per [`Kind`] to all test processes of a
//! workspace: the first one starts it, and it ends some seconds after the last
//! one has ended, however that was. Tests keep apart by databases of their own,
//! named `wallet_...`. [`Private`] is a server for one test, which may kill it.
//!
//! `WALLET_TEST_MARIADB_URL` and `WALLET_TEST_MYSQL_URL` put another server in
//! the place of the shared one: `mysql://user:password@host:port`, of a user who
//! may create and drop databases whose names begin with `wallet_`.
//!
//! [`shared_aws`] and [`PrivateAws`] are the same for the emulator, with
//! `WALLET_TEST_AWS_ENDPOINT` for another endpoint in its place.
//!
//! [`PrivateRedis`], [`PrivateRedisCluster`] and [`PrivateDynamo`], an emulator of
//! Amazon DynamoDB, start so fast that each test has its own.
//!
//! A server that is not installed is an error and never a test left out:
//! `scripts/setup-servers` installs them all.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "for tests, which tell what is wrong by panicking"
)]

mod aws;
mod clock;
mod dynamo;
#[cfg(feature = "queues")]
mod fifo;
mod install;
mod port;
mod private;
mod redis;
mod shared;
mod signal;
mod tls;

pub use aws::{PrivateAws, shared_aws};
pub use dynamo::PrivateDynamo;
#[cfg(feature = "queues")]
pub use fifo::{Queue, environment};
pub use install::Kind;
pub use private::Private;
pub use redis::{PrivateRedis, PrivateRedisCluster};
pub use shared::{Shared, shared};
pub use tls::write_ca;

/// The user of tests, who owns every database named `wallet_...`.
pub const USER: &str = "wallet";
/// The password of both users.
pub const PASSWORD: &str = "wallet-test";
/// The user who may do everything.
pub const ADMIN: &str = "admin";

/// The address of a server here for one of its users, without a database.
fn url(user: &str, port: u16) -> String {
    format!("mysql://{user}:{PASSWORD}@127.0.0.1:{port}")
}
