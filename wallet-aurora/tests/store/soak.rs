//! Two processes with separate wallets on one database. One of the accounts is hot. The
//! server never has to break a deadlock.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection, Executor, MySqlConnection, Row};
use tokio::time::Instant;
use wallet_aurora::AuroraStore;
use wallet_core::store::LedgerStore;
use wallet_core::{Leg, PostTransfer, Request, Settings, Wallet};
use wallet_test_servers::{Kind, Private};

use crate::support::books::{
    ACCOUNTS, account, account_key, assert_sound, commit, deposit, euros, key, open, opening,
    posted,
};
use crate::support::{Database, block_on, on_both, patient};

on_both! {
    two_processes_on_one_database_never_deadlock
}

const ADDRESS: &str = "WALLET_TEST_SOAK_URL";
const SEED: &str = "WALLET_TEST_SOAK_SEED";
/// The duration in seconds. The usual run of the tests is shorter.
const SECONDS: &str = "WALLET_SOAK_SECONDS";
const CALLERS: u64 = 48;
/// How many accounts there are besides the shared ones.
const MORE: u8 = 120;

fn length() -> Duration {
    let seconds = std::env::var(SECONDS).map_or(3, |text| text.parse().unwrap());
    Duration::from_secs(seconds)
}

/// The child's entry point. It does nothing unless a parent started it.
#[test]
fn child_wallet() {
    let (Ok(url), Ok(seed)) = (std::env::var(ADDRESS), std::env::var(SEED)) else {
        return;
    };
    block_on(async {
        let store = AuroraStore::open(&patient(url)).await.unwrap();
        let wallet = Wallet::builder(Arc::new(store)).settings(Settings {
            // Every committer works, even if few requests wait.
            busy_requests: 0,
            ..Settings::for_server()
        });
        let wallet = wallet.spawn().unwrap();
        let end = Instant::now() + length();
        let callers = (0..CALLERS).map(|caller| {
            let (wallet, seed) = (wallet.clone(), seed.clone());
            tokio::spawn(async move {
                let mut done = 0_u64;
                while Instant::now() < end {
                    let text = format!("{seed}-{caller}-{done}");
                    // A third of the transfers use one account. The others use any
                    // accounts, in any order.
                    let mix = (done + 1) * 2_654_435_761 + caller * 40_503;
                    let any = |mix: u64| u8::try_from(mix % u64::from(ACCOUNTS + MORE)).unwrap();
                    let from = if mix.is_multiple_of(3) {
                        0
                    } else {
                        any(mix >> 3)
                    };
                    let to = any(mix >> 11);
                    let to = if to == from { (to + 1) % ACCOUNTS } else { to };
                    let leg = Leg::new(account(from), account(to), euros(1));
                    let request = Request::new(key(&text), PostTransfer::new(vec![leg]));
                    wallet
                        .submit_raw(request)
                        .await
                        .unwrap()
                        .accepted()
                        .unwrap();
                    done += 1;
                }
                done
            })
        });
        let callers: Vec<_> = callers.collect();
        let mut sum = 0;
        for caller in callers {
            sum += caller.await.unwrap();
        }
        writeln!(std::io::stdout(), "\nmade {sum}").unwrap();
    });
}

fn spawn(database: &Database, seed: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "soak::child_wallet", "--nocapture"])
        .env(ADDRESS, database.url())
        .env(SEED, seed)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The number of transfers that a child reports.
fn made(child: Child) -> u64 {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    let made = lines.find_map(|line| line.strip_prefix("made "));
    made.expect("a count").parse().unwrap()
}

/// The number of deadlocks that the server has broken since its start.
async fn deadlocks(kind: Kind, server: &Private) -> u64 {
    let (query, column) = match kind {
        Kind::MariaDb => ("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'", 1),
        Kind::MySql => (
            "SELECT CAST(COUNT AS CHAR) FROM information_schema.INNODB_METRICS \
             WHERE NAME = 'lock_deadlocks'",
            0,
        ),
    };
    let mut admin = MySqlConnection::connect(&server.admin_url()).await.unwrap();
    let row = admin.fetch_one(query).await.unwrap();
    let count: String = row.get_unchecked(column);
    count.parse().unwrap()
}

async fn two_processes_on_one_database_never_deadlock(kind: Kind) {
    // A private server: on the shared one, other tests cause deadlocks.
    let server = Private::start(kind);
    let database = Database::create_on(&server.url()).await;
    let store = open(&database).await;
    let everyone = 0..ACCOUNTS + MORE;
    let openings = everyone.clone().flat_map(|number| {
        let seed = deposit(&format!("seed-{number}"), number, 1_000_000);
        [opening(&format!("open-{number}"), number), seed]
    });
    commit(&store, openings.collect()).await;
    let before = deadlocks(kind, &server).await;
    let children = ["one", "other"].map(|seed| spawn(&database, seed));
    let sums = children.map(made);
    assert_eq!(deadlocks(kind, &server).await, before, "{sums:?}");
    assert!(sums.iter().all(|sum| *sum > 100), "{sums:?}");
    let mut balances = 0;
    for number in everyone {
        balances += posted(&store, number).await;
    }
    assert_eq!(balances, i128::from(ACCOUNTS + MORE) * 1_000_000);
    assert_sound(&store).await;
    let hot = store.accounts(&[account_key(0)]).await.unwrap();
    let hot = hot[0].as_ref().unwrap().state.sequence;
    assert!(hot > 30, "the hot account took part in {hot}");
}
