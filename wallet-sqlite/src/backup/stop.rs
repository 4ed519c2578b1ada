//! Points at which a test stops a restore as a kill would, without cleanup.

/// A point between two steps of a restore.
#[cfg(not(test))]
pub(super) const fn here() {}

#[cfg(test)]
pub(super) use planted::{here, plant};

#[cfg(test)]
mod planted {
    use std::cell::Cell;

    thread_local! {
        static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
    }

    /// Lets this thread pass that many points, and stops it at the next one.
    pub(in super::super) fn plant(places: Option<u32>) {
        LEFT.set(places);
    }

    pub(in super::super) fn here() {
        match LEFT.get() {
            Some(0) => panic!("stopped"),
            left => LEFT.set(left.map(|left| left.saturating_sub(1))),
        }
    }
}
