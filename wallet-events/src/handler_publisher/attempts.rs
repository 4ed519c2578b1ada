use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How often the handler has failed for the first event of each group. A group without a
/// failure has no entry.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<BTreeMap<String, Failed>>);

#[derive(Debug)]
struct Failed {
    id: String,
    times: u32,
}

impl Attempts {
    /// The handler has failed for an event. Returns how often in a row.
    pub(super) fn failed(&self, group: &str, id: &str) -> u32 {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = groups.entry(group.to_owned()).or_insert_with(|| Failed {
            id: id.to_owned(),
            times: 0,
        });
        if failed.id != id {
            id.clone_into(&mut failed.id);
            failed.times = 0;
        }
        failed.times = failed.times.saturating_add(1);
        failed.times
    }

    /// The first event of a group is handled or parked.
    pub(super) fn forget(&self, group: &str) {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        groups.remove(group);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_of_a_group_is_counted_from_one() {
        let attempts = Attempts::default();
        assert_eq!(attempts.failed("a", "a/1"), 1);
        assert_eq!(attempts.failed("a", "a/1"), 2);
        assert_eq!(attempts.failed("b", "b/1"), 1);
        assert_eq!(attempts.failed("a", "a/2"), 1);
        attempts.forget("a");
        assert_eq!(attempts.failed("a", "a/2"), 1);
        assert_eq!(attempts.failed("b", "b/1"), 2);
    }
}
