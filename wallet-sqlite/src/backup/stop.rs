//! Where a test may stop a restore as a kill does: nothing is cleaned up.

/// A place at which the files stand as a step has left them.
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

    /// Lets this thread pass so many places, and stops it at the next.
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
