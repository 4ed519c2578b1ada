//! Verifies that every acknowledged request is there, once, and that all parts agree.

mod acknowledged;
mod parts;

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::process::Command;
use tokio::time::sleep;
use wallet_aurora::{AuroraInbox, AuroraSettings, AuroraStore};
use wallet_core::ledger::{Epoch, Position};
use wallet_core::messaging::Inbox;
use wallet_core::runtime::Clock;
use wallet_core::store::{LedgerStore, Outbox};
use wallet_core::verify::{Verifier, check_books};
use wallet_core::{SystemClock, Wallet};

use crate::host::effects::CONSUMER;
use crate::progress::Progress;
use crate::tally::{Counts, Tally, VIOLATION, counts_of};
use crate::world::{World, submit};
use crate::{Result, plan, print_line};

/// The longest time until the events arrive after the last repair.
const DRAINING: Duration = Duration::from_secs(600);
/// Longer than the last of the holds takes to expire.
const EXPIRING: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(200);

/// The addresses of the servers: direct, without faults.
#[derive(Debug, Clone, Args)]
pub(crate) struct VerifyArgs {
    /// The database's address.
    #[arg(long)]
    database: String,
    /// The address of Redis.
    #[arg(long)]
    redis: String,
    /// The endpoint of history.
    #[arg(long)]
    history: String,
    /// The files of answers, of the first host and so on.
    #[arg(long, required = true)]
    acks: Vec<PathBuf>,
}

/// The result.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    pub(crate) figures: Counts,
    pub(crate) violations: Vec<String>,
}

impl Verified {
    fn figure(&mut self, name: &str, value: usize) {
        let value = u64::try_from(value).unwrap_or(u64::MAX);
        self.figures.insert(name.to_owned(), value);
    }

    fn violation(&mut self, words: String) {
        self.violations.push(words);
    }
}

async fn store(database: &str) -> Result<Arc<AuroraStore>> {
    let settings = AuroraSettings::new(database);
    Ok(Arc::new(AuroraStore::open(&settings).await?))
}

/// Makes the last transfers, and waits until every event has its effect.
pub(crate) async fn drained(world: &World, progress: &mut Progress) -> Result<()> {
    progress.stage("waiting for events and holds");
    let store = store(&world.database_url()).await?;
    let wallet = Wallet::builder(Arc::<AuroraStore>::clone(&store)).spawn()?;
    // The database's clock may have been an hour ahead.
    let until = SystemClock.now().saturating_add(Duration::from_secs(3_600));
    wallet.raise_max_ahead(Duration::from_secs(7_200), until)?;
    submit(&wallet, plan::closing()?).await?;
    let mut waited = Duration::ZERO;
    let inbox = AuroraInbox::open(&AuroraSettings::new(world.database_url())).await?;
    let customers = plan::customers();
    loop {
        let accounts = store.accounts(&customers).await?;
        let versions: Vec<_> = accounts
            .iter()
            .flatten()
            .map(|one| Position::new(Epoch::FIRST, one.state.version))
            .collect();
        let positions = inbox.positions(CONSUMER, &customers).await?;
        let depth = store.depth().await?;
        // Holds without a capture end when they expire.
        let are_swept = waited >= EXPIRING && store.expired_holds(1).await?.is_empty();
        if versions == positions && depth.rows == 0 && are_swept {
            break;
        }
        if waited > DRAINING {
            let behind = versions
                .iter()
                .zip(&positions)
                .filter(|(a, b)| a != b)
                .count();
            let words = format!(
                "after {} s: {behind} customers behind, {} rows in the outbox, expired \
                 holds swept: {are_swept}",
                DRAINING.as_secs(),
                depth.rows
            );
            return Err(words.into());
        }
        sleep(LOOK).await;
        waited += LOOK;
    }
    wallet.shutdown().await;
    Ok(())
}

/// Verifies everything, in a process of its own.
pub(crate) async fn started(world: &World) -> Result<Verified> {
    let mut command = Command::new(world.args.program()?);
    command.args(["verify", "--database", &world.database_url()]);
    command.args(["--redis", &world.redis.url()]);
    command.args(["--history", world.history.endpoint()]);
    for host in &world.hosts {
        command.arg("--acks").arg(host.acks());
    }
    let output = command.stderr(Stdio::inherit()).output().await?;
    let mut verified = Verified::default();
    for line in String::from_utf8(output.stdout)?.lines() {
        if let Some(counts) = counts_of(line) {
            verified.figures = counts;
        } else if let Some(violation) = line.strip_prefix(VIOLATION) {
            verified.violation(violation.trim().to_owned());
        }
    }
    if output.status.success() {
        Ok(verified)
    } else {
        Err("the verification did not come to an end".into())
    }
}

/// Verifies everything and reports the result.
pub(crate) async fn run(args: &VerifyArgs) -> Result<()> {
    let mut verified = Verified::default();
    let store = store(&args.database).await?;
    let books = Verifier::new(&*store).books().await?;
    let broken = check_books(&books);
    verified
        .violations
        .extend(broken.iter().map(ToString::to_string));
    let totals = books.totals();
    for (name, value) in [
        ("accounts", totals.accounts),
        ("entries", totals.entries),
        ("transfers", totals.transfers),
        ("holds", totals.holds),
    ] {
        verified.figures.insert(format!("books: {name}"), value);
    }
    for ((_, currency), sum) in books.sums() {
        let name = format!("books: sum of {currency}, to be zero");
        let sum = u64::try_from(sum.posted.unsigned_abs())?;
        verified.figures.insert(name, sum);
    }
    let parked = store.parked().await?;
    if !parked.is_empty() {
        verified.violation(format!("{} events are parked", parked.len()));
    }
    acknowledged::check(&args.acks, &*store, &books, &mut verified).await?;
    parts::effects(&args.database, &books, &mut verified).await?;
    parts::history(&args.history, &books, &mut verified).await?;
    parts::cache(&args.redis, &books, &mut verified).await?;
    for violation in &verified.violations {
        print_line(&format!("{VIOLATION}\t{violation}"));
    }
    let tally = Tally::default();
    for (name, value) in verified.figures {
        tally.set(&name, value);
    }
    print_line(&tally.line());
    Ok(())
}
