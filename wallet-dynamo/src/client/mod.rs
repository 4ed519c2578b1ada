//! Calls of DynamoDB: what they are, what their errors mean, how often they are
//! tried.

mod api;
mod aws;
mod caller;
#[cfg(test)]
mod caller_tests;
mod error;
#[cfg(test)]
pub(crate) mod fake;

#[cfg(test)]
pub(crate) use api::Found;
pub(crate) use api::{Api, Item, Query, Rise};
pub(crate) use aws::Aws;
pub(crate) use caller::Caller;
pub(crate) use error::{CallError, call_error};
