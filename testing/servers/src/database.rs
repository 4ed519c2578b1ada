use wallet_aurora::sqlx::{Connection, Executor, MySqlConnection};
use wallet_core::runtime::{IdGenerator, Uuid7};

use crate::{Kind, shared};

/// Runs `test` with the URL of a new database on the shared server, and drops the database
/// if the test passes.
///
/// # Panics
/// Panics where the server refuses a statement.
pub async fn on_new_database(kind: Kind, test: impl AsyncFnOnce(&str)) {
    let name = format!("wallet_{}", Uuid7.new_id().simple());
    let server = shared(kind).url();
    let connected = MySqlConnection::connect(server).await;
    let mut connection = connected.expect("a connection");
    let create = format!("CREATE DATABASE {name}");
    connection.execute(create.as_str()).await.expect("created");
    test(&format!("{server}/{name}?ssl-mode=disabled")).await;
    let drop = format!("DROP DATABASE {name}");
    connection.execute(drop.as_str()).await.expect("dropped");
}
