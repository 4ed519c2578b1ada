//! Functions that other programs over the same books share with the server. The command
//! `wallet` opens books, histories and clients as the server does.

pub use crate::app::SCOPE;
#[cfg(feature = "aws")]
pub use crate::aws::{dynamo, sqs};
pub use crate::config::time as parse_time;
pub use crate::error::cause;
pub use crate::history::{open as open_history, open_log as open_audit_log};
pub use crate::output::time;
pub use crate::serve::signals::outlive_full_files;
pub use crate::store::Books;
