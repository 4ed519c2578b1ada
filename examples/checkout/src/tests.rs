//! The same program on each store.

use wallet_test_servers::{Kind, on_new_database};

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

#[tokio::test]
async fn on_mysql() {
    on_new_database(Kind::MySql, sells_what_is_paid).await;
}

#[tokio::test]
async fn on_mariadb() {
    on_new_database(Kind::MariaDb, sells_what_is_paid).await;
}
