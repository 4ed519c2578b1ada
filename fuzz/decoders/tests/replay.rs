//! The corpus and mutations of it: the same in every run.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails says so by panicking"
)]

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use wallet_core::ledger::EffectKind;
use wallet_decoders::{TARGETS, mutated, target};
use wallet_events::{Event, Parsed};

/// How many mutations of a target's inputs are tried.
const MUTATIONS: usize = 3_000;

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../corpus")
        .join(name);
    let files = std::fs::read_dir(&folder);
    let files = files.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let inputs: Vec<_> = files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect();
    assert!(!inputs.is_empty(), "{name} has no inputs");
    inputs
}

/// For any input, the properties of the target hold.
fn replay(name: &str, mutations: usize) {
    let check = target(name).check;
    let corpus = corpus(name);
    let mut rng = fastrand::Rng::with_seed(1);
    let mutated = std::iter::from_fn(|| Some(mutated(&corpus, &mut rng)));
    for input in corpus.iter().cloned().chain(mutated.take(mutations)) {
        let checked = catch_unwind(AssertUnwindSafe(|| check(&input)));
        assert!(
            checked.is_ok(),
            "{name}: {:?}",
            String::from_utf8_lossy(&input)
        );
    }
}

macro_rules! replays {
    ($($name:ident: $mutations:expr,)*) => {
        $(
            #[test]
            fn $name() {
                replay(stringify!($name), $mutations);
            }
        )*

        #[test]
        fn every_target_is_replayed_and_has_a_fuzz_target() {
            let mut replayed = [$(stringify!($name)),*];
            let mut all = TARGETS.map(|target| target.name);
            replayed.sort_unstable();
            all.sort_unstable();
            assert_eq!(replayed, all);
            let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
            let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
            for name in all {
                assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
                assert!(fuzz.join(format!("fuzz_targets/{name}.rs")).exists(), "{name}");
            }
        }
    };
}

replays! {
    money: MUTATIONS,
    texts: MUTATIONS,
    records: MUTATIONS,
    outbox: MUTATIONS,
    events: MUTATIONS,
    cursors: MUTATIONS,
    urls: MUTATIONS,
    rest: MUTATIONS,
}

/// Mutations of what is no event reach nothing.
#[test]
fn the_corpus_has_an_event_of_every_type() {
    let events = corpus("events").into_iter().filter_map(|input| {
        let text = String::from_utf8(input).ok()?;
        match Event::parse(&text) {
            Ok(Parsed::Known(event)) => Some(event.kind),
            _ => None,
        }
    });
    let kinds: HashSet<EffectKind> = events.collect();
    assert_eq!(kinds.len(), EffectKind::ALL.len(), "{kinds:?}");
}
