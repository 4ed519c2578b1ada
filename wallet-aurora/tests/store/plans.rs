//! Locking reads probe an index for a list of any length. A scan would lock every row.

use sqlx::Row;
use wallet_test_servers::Kind;

use crate::support::{Database, books, on_both};

on_both! {
    accounts_are_locked_by_the_primary_key_at_any_number
    accounts_are_stepped_by_the_primary_key_at_any_number
    keys_are_found_by_their_index_at_any_number
    outcomes_of_commits_are_found_by_the_primary_key_at_any_number
    progress_of_events_locks_the_rows_that_it_names
    what_is_put_aside_or_delivered_is_found_by_its_state
    a_purge_reads_the_oldest_and_names_what_it_changes
    positions_are_found_by_the_primary_key_at_any_number
    accounts_are_listed_in_the_order_of_an_index_whatever_is_asked
}

/// Fails unless a query reads its only table by probes of this index.
async fn assert_probes(kind: Kind, database: &Database, index: &str, sql: &str) {
    let explain = match kind {
        Kind::MariaDb => "EXPLAIN",
        Kind::MySql => "EXPLAIN FORMAT=TRADITIONAL",
    };
    let rows = database.rows(&format!("{explain} {sql}")).await;
    assert_eq!(rows.len(), 1, "one table, no join: {sql:.200}");
    let text = |name: &str| {
        let value: Option<String> = rows[0].try_get_unchecked(name).unwrap();
        value.unwrap_or_default()
    };
    let (access, key, extra) = (text("type"), text("key"), text("Extra"));
    let is_probe = ["range", "const", "ref"].contains(&access.as_str()) && key == index;
    // The server notices during planning that a single row does not exist.
    let is_missing = access.is_empty() && (extra.contains("const table"));
    assert!(is_probe || is_missing, "{access} {key} {extra}: {sql:.200}");
}

async fn filled(kind: Kind, rows: u32) -> Database {
    let database = Database::create(kind).await;
    books::open(&database).await;
    let fill = format!(
        "SET SESSION sql_mode = ''; \
         INSERT INTO wallet_account (num, version, sequence, last_at) \
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) \
         SELECT n * 65536, 1, 0, 0 FROM n; \
         INSERT INTO wallet_journal (id, ledger, hash, fingerprint, transfer, outcome) \
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) \
         SELECT n, 0, UNHEX(LEFT(SHA2(n, 256), 32)), UNHEX(SHA2(n, 256)), \
                UNHEX(LEFT(SHA2(-n, 256), 32)), REPEAT('x', 150) FROM n; \
         INSERT INTO wallet_batch (id, accepted, outcomes, written_at) \
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) \
         SELECT n, 1, 1, n FROM n; \
         INSERT INTO wallet_outbox (id, accepted, created_at, done, state) \
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) \
         SELECT n, 1, n, x'', n % 3 FROM n; \
         ANALYZE TABLE wallet_account, wallet_journal, wallet_batch, wallet_outbox"
    );
    database.execute(&format!("{}{fill}", depth(kind))).await;
    database
}

/// Lets a query generate this many rows.
fn depth(kind: Kind) -> &'static str {
    match kind {
        Kind::MariaDb => "SET SESSION max_recursive_iterations = 100000; ",
        Kind::MySql => "SET SESSION cte_max_recursion_depth = 100000; ",
    }
}

/// Few and many rows. Each size is queried for few and for many of them.
const SIZES: [u32; 2] = [300, 20_000];
const COUNTS: [usize; 3] = [1, 200, 2_000];

/// Groups of 500 values, as the store sends them.
fn in_groups(column: &str, values: &[String]) -> String {
    let groups = values.chunks(500);
    let groups = groups.map(|group| format!("{column} IN ({})", group.join(",")));
    format!("({})", groups.collect::<Vec<_>>().join(" OR "))
}

async fn accounts_are_locked_by_the_primary_key_at_any_number(kind: Kind) {
    for size in SIZES {
        let database = filled(kind, size).await;
        for count in COUNTS {
            let numbers = (1..=count).map(|number| (number * 65_536).to_string());
            let numbers = in_groups("num", &numbers.collect::<Vec<_>>());
            for skip in ["", " SKIP LOCKED"] {
                let sql = format!(
                    "SELECT num, version FROM wallet_account FORCE INDEX (PRIMARY) \
                     WHERE {numbers} ORDER BY num FOR UPDATE{skip}"
                );
                assert_probes(kind, &database, "PRIMARY", &sql).await;
            }
        }
    }
}

