//! The wallet ledger's store and outbox on Aurora MySQL, MySQL and MariaDB.

mod clock;
mod commit;
mod connect;
mod error;
mod migrate;
mod outbox;
mod past_balance;
mod pool;
mod purge;
mod read;
mod run;
mod settings;
mod sql;
mod store;
mod value;
mod write;

pub use error::{ApplyError, TransactionLost};
pub use settings::AuroraSettings;
pub use store::AuroraStore;
