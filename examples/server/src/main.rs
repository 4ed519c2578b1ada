//! The wallet ledger behind a REST API.

fn main() {}
