//! A private server, set up as in production.

use std::path::{Path, PathBuf};

use tokio::runtime::Runtime;
use wallet_aurora::sqlx::{Connection, Executor, MySqlConnection, Row};
use wallet_test_servers::{Kind, Private};

use crate::Result;
use crate::args::Load;
use crate::work::Meter;

/// A flush at every commit is the default of both servers.
const PACKET: &str = "--max-allowed-packet=64M";
const MARIADB: [&str; 1] = ["--innodb-log-file-size=1G"];
const MYSQL: [&str; 1] = ["--innodb-redo-log-capacity=1G"];
const BINARY_LOG: [&str; 2] = ["--log-bin=binlog", "--sync-binlog=1"];

/// A server for this run.
#[derive(Debug)]
pub(crate) struct Server {
    kind: Kind,
    private: Private,
    profile: String,
    tls: bool,
}

impl Server {
    /// Starts it with all its data in `folder`.
    pub(crate) fn start(kind: Kind, folder: &Path, load: &Load) -> Self {
        let gigabytes = load.buffer_pool.unwrap_or(4);
        let pool = format!("--innodb-buffer-pool-size={gigabytes}G");
        let mut options = vec![PACKET, &pool];
        options.extend(match kind {
            Kind::MariaDb => MARIADB,
            Kind::MySql => MYSQL,
        });
        // The default of Oracle's MySQL, but not of MariaDB.
        if kind == Kind::MySql && !load.skip_log_bin {
            options.extend(BINARY_LOG);
        }
        let log = if options.contains(&BINARY_LOG[0]) {
            "binary log flushed at every commit"
        } else {
            "no binary log"
        };
        let tls = if load.tls { ", TLS" } else { "" };
        Self {
            kind,
            private: Private::start_in(kind, folder, &options),
            profile: format!(
                "redo log flushed at every commit, {log}, redo 1 GB, buffer pool {gigabytes} GB{tls}"
            ),
            tls: load.tls,
        }
    }

    pub(crate) fn profile(&self) -> &str {
        &self.profile
    }

    /// Reads the processor time of the server and of this process.
    pub(crate) fn meter(&self) -> Result<Meter> {
        Meter::read(self.private.process())
    }

    /// How many deadlocks its engine has broken since it was started.
    pub(crate) fn deadlocks(&self, runtime: &Runtime) -> Result<u64> {
        let (query, column) = match self.kind {
            Kind::MariaDb => ("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'", 1),
            Kind::MySql => (
                "SELECT CAST(COUNT AS CHAR) FROM information_schema.INNODB_METRICS
                 WHERE NAME = 'lock_deadlocks'",
                0,
            ),
        };
        let url = self.private.admin_url();
        let count: String = runtime.block_on(async {
            let mut connection = MySqlConnection::connect(&url).await?;
            let row = connection.fetch_one(query).await?;
            row.try_get(column)
        })?;
        Ok(count.parse()?)
    }

    /// Creates a new database.
    pub(crate) fn create(&self, name: &str, runtime: &Runtime) -> Result<Database> {
        let name = format!("wallet_{name}");
        let server = self.private.url();
        runtime.block_on(async {
            let mut connection = MySqlConnection::connect(&server).await?;
            let create = format!("CREATE DATABASE {name}");
            connection.execute(create.as_str()).await?;
            connection.close().await
        })?;
        let secure = if self.tls {
            let ca = self.private.ca();
            format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={}", ca.display())
        } else {
            "ssl-mode=DISABLED".to_owned()
        };
        Ok(Database {
            url: format!("{server}/{name}?{secure}"),
            folder: self.private.folder().join("data").join(name),
        })
    }
}

/// A database on it.
#[derive(Debug)]
pub(crate) struct Database {
    url: String,
    folder: PathBuf,
}

impl Database {
    /// The URL of the database.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The size of its files, without the logs that all databases share.
    pub(crate) fn bytes(&self) -> Result<u64> {
        let mut sum = 0_u64;
        for file in std::fs::read_dir(&self.folder)? {
            sum = sum.saturating_add(file?.metadata()?.len());
        }
        Ok(sum)
    }
}
