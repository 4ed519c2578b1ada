//! Simulated worlds from a seed: a ledger is restored repeatedly under its relay and
//! restarting projectors. At the end history equals the books. Planted bugs show within a
//! few seeds.

mod buggy;
mod world;

use std::time::Duration;

use wallet_core::history::{Backfill, HistoryLine, HistoryQuery, HistoryStore};
use wallet_core::ledger::AccountKey;
use wallet_core::memory::MemoryHistory;
use wallet_core::runtime::Clock;
use wallet_core::verify::reconcile::Reconciler;
use wallet_core::{AccountId, LedgerId};

use crate::projector::place::Place;
use buggy::Bug;
use world::World;

/// The number of seeds that correct projectors pass.
const SEEDS: u64 = 150;

/// The number of seeds within which a planted bug shows.
const CAUGHT_WITHIN: u64 = 60;

fn key(account: AccountId) -> AccountKey {
    AccountKey::new(LedgerId::default(), account)
}

/// The difference, at the end or on the way.
async fn run(seed: u64, bug: Option<Bug>) -> Option<String> {
    let mut world = World {
        place: Place::new(),
        bug,
        rng: fastrand::Rng::with_seed(seed),
        started: 0,
    };
    let mut way = world.begin(seed % 2 == 1);
    let accounts: [AccountId; 3] = world.place.world.accounts().await;
    let mut backups = Vec::new();
    for _ in 0..40 {
        let from = world.rng.usize(..3);
        match world.rng.u32(..12) {
            0 | 1 => {
                let tables = world.place.world.store.shared().tables().clone();
                backups.push((tables, world.place.world.clock.now()));
                // A later commit has a later time.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            2 if !backups.is_empty() => {
                let chosen = world.rng.usize(..backups.len());
                world.restore(&backups[chosen]).await;
                backups.truncate(chosen + 1);
            }
            3 => world.restart(&mut way).await,
            4 => {
                let pause = Duration::from_micros(world.rng.u64(..3_000_000));
                tokio::time::sleep(pause).await;
            }
            5 => {
                if let Some(wrong) = world.reads(key(accounts[from])).await {
                    return Some(wrong);
                }
            }
            _ => {
                let to = accounts[(from + 1) % 3];
                world.place.world.pay(accounts[from], to).await;
                let pause = Duration::from_micros(world.rng.u64(..3_000));
                tokio::time::sleep(pause).await;
            }
        }
    }
    // Every account has one more event, which brings it up to date.
    for from in 0..3 {
        let to = accounts[(from + 1) % 3];
        world.place.world.pay(accounts[from], to).await;
    }
    let is_drained = world.is_drained(&way).await;
    World::end(way).await;
    if !is_drained {
        return Some("events never come to their end".to_owned());
    }
    for account in accounts {
        if let Some(wrong) = differs(&world, key(account)).await {
            return Some(wrong);
        }
        if let Some(wrong) = world.reads(key(account)).await {
            return Some(wrong);
        }
    }
    mended(&world).await
}

async fn differs(world: &World, account: AccountKey) -> Option<String> {
    let restores = world.place.restores().await;
    let query = HistoryQuery::first(account, u32::MAX);
    let rows = world.history().page(&query, &restores).await.unwrap().rows;
    let held: Vec<HistoryLine> = rows.into_iter().map(|row| row.line).collect();
    let due = world.place.due(account).await;
    let (has, had) = (held.len(), due.len());
    (held != due).then(|| format!("{account}: {has} entries held, {had} due"))
}

/// System accounts without a new entry are repaired from the ledger.
async fn mended(world: &World) -> Option<String> {
    let (history, ledger): (&MemoryHistory, _) = (&world.place.history, world.place.ledger());
    let mended = Backfill::new(history, &*ledger).run(&mut |_| ()).await;
    if let Err(error) = mended {
        return Some(error.to_string());
    }
    for account in world.place.accounts().await {
        if let Some(wrong) = differs(world, account).await {
            return Some(wrong);
        }
    }
    let reconciler = Reconciler::new(&*ledger).with_history(history);
    let report = reconciler.run(&mut |_| ()).await.unwrap();
    report.differences.first().map(|one| format!("{one:?}"))
}

#[tokio::test(start_paused = true)]
async fn history_reads_as_the_books_do_however_often_they_are_restored() {
    for seed in 0..SEEDS {
        assert_eq!(run(seed, None).await, None, "seed {seed}");
    }
}

async fn assert_caught(bug: Bug) {
    crate::kit::assert_caught(bug, CAUGHT_WITHIN, |seed| run(seed, Some(bug))).await;
}

#[tokio::test(start_paused = true)]
async fn a_history_that_keeps_what_is_lost_is_caught() {
    assert_caught(Bug::KeepsWhatIsLost).await;
}

#[tokio::test(start_paused = true)]
async fn a_history_that_goes_by_the_last_restore_is_caught() {
    assert_caught(Bug::GoesByTheLastRestore).await;
}

#[tokio::test(start_paused = true)]
async fn rows_known_in_too_late_an_epoch_are_caught() {
    assert_caught(Bug::KnowsTooMuch).await;
}

#[tokio::test(start_paused = true)]
async fn a_history_that_reads_what_is_lost_is_caught() {
    assert_caught(Bug::ReadsWhatIsLost).await;
}
