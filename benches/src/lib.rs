//! Benchmarks of the wallet ledger, beside a naive baseline.
