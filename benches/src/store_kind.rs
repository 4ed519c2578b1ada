//! The kinds of stores that can be measured.

use clap::ValueEnum;
use serde::Serialize;
use wallet_core::Settings;
use wallet_test_servers::Kind;

/// The kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StoreKind {
    /// `MemoryStore`: nothing is stored on disk.
    Memory,
    /// `SqliteStore` on its own file.
    Sqlite,
    /// `AuroraStore` on a private server of Oracle's MySQL.
    Mysql,
    /// `AuroraStore` on a private server of MariaDB.
    Mariadb,
}

impl std::fmt::Display for StoreKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
            Self::Mysql => "mysql",
            Self::Mariadb => "mariadb",
        })
    }
}

impl StoreKind {
    /// The server that it needs.
    pub(crate) const fn server(self) -> Option<Kind> {
        match self {
            Self::Memory | Self::Sqlite => None,
            Self::Mysql => Some(Kind::MySql),
            Self::Mariadb => Some(Kind::MariaDb),
        }
    }

    /// Whether it stores its own files, which must be on a real disk.
    pub(crate) const fn has_files(self) -> bool {
        !matches!(self, Self::Memory)
    }

    /// The wallet settings with the highest throughput.
    pub(crate) fn settings(self) -> Settings {
        match self.server() {
            Some(_) => Settings::for_server(),
            None => Settings::default(),
        }
    }
}
