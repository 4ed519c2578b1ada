//! The wallet ledger behind a REST API: routes, bodies and problems, to run
//! alone or to mount into a host's own axum application.
//!
//! [`router`] makes the routes over a [`Wallet`](wallet_core::Wallet), [`Server`]
//! serves them, [`run`] is the whole program. Amounts are decimal strings, times are RFC 3339, errors
//! are problem+json (RFC 9457) with a stable `code`.

mod app;
#[cfg(feature = "aws")]
mod aws;
mod config;
mod connection;
mod events;
mod history;
mod idempotency;
mod input;
mod log;
mod metrics;
mod middleware;
mod openapi;
pub mod operator;
mod output;
mod problem;
mod reply;
mod routes;
mod schema;
mod serve;
mod store;

pub use app::{App, AppSettings, router};
pub use config::{Config, StoreUrl};
pub use history::TableUrl;
pub use log::LogFormat;
pub use problem::{Code, Problem};
pub use serve::{Server, StartError, run};
