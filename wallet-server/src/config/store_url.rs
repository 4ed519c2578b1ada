//! The address of the store, as the setting `--store` names it. `store` opens it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use wallet_core::Settings;

/// The store of the books.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A SQLite file, created when absent.
    Sqlite(PathBuf),
    /// The memory of the process.
    Memory,
    /// A database of MySQL, MariaDB or Aurora, by its address.
    #[cfg(feature = "mysql")]
    Mysql(String),
}

impl StoreUrl {
    /// The recommended settings of a wallet over this store.
    pub(crate) fn settings(&self) -> Settings {
        match self {
            Self::Sqlite(_) | Self::Memory => Settings::default(),
            #[cfg(feature = "mysql")]
            Self::Mysql(_) => Settings::for_server(),
        }
    }
}

/// Shows no addresses: they hold passwords.
impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Memory => f.write_str("Memory"),
            #[cfg(feature = "mysql")]
            Self::Mysql(_) => f.debug_tuple("Mysql").finish_non_exhaustive(),
        }
    }
}

impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "memory" => Ok(Self::Memory),
            Some(("sqlite", ":memory:")) => Err("write --store memory".to_owned()),
            // SQLite reads options there; here they would be part of the file's name.
            Some(("sqlite", path)) if path.contains('?') || path.starts_with("file:") => {
                Err("sqlite:PATH is the path of a file and takes no options".to_owned())
            }
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            #[cfg(feature = "mysql")]
            Some(("mysql", _)) => Ok(Self::Mysql(text.to_owned())),
            #[cfg(not(feature = "mysql"))]
            Some(("mysql", _)) => Err("built without the feature mysql".to_owned()),
            _ => Err("expected sqlite:PATH, memory or mysql://...".to_owned()),
        }
    }
}
