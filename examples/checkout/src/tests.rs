//! The same program on each store.

use wallet::core::runtime::{IdGenerator, Uuid7};
use wallet_test_servers::{Kind, shared};

use super::sell;

async fn sells_what_is_paid(url: &str) {
    // The second run finds what the first one did.
    for second in ["is placed and paid", "was placed and paid before"] {
        let lines = sell(url).await.unwrap();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[0].starts_with("order 7 is not placed: "), "{lines:?}");
        assert_eq!(lines[1], format!("order 8 {second}"));
        assert_eq!(lines[2], "orders: [8]");
    }
}

#[tokio::test]
async fn on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    sells_what_is_paid(&format!("sqlite:{}", file.display())).await;
}

async fn on_server(kind: Kind) {
    use wallet::mysql::sqlx::{Connection, Executor, MySqlConnection};
    let name = format!("wallet_{}", Uuid7.new_id().simple());
    let server = shared(kind).url();
    let mut connection = MySqlConnection::connect(server).await.unwrap();
    let create = format!("CREATE DATABASE {name}");
    connection.execute(create.as_str()).await.unwrap();
    sells_what_is_paid(&format!("{server}/{name}?ssl-mode=disabled")).await;
    let drop = format!("DROP DATABASE {name}");
    connection.execute(drop.as_str()).await.unwrap();
}

#[tokio::test]
async fn on_mysql() {
    on_server(Kind::MySql).await;
}

#[tokio::test]
async fn on_mariadb() {
    on_server(Kind::MariaDb).await;
}
