//! The wallet ledger behind a REST API: routes, bodies and problems, to run
//! alone or to mount into a host's own axum application.
//!
//! [`router()`] makes the routes over a [`Wallet`](wallet_core::Wallet),
//! [`admin_router`] those for who runs it, [`Server`] serves both, [`run`] is the
//! whole program. Amounts are decimal strings, times are RFC 3339, errors
//! are problem+json (RFC 9457) with a stable `code`.

mod app;
#[cfg(feature = "aws")]
mod aws;
mod config;
mod connection;
mod error;
mod events;
mod forwarded;
mod history;
mod hosts;
mod idempotency;
mod input;
mod lanes;
mod log;
mod lookup;
mod metrics;
mod middleware;
mod openapi;
mod output;
mod problem;
mod readiness;
mod reply;
mod router;
mod routes;
mod schema;
mod serve;
mod store;
pub mod tools;

pub use app::{App, AppSettings};
#[cfg(feature = "mysql")]
pub use config::MysqlConfig;
pub use config::{AdminListen, Config, StoreUrl};
pub use connection::{Network, NetworkError};
pub use error::StartError;
pub use history::TableUrl;
pub use hosts::{HostName, HostNameError, Hosts};
pub use log::LogFormat;
pub use problem::{Code, Problem};
pub use router::{admin_router, router};
pub use serve::{Server, run};
