//! The wallet ledger's store and outbox on SQLite: the embedded default.
