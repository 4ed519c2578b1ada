use std::fmt::{self, Debug, Formatter};
use std::pin::Pin;
use std::sync::Arc;

use crate::{Factory, Kit, StoreEnds, StoreKit};

/// The future of a running case.
pub type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// One case of a suite, which gets a kit of type `K`.
pub struct Case<K> {
    /// The theme of the case.
    pub theme: &'static str,
    /// The name, which says what the case proves.
    pub name: &'static str,
    /// The function of the case.
    pub run: for<'a> fn(&'a K) -> Running<'a>,
}

impl<K> Debug for Case<K> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.theme, self.name)
    }
}

/// A kit that the cases of a suite get.
pub trait SuiteKit: Sized + Send + Sync + 'static {
    /// The port under test.
    type Port: ?Sized + Send + Sync + 'static;

    /// The suite's kit of this adapter.
    fn of(kit: Kit<Self::Port>) -> Self;
}

impl<P: ?Sized + Send + Sync + 'static> SuiteKit for Kit<P> {
    type Port = P;

    fn of(kit: Self) -> Self {
        kit
    }
}

impl SuiteKit for StoreKit {
    type Port = StoreEnds;

    fn of(kit: Kit<StoreEnds>) -> Self {
        Self::of_store(kit)
    }
}

/// Runs a case against a fresh adapter of `factory`.
///
/// # Panics
/// If the case fails.
pub fn run<K: SuiteKit>(factory: impl Factory<K::Port>, case: &Case<K>) {
    let factory: Arc<dyn Factory<K::Port>> = Arc::new(factory);
    factory.block_on(Box::pin(async {
        let kit = K::of(Kit::new(Arc::clone(&factory)).await);
        (case.run)(&kit).await;
    }));
}

/// Runs the case of this name, for the macros that `suite!` defines.
///
/// # Panics
/// If there is no such case, or if it fails.
#[doc(hidden)]
pub fn run_named<K: SuiteKit>(
    factory: impl Factory<K::Port>,
    suite: &[Case<K>],
    theme: &str,
    name: &str,
) {
    let mut cases = suite.iter();
    let case = cases.find(|case| (case.theme, case.name) == (theme, name));
    run(factory, case.expect("a case of this name"));
}

/// The fault of an adapter of `factory` in this case; `None` when it passes.
#[must_use]
pub fn fault<K: SuiteKit>(factory: impl Factory<K::Port>, case: &Case<K>) -> Option<String> {
    caught(|| run(factory, case))
}

/// The message of a panic in `attempt`; `None` when it does not panic.
fn caught(attempt: impl FnOnce()) -> Option<String> {
    let attempt = std::panic::AssertUnwindSafe(attempt);
    let panic = std::panic::catch_unwind(attempt).err()?;
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    Some(text.unwrap_or("a panic without words").to_owned())
}

/// Runs a case alone.
pub(crate) fn alone<'a, K>(_: &'a K, case: impl Future<Output = ()> + Send + 'a) -> Running<'a> {
    Box::pin(case)
}

/// Runs a case of a store, then checks the invariants. Every event must still be in
/// the outbox.
///
/// # Panics
/// When the future runs, if the case or an invariant fails.
pub fn keeps_outbox<'a>(
    kit: &'a StoreKit,
    case: impl Future<Output = ()> + Send + 'a,
) -> Running<'a> {
    Box::pin(async move {
        case.await;
        assert_sound(kit, true).await;
    })
}

/// Runs a case of an outbox, then checks the invariants of the ledger.
pub(super) fn empties_outbox<'a>(
    kit: &'a StoreKit,
    case: impl Future<Output = ()> + Send + 'a,
) -> Running<'a> {
    Box::pin(async move {
        case.await;
        assert_sound(kit, false).await;
    })
}

async fn assert_sound(kit: &StoreKit, with_outbox: bool) {
    let violations = kit.violations(with_outbox).await;
    assert!(violations.is_empty(), "violated: {violations:#?}");
}
