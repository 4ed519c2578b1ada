//! The same program on each store.

use wallet_core::runtime::{IdGenerator, Uuid7};
use wallet_test_servers::{Kind, shared};

use super::{Shop, sell};

async fn sells_what_is_paid(url: &str) {
    // The second run finds what the first one did.
    for _ in 0..2 {
        let mut shop = Shop::open(url).await.unwrap();
        let lines = sell(&mut shop).await.unwrap();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[0].starts_with("order 7 is not placed: "), "{lines:?}");
        assert_eq!(lines[1], "order 8 is placed and paid");
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
    use wallet_aurora::sqlx::{Connection, Executor, MySqlConnection};
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
