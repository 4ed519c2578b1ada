//! The settings of a database of MySQL, MariaDB or Aurora.

use std::time::Duration;

use clap::Args;
use wallet_aurora::AuroraSettings;

use super::values::at_least_one;

/// The timeouts and the connection pool of a database of MySQL, MariaDB or Aurora.
#[derive(Debug, Clone, Args)]
pub struct MysqlConfig {
    /// The most connections to the database.
    #[arg(long, env = "WALLET_MYSQL_CONNECTIONS", default_value_t = 12)]
    #[arg(value_parser = at_least_one)]
    pub mysql_connections: usize,

    /// The connections reserved for commits and the relay, so that reads never keep a
    /// commit waiting.
    #[arg(long, env = "WALLET_MYSQL_RESERVED", default_value_t = 4)]
    pub mysql_reserved: usize,

    /// How long a commit waits for an account that another transaction has locked, in
    /// seconds.
    #[arg(long, env = "WALLET_MYSQL_LOCK_WAIT_SECS", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub mysql_lock_wait_secs: u64,

    /// The timeout of a commit and of a read by key, in milliseconds; longer than the
    /// lock timeout.
    #[arg(long, env = "WALLET_MYSQL_ANSWER_WAIT_MS", default_value_t = 5_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub mysql_answer_wait_ms: u64,

    /// The timeout of lists, verification and purges, in milliseconds.
    #[arg(long, env = "WALLET_MYSQL_LONG_WAIT_MS", default_value_t = 60_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub mysql_long_wait_ms: u64,

    /// The timeout of a schema change, in milliseconds.
    #[arg(
        long,
        env = "WALLET_MYSQL_MIGRATION_WAIT_MS",
        default_value_t = 3_600_000
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub mysql_migration_wait_ms: u64,

    /// How long to wait for a connection, in milliseconds.
    #[arg(long, env = "WALLET_MYSQL_CONNECT_WAIT_MS", default_value_t = 3_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub mysql_connect_wait_ms: u64,

    /// How long an idle connection may take to answer a ping, in milliseconds.
    #[arg(long, env = "WALLET_MYSQL_PING_WAIT_MS", default_value_t = 1_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub mysql_ping_wait_ms: u64,

    /// After how many seconds without a statement the database closes a connection and
    /// releases its locks. If a server vanishes, its accounts stay locked for this long.
    #[arg(long, env = "WALLET_MYSQL_SESSION_WAIT_SECS", default_value_t = 15)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub mysql_session_wait_secs: u64,
}

impl MysqlConfig {
    /// The settings of the store at this address.
    pub(crate) fn settings(&self, address: &str) -> AuroraSettings {
        AuroraSettings {
            connections: self.mysql_connections,
            reserved_connections: self.mysql_reserved,
            lock_wait: Duration::from_secs(self.mysql_lock_wait_secs),
            answer_wait: Duration::from_millis(self.mysql_answer_wait_ms),
            long_wait: Duration::from_millis(self.mysql_long_wait_ms),
            migration_wait: Duration::from_millis(self.mysql_migration_wait_ms),
            connect_wait: Duration::from_millis(self.mysql_connect_wait_ms),
            ping_wait: Duration::from_millis(self.mysql_ping_wait_ms),
            session_wait: Duration::from_secs(self.mysql_session_wait_secs),
            ..AuroraSettings::new(address)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Config;

    #[test]
    fn the_defaults_are_those_of_the_store() {
        let config = Config::parse_from(["wallet-server"]);
        let address = "mysql://shop:secret@localhost/shop";
        assert_eq!(config.mysql.settings(address), AuroraSettings::new(address));
    }

    #[test]
    fn every_option_reaches_the_store() {
        let options = [
            "wallet-server",
            "--mysql-connections=20",
            "--mysql-reserved=5",
            "--mysql-lock-wait-secs=2",
            "--mysql-answer-wait-ms=7001",
            "--mysql-long-wait-ms=61001",
            "--mysql-migration-wait-ms=3601001",
            "--mysql-connect-wait-ms=3001",
            "--mysql-ping-wait-ms=1001",
            "--mysql-session-wait-secs=16",
        ];
        let address = "mysql://shop:secret@localhost/shop";
        let expected = AuroraSettings {
            connections: 20,
            reserved_connections: 5,
            lock_wait: Duration::from_secs(2),
            answer_wait: Duration::from_millis(7_001),
            long_wait: Duration::from_millis(61_001),
            migration_wait: Duration::from_millis(3_601_001),
            connect_wait: Duration::from_millis(3_001),
            ping_wait: Duration::from_millis(1_001),
            session_wait: Duration::from_secs(16),
            ..AuroraSettings::new(address)
        };
        let config = Config::parse_from(options);
        assert_eq!(config.mysql.settings(address), expected);
    }
}
