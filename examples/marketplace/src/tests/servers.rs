//! The same day of the market on MySQL and MariaDB, and on SQLite.

use wallet::core::runtime::{IdGenerator, Uuid7};
use wallet::mysql::sqlx::{Connection, Executor, MySqlConnection};
use wallet_test_servers::{Kind, shared};

use crate::trade;

async fn is_the_same_as_on_sqlite(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", folder.path().join("market.db").display());
    let name = format!("wallet_{}", Uuid7.new_id().simple());
    let server = shared(kind).url();
    let mut connection = MySqlConnection::connect(server).await.unwrap();
    let create = format!("CREATE DATABASE {name}");
    connection.execute(create.as_str()).await.unwrap();
    let url = format!("{server}/{name}?ssl-mode=disabled");
    let expected = trade(&file).await.unwrap();
    // The second day finds what the first one did.
    for _ in 0..2 {
        let lines = trade(&url).await.unwrap();
        assert_eq!(without_times(&lines), without_times(&expected));
    }
    let drop = format!("DROP DATABASE {name}");
    connection.execute(drop.as_str()).await.unwrap();
}

/// The lines without their times.
fn without_times(lines: &[String]) -> Vec<String> {
    let is_time = |word: &str| word.contains('T') && word.ends_with('Z');
    let mut without = Vec::new();
    for line in lines {
        let words = line.split_whitespace().filter(|word| !is_time(word));
        without.push(words.collect::<Vec<_>>().join(" "));
    }
    without
}

#[tokio::test]
async fn on_mysql() {
    is_the_same_as_on_sqlite(Kind::MySql).await;
}

#[tokio::test]
async fn on_mariadb() {
    is_the_same_as_on_sqlite(Kind::MariaDb).await;
}