async fn accounts_are_stepped_by_the_primary_key_at_any_number(kind: Kind) {
    for size in SIZES {
        let database = filled(kind, size).await;
        // The sizes of one statement of the store, up to the largest.
        for count in [1, 200, 500] {
            let numbers = (1..=count).map(|number| (number * 65_536).to_string());
            let numbers = numbers.collect::<Vec<_>>().join(",");
            let sql = format!(
                "UPDATE wallet_account FORCE INDEX (PRIMARY) \
                 SET debits_posted = ELT(INTERVAL(num,{numbers}),{numbers}), \
                     version = version + 1, sequence = sequence + 1, last_at = 1 \
                 WHERE (num IN ({numbers}))"
            );
            assert_probes(kind, &database, "PRIMARY", &sql).await;
        }
    }
}

async fn keys_are_found_by_their_index_at_any_number(kind: Kind) {
    for size in SIZES {
        let database = filled(kind, size).await;
        for count in COUNTS {
            let hashes = (1..=count).map(|number| format!("x'{number:032x}'"));
            let hashes = in_groups("hash", &hashes.collect::<Vec<_>>());
            let sql = format!(
                "SELECT fingerprint FROM wallet_journal FORCE INDEX (wallet_journal_by_key) \
                 WHERE (ledger = 0 AND {hashes}) ORDER BY hash, ledger LOCK IN SHARE MODE"
            );
            assert_probes(kind, &database, "wallet_journal_by_key", &sql).await;
        }
    }
}

async fn outcomes_of_commits_are_found_by_the_primary_key_at_any_number(kind: Kind) {
    for size in SIZES {
        let database = filled(kind, size).await;
        // The sizes of one statement of the store, up to the largest.
        for count in [1, 200, 500] {
            let ranges = (1..=count).map(|id| format!(" OR id BETWEEN {id} AND {id}"));
            let sql = format!(
                "SELECT id, ledger, outcome FROM wallet_journal FORCE INDEX (PRIMARY) \
                 WHERE FALSE{} ORDER BY id",
                ranges.collect::<String>()
            );
            assert_probes(kind, &database, "PRIMARY", &sql).await;
        }
    }
}

fn ids(count: usize) -> Vec<String> {
    (1..=count).map(|id| id.to_string()).collect()
}

async fn progress_of_events_locks_the_rows_that_it_names(kind: Kind) {
    for size in SIZES {
        let database = filled(kind, size).await;
        for count in COUNTS {
            let rows = in_groups("id", &ids(count));
            let sql = format!(
                "SELECT id, done, state FROM wallet_outbox FORCE INDEX (PRIMARY) \
                 WHERE {rows} ORDER BY id FOR UPDATE"
            );
            assert_probes(kind, &database, "PRIMARY", &sql).await;
        }
        for sql in [
            "UPDATE wallet_outbox SET done = x'00000001', state = 1 WHERE id = 7",
            "DELETE FROM wallet_outbox WHERE id = 7",
        ] {
            assert_probes(kind, &database, "PRIMARY", sql).await;
        }
    }
}

async fn what_is_put_aside_or_delivered_is_found_by_its_state(kind: Kind) {
    for size in SIZES {
        let database = filled(kind, size).await;
        let index = "wallet_outbox_by_state";
        let reopen = "UPDATE wallet_outbox FORCE INDEX (wallet_outbox_by_state) \
                      SET state = 0 WHERE state = 2";
        assert_probes(kind, &database, index, reopen).await;
        for limit in COUNTS {
            let delivered = format!(
                "SELECT id FROM wallet_outbox FORCE INDEX (wallet_outbox_by_state) \
                 WHERE state = 1 AND created_at <= 100 ORDER BY id LIMIT {limit}"
            );
            assert_probes(kind, &database, index, &delivered).await;
        }
    }
}

async fn a_purge_reads_the_oldest_and_names_what_it_changes(kind: Kind) {
    for size in SIZES {
        let database = filled(kind, size).await;
        for count in COUNTS {
            let oldest = format!(
                "SELECT id, accepted, outcomes, purged FROM wallet_batch \
                 FORCE INDEX (wallet_batch_by_age) WHERE written_at <= 100 \
                 ORDER BY written_at, id LIMIT {count} FOR UPDATE SKIP LOCKED"
            );
            assert_probes(kind, &database, "wallet_batch_by_age", &oldest).await;
            let forget = format!(
                "UPDATE wallet_journal FORCE INDEX (PRIMARY) SET hash = NULL, fingerprint = NULL \
                 WHERE hash IS NOT NULL AND {}",
                in_groups("id", &ids(count))
            );
            assert_probes(kind, &database, "PRIMARY", &forget).await;
        }
        for table in ["wallet_journal", "wallet_batch"] {
            let delete = format!("DELETE FROM {table} WHERE id = 7");
            assert_probes(kind, &database, "PRIMARY", &delete).await;
        }
    }
}

