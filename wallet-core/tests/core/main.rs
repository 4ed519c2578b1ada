//! Tests of the core through its public names.

mod audit;
mod codec;
mod decide;
mod fingerprint;
mod golden;
mod limits;
mod money;
mod reconcile;
mod request;
mod service;
mod support;
mod text;
