//! Servers for tests: databases, Redis, and an emulator of Amazon SQS and SNS. Each is a
//! child process on a free port with its own folder. For development only.
//!
//! [`shared`] gives one server per [`Kind`] to all test processes of a workspace. The
//! first process starts it, and it ends some seconds after the last process, however that
//! ended. Tests use their own databases, named `wallet_...`. [`Private`] is a server for
//! one test, which may kill it.
//!
//! `WALLET_TEST_MARIADB_URL` and `WALLET_TEST_MYSQL_URL` replace the shared server:
//! `mysql://user:password@host:port`, of a user who may create and drop databases with
//! names that begin with `wallet_`.
//!
//! [`shared_aws`] and [`PrivateAws`] are the same for the emulator;
//! `WALLET_TEST_AWS_ENDPOINT` replaces its endpoint.
//!
//! [`PrivateRedis`], [`PrivateRedisCluster`] and [`PrivateDynamo`], an emulator of Amazon
//! DynamoDB, start so fast that each test has its own.
//!
//! A server that is not installed is an error; its tests are never skipped.
//! `scripts/setup-servers` installs all of them.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "for tests, which report errors by panicking"
)]

mod aws;
mod clock;
#[cfg(feature = "databases")]
mod database;
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
pub use clock::faketime;
#[cfg(feature = "databases")]
pub use database::on_new_database;
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
/// The user with all rights.
pub const ADMIN: &str = "admin";

/// The URL of a local server for one of its users, without a database.
fn url(user: &str, port: u16) -> String {
    format!("mysql://{user}:{PASSWORD}@127.0.0.1:{port}")
}
