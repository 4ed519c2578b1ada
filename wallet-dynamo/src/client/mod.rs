//! DynamoDB calls, the classification of their errors, and their retries.

mod api;
mod aws;
mod error;
#[cfg(test)]
pub(crate) mod fake;
mod retry;

#[cfg(test)]
pub(crate) use api::Found;
pub(crate) use api::{Api, Query, Rise};
pub(crate) use aws::Aws;
pub(crate) use error::{CallError, call_error};
pub(crate) use retry::RetryingClient;
