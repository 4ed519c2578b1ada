//! Counters by name, and the lines in which a host reports them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts that only rise, by name.
pub(crate) type Counts = BTreeMap<String, u64>;

/// The live counters.
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

    /// The counters as one line.
    pub(crate) fn line(&self) -> String {
        let counts = self.counts();
        let each = counts
            .iter()
            .map(|(name, count)| format!("\t{name}={count}"));
        format!("{COUNTS}{}", each.collect::<String>())
    }
}

/// The prefix of a line of counters.
pub(crate) const COUNTS: &str = "counts";
/// The prefix of a line that reports a violation.
pub(crate) const VIOLATION: &str = "violation";
/// The line that reports that every caller has its answer and sends no more requests.
pub(crate) const SETTLED: &str = "settled";

/// The counters in a line.
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

/// Adds the counters of two processes.
pub(crate) fn add(sums: &mut Counts, counts: &Counts) {
    for (name, count) in counts {
        *sums.entry(name.clone()).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_reported_in_a_line_and_added_up() {
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
