//! The routes: one module for each resource.
//!
//! A handler parses with `input`, asks the wallet, and answers with a body of `output` or
//! a `Problem`. `router` puts the handlers behind their paths.

pub(crate) mod accounts;
pub(crate) mod batches;
pub(crate) mod health;
pub(crate) mod holds;
pub(crate) mod metrics;
pub(crate) mod movements;
pub(crate) mod outcomes;
pub(crate) mod statements;
pub(crate) mod system;
pub(crate) mod transfers;
