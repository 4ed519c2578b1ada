//! A writer and a replica that follows it asynchronously, behind an endpoint.

use sqlx::mysql::MySqlRow;
use sqlx::{Connection, Executor, MySqlConnection, Row as _};
use wallet_aurora::AuroraSettings;
use wallet_test_servers::{ADMIN, Kind, PASSWORD, Private};

use super::endpoint::Endpoint;
use super::{Database, patient};

#[derive(Debug)]
pub(crate) struct Cluster {
    kind: Kind,
    writer: Private,
    replica: Private,
    pub(crate) endpoint: Endpoint,
}

impl Cluster {
    /// Starts both servers. The replica follows from the beginning.
    pub(crate) async fn start(kind: Kind) -> Self {
        let own: &[&str] = match kind {
            Kind::MariaDb => &[],
            Kind::MySql => &["--gtid-mode=ON", "--enforce-gtid-consistency=ON"],
        };
        let options = |id| [&[id, "--log-bin=log"], own].concat();
        let writer = Private::start_with(kind, &options("--server-id=1"));
        let replica = Private::start_with(kind, &options("--server-id=2"));
        let follow = match kind {
            Kind::MariaDb => format!(
                "CHANGE MASTER TO master_host = '127.0.0.1', master_port = {}, \
                 master_user = '{ADMIN}', master_password = '{PASSWORD}', \
                 master_use_gtid = slave_pos; START SLAVE",
                writer.port()
            ),
            Kind::MySql => format!(
                "CHANGE REPLICATION SOURCE TO source_host = '127.0.0.1', source_port = {}, \
                 source_user = '{ADMIN}', source_password = '{PASSWORD}', \
                 source_auto_position = 1, get_source_public_key = 1; START REPLICA",
                writer.port()
            ),
        };
        run(&replica, &follow).await;
        let endpoint = Endpoint::start(writer.port()).await;
        Self {
            kind,
            writer,
            replica,
            endpoint,
        }
    }

    /// A new database on the writer.
    pub(crate) async fn database(&self) -> Database {
        Database::create_on(&self.writer.url()).await
    }

    /// The settings of a process that connects through the endpoint.
    pub(crate) fn settings(&self, database: &Database) -> AuroraSettings {
        patient(self.endpoint.url(&database.url()))
    }

    /// The same database on the server that was the replica.
    pub(crate) fn promoted(&self, database: &Database) -> Database {
        database.on(&self.replica.url())
    }

    /// Waits until the replica has everything. From then on it falls behind.
    pub(crate) async fn fall_behind(&self) {
        let (position, wait, stop) = match self.kind {
            Kind::MariaDb => ("SELECT @@gtid_binlog_pos", "master_gtid_wait", "STOP SLAVE"),
            Kind::MySql => (
                "SELECT @@gtid_executed",
                "wait_for_executed_gtid_set",
                "STOP REPLICA",
            ),
        };
        let position: String = one(&self.writer, position).await.get_unchecked(0);
        let wait = format!("SELECT {wait}('{position}', 60)");
        let reached: i64 = one(&self.replica, &wait).await.get_unchecked(0);
        assert_eq!(reached, 0, "the replica follows");
        run(&self.replica, stop).await;
    }

    /// Kills the writer. The replica takes its place in its present state.
    pub(crate) async fn fail_over(&mut self) {
        self.writer.kill();
        let reset = match self.kind {
            Kind::MariaDb => "RESET SLAVE ALL",
            Kind::MySql => "RESET REPLICA ALL",
        };
        run(&self.replica, reset).await;
        self.endpoint.point_at(self.replica.port());
    }
}

async fn run(server: &Private, sql: &str) {
    let mut admin = MySqlConnection::connect(&admin_url(server)).await.unwrap();
    let done = admin.execute(sql).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

async fn one(server: &Private, sql: &str) -> MySqlRow {
    let mut admin = MySqlConnection::connect(&admin_url(server)).await.unwrap();
    sqlx::raw_sql(sql).fetch_one(&mut admin).await.unwrap()
}

fn admin_url(server: &Private) -> String {
    format!("{}?ssl-mode=disabled", server.admin_url())
}
