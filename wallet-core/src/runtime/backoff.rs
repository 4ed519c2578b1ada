use std::time::Duration;

/// Exponential backoff: the pauses between retries. The first pause is doubled with each
/// further failure in a row, up to the longest.
///
/// ```
/// use std::time::Duration;
/// use wallet_core::runtime::Backoff;
///
/// let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
/// let pauses = [1, 2, 3, 6, u32::MAX].map(|failures| backoff.pause(failures).as_secs());
/// assert_eq!(pauses, [1, 2, 4, 30, 30]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Backoff {
    /// The pause after the first failure.
    pub first: Duration,
    /// The longest pause. Where it is shorter than the first one, every pause is as long as
    /// the first.
    pub longest: Duration,
}

impl Backoff {
    /// A backoff between these pauses.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The pause after this many failures in a row.
    #[must_use]
    pub fn pause(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let longest = self.longest.max(self.first);
        self.first.saturating_mul(factor).min(longest)
    }

    /// The same with jitter: between half of the pause and all of it. `random` decides how
    /// much, so that callers do not retry at the same moment.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wallet_core::runtime::Backoff;
    /// let backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
    /// assert_eq!(backoff.pause_with_jitter(3, 0), Duration::from_millis(100));
    /// assert_eq!(backoff.pause_with_jitter(3, 500), Duration::from_millis(150));
    /// assert_eq!(backoff.pause_with_jitter(3, 1_000), Duration::from_millis(200));
    /// ```
    #[must_use]
    pub fn pause_with_jitter(&self, failures: u32, random: u64) -> Duration {
        let half = self.pause(failures).checked_div(2).unwrap_or_default();
        // A thousand steps between 50% and 100%.
        let share = u32::try_from(random.checked_rem(1_001).unwrap_or(0)).unwrap_or(0);
        let more = half.saturating_mul(share).checked_div(1_000);
        half.saturating_add(more.unwrap_or_default())
    }
}