async fn positions_are_found_by_the_primary_key_at_any_number(kind: Kind) {
    for size in SIZES {
        let database = filled(kind, 1).await;
        wallet_aurora::AuroraInbox::open(&database.settings())
            .await
            .unwrap();
        let fill = format!(
            "INSERT INTO wallet_inbox SELECT 'mailer', seq.n % 2, UNHEX(LPAD(HEX(seq.n), 32, '0')), 1, 1 \
             FROM (WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {size}) \
             SELECT n FROM n) seq; ANALYZE TABLE wallet_inbox"
        );
        database.execute(&format!("{}{fill}", depth(kind))).await;
        for count in [1, 128, 256] {
            let of = |ledger: usize| {
                let ids = (1..=count).filter(|number| number % 2 == ledger);
                let ids: Vec<String> = ids.map(|number| format!("x'{number:032x}'")).collect();
                format!("(ledger = {ledger} AND {})", in_groups("account", &ids))
            };
            let keys = if count == 1 {
                of(1)
            } else {
                format!("({} OR {})", of(0), of(1))
            };
            let sql = format!(
                "SELECT ledger, account, epoch, version FROM wallet_inbox FORCE INDEX (PRIMARY) \
                 WHERE consumer = x'6D61696C6572' AND {keys}"
            );
            assert_probes(kind, &database, "PRIMARY", &sql).await;
        }
    }
}

async fn accounts_are_listed_in_the_order_of_an_index_whatever_is_asked(kind: Kind) {
    let database = Database::create(kind).await;
    books::open(&database).await;
    let rows = 20_000;
    let fill = format!(
        "INSERT INTO wallet_account_profile \
             (ledger, id, num, currency, exponent, is_system, owner, metadata, created_at) \
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) \
         SELECT 0, UNHEX(LEFT(SHA2(n, 256), 32)), n, IF(n % 5000 = 0, 'XPF', 'EUR'), \
                IF(n % 5000 = 0, 0, 2), 0, CONCAT('owner-', n % 3), NULL, 0 FROM n; \
         SET SESSION sql_mode = ''; \
         INSERT INTO wallet_account (num, version, sequence, last_at) \
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) \
         SELECT n, 1, 0, 0 FROM n; \
         INSERT INTO wallet_currency VALUES ('EUR', 2), ('XPF', 0); \
         ANALYZE TABLE wallet_account, wallet_account_profile"
    );
    database.execute(&format!("{}{fill}", depth(kind))).await;
    let explain = match kind {
        Kind::MariaDb => "EXPLAIN",
        Kind::MySql => "EXPLAIN FORMAT=TRADITIONAL",
    };
    let (owner, currency) = ("AND p.owner = 'owner-1'", "AND p.currency = 'XPF'");
    let known = "AND EXISTS (SELECT 1 FROM wallet_currency WHERE code = 'XPF' AND exponent = 0)";
    for (index, wanted) in [
        ("PRIMARY", String::new()),
        ("wallet_account_by_currency", format!("{currency} {known}")),
        ("wallet_account_by_owner", owner.to_owned()),
        (
            "wallet_account_by_owner_and_currency",
            format!("{owner} {currency} {known}"),
        ),
    ] {
        for after in ["", "AND p.id > x'10000000000000000000000000000000'"] {
            let sql = format!(
                "SELECT a.num, p.id FROM wallet_account_profile p FORCE INDEX ({index}) \
                 STRAIGHT_JOIN wallet_account a ON a.num = p.num \
                 WHERE p.ledger = 0 {after} {wanted} ORDER BY p.id LIMIT 1"
            );
            let rows = database.rows(&format!("{explain} {sql}")).await;
            let text = |name: &str| {
                let of_the_page = rows.iter().find(|row| {
                    let table: Option<String> = row.try_get_unchecked("table").unwrap();
                    table.as_deref() == Some("p")
                });
                let row = of_the_page.expect("the table of the page");
                let value: Option<String> = row.try_get_unchecked(name).unwrap();
                value.unwrap_or_default()
            };
            let (access, key, extra) = (text("type"), text("key"), text("Extra"));
            let is_search = ["range", "ref"].contains(&access.as_str());
            assert!(is_search && key == index, "{access} {key} {extra}: {sql}");
            assert!(!extra.contains("filesort"), "{extra}: {sql}");
        }
    }
}
