//! The smallest program that moves money with the wallet ledger.

fn main() {}
