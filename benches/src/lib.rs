//! Benchmarks of the wallet ledger: `benches/` holds those of criterion.
