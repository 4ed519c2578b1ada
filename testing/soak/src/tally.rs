//! Counts by name, and how a host tells them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts that only rise, by name.
pub(crate) type Counts = BTreeMap<String, u64>;

/// The same while it changes.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

impl Tally {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, name: &str, count: u64) {
        let mut counts = self.counts();
        match counts.get_mut(name) {
            Some(sum) => *sum += count,
            None => {
                counts.insert(name.to_owned(), count);
            }
        }
    }

    pub(crate) fn set(&self, name: &str, value: u64) {
        self.counts().insert(name.to_owned(), value);
    }

    /// As one line.
    pub(crate) fn line(&self) -> String {
        let counts = self.counts();
        let each = counts
            .iter()
            .map(|(name, count)| format!("\t{name}={count}"));
        format!("{COUNTS}{}", each.collect::<String>())
    }
}

/// What a line of counts begins with.
pub(crate) const COUNTS: &str = "counts";
/// What a line begins with that tells of something that must never be.
pub(crate) const VIOLATION: &str = "violation";
/// The line that tells that every caller has its answer and asks no more.
pub(crate) const SETTLED: &str = "settled";

/// The counts of a line that tells them.
pub(crate) fn counts_of(line: &str) -> Option<Counts> {
    let mut words = line.split('\t');
    if words.next() != Some(COUNTS) {
        return None;
    }
    let each = words.map(|word| {
        let (name, count) = word.rsplit_once('=')?;
        Some((name.to_owned(), count.parse().ok()?))
    });
    each.collect()
}

/// Adds up what two processes counted.
pub(crate) fn add(sums: &mut Counts, counts: &Counts) {
    for (name, count) in counts {
        *sums.entry(name.clone()).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_in_a_line_and_added_up() {
        let tally = Tally::default();
        tally.add("answers: accepted", 2);
        tally.add("answers: accepted", 3);
        tally.set("events=published", 7);
        let counts = counts_of(&tally.line()).unwrap();
        assert_eq!(counts["answers: accepted"], 5);
        let mut sums = counts.clone();
        add(&mut sums, &counts);
        assert_eq!(sums["events=published"], 14);
        assert_eq!(counts_of("violation\ta=1"), None);
        assert_eq!(counts_of("counts\tcut of"), None);
    }
}
