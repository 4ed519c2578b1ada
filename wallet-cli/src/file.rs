use std::path::Path;

use wallet_server::StoreUrl;

use crate::error::CliError;

/// The file of a SQLite store.
pub(crate) fn file(url: &StoreUrl) -> Result<&Path, CliError> {
    match url {
        StoreUrl::Sqlite(path) => Ok(path),
        StoreUrl::Memory => Err(CliError::Memory),
        #[cfg(feature = "mysql")]
        StoreUrl::Mysql(_) => Err(CliError::OnlySqlite),
    }
}
