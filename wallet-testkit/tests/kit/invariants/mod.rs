//! Every invariant can fail: valid books with one damage show exactly the intended
//! violation.

mod accounts;
mod holds;
mod outbox;
mod records;
mod run;
mod unreadable;

use std::sync::Arc;

use wallet_core::ledger::{AccountKey, InLedger};
use wallet_core::memory::MemoryStore;
use wallet_core::verify::{Books, Verifier, Violation, check_books};
use wallet_core::{AccountId, LedgerId};
use wallet_testkit::broken::Broken;
use wallet_testkit::conformance::sample;
use wallet_testkit::{Built, Factory, ManualClock, StoreEnds, StoreKit, block_on};

/// Books with two customers, a settlement account, a transfer of two legs, a
/// reversal, an open hold and a captured one.
fn books() -> (Books, AccountId) {
    block_on(async {
        let kit = StoreKit::new(Arc::new(Broken(None))).await;
        let ada = sample(&kit).await;
        let books = Verifier::new(kit.store().as_ref()).books().await.unwrap();
        assert_eq!(kit.violations(true).await, []);
        (books, ada)
    })
}

/// The violations after `damage` to the paying account.
fn after(damage: impl FnOnce(&mut Books, AccountKey)) -> Vec<Violation> {
    let (mut books, ada) = books();
    assert_eq!(check_books(&books), []);
    damage(&mut books, InLedger::new(LedgerId::default(), ada));
    check_books(&books)
}

macro_rules! shows {
    ($violations:expr, $($pattern:pat),+ $(,)?) => {
        let violations: Vec<Violation> = $violations;
        $(assert!(
            violations.iter().any(|violation| matches!(violation, $pattern)),
            "{} is not among {violations:#?}", stringify!($pattern),
        );)+
        let other = violations.iter().find(|violation| !matches!(violation, $($pattern)|+));
        assert_eq!(other, None, "shows more than that");
    };
}

use shows;

/// Shares its store with the test, so that the test can damage it.
#[derive(Debug, Clone, Default)]
struct Exposed(Arc<std::sync::OnceLock<MemoryStore>>);

#[async_trait::async_trait]
impl Factory<StoreEnds> for Exposed {
    async fn build(&self, clock: Arc<ManualClock>) -> Built<StoreEnds> {
        let memory = self.0.get_or_init(|| MemoryStore::new(clock));
        let ends = StoreEnds::of(Arc::new(memory.clone()));
        Built::new(Arc::new(ends), ())
    }
}

#[test]
fn violations_read_as_sentences() {
    let (books, ada) = books();
    let account = InLedger::new(LedgerId::default(), ada);
    assert!(books.accounts.contains_key(&account));
    let violation = Violation::BelowFloor {
        account,
        available: -5,
        floor: 0,
    };
    let text = violation.to_string();
    assert!(
        text.ends_with(": available -5 is below the floor 0"),
        "{text}"
    );
}
