//! The same day of the market on MySQL and MariaDB, and on SQLite.

use wallet_test_servers::{Kind, on_new_database};

use crate::trade;

async fn is_the_same_as_on_sqlite(url: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", folder.path().join("market.db").display());
    let expected = trade(&file).await.unwrap();
    // The second day finds what the first one did.
    for _ in 0..2 {
        let lines = trade(url).await.unwrap();
        assert_eq!(without_times(&lines), without_times(&expected));
    }
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
    on_new_database(Kind::MySql, is_the_same_as_on_sqlite).await;
}

#[tokio::test]
async fn on_mariadb() {
    on_new_database(Kind::MariaDb, is_the_same_as_on_sqlite).await;
}
