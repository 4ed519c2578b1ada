//! Benchmarks of the wallet ledger: `benches/` holds those of criterion.

/// The example of the project's README must compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[derive(Debug, Clone, Copy)]
pub struct Readme;
