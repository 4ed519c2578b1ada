//! The properties of every decoder of untrusted input: no panic, and no accepted value
//! that decodes differently afterwards. The server also never fails, and a refused
//! request never changes its state.
//!
//! Each of [`TARGETS`] takes any bytes and panics if a property does not hold. `fuzz/`
//! runs them under cargo-fuzz (`scripts/fuzz`); the tests of this package run the corpus
//! and mutations of it.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a property that does not hold is reported by panicking"
)]

mod cursors;
mod events;
mod money;
mod mutate;
mod records;
mod rest;
mod texts;
mod urls;

pub use mutate::mutated;

/// A decoder under test: its name and its property.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its fuzz target and of its folder of inputs.
    pub name: &'static str,
    /// Panics if the property does not hold.
    pub check: fn(&[u8]),
}

/// Every decoder.
pub const TARGETS: [Target; 8] = [
    Target {
        name: "money",
        check: money::check,
    },
    Target {
        name: "texts",
        check: texts::check,
    },
    Target {
        name: "records",
        check: records::check,
    },
    Target {
        name: "outbox",
        check: records::check_outbox,
    },
    Target {
        name: "events",
        check: events::check,
    },
    Target {
        name: "cursors",
        check: cursors::check,
    },
    Target {
        name: "urls",
        check: urls::check,
    },
    Target {
        name: "rest",
        check: rest::check,
    },
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Target {
    let found = TARGETS.into_iter().find(|target| target.name == name);
    found.expect("a target of this name")
}
