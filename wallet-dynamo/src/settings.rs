//! The settings of history and audit log.

use std::time::Duration;

use wallet_core::StoreError;
use wallet_core::ledger::AccountKey;
use wallet_core::runtime::Backoff;
use wallet_core::store::StoreErrorKind;

/// The settings for DynamoDB. Plain data.
///
/// ```
/// use wallet_core::{AccountId, LedgerId};
/// use wallet_core::ledger::InLedger;
/// use wallet_dynamo::DynamoSettings;
///
/// let fees = InLedger::new(LedgerId::default(), AccountId::from_bytes([7; 16]));
/// let settings = DynamoSettings::new("shop-history").spread(fees, 8);
/// assert_eq!(settings.stripes_of(fees), 8);
/// ```
#[derive(Debug, Clone)]
pub struct DynamoSettings {
    /// The name of the table.
    pub table: String,
    /// The time limit of one attempt of a call. 2 s by default.
    pub timeout: Duration,
    /// How often a call is tried if it is throttled, lost or not processed, until it fails.
    /// After partial success, counting starts again. 10 by default.
    pub attempts_max: u32,
    /// The pauses after a failure, shortened by up to half at random. From 20 ms to 2 s by
    /// default.
    pub retry: Backoff,
    /// The most calls in flight. 8 by default.
    pub calls_max: usize,
    /// The accounts whose rows are spread, and their number of partition keys.
    pub(crate) spread: Vec<(AccountKey, u8)>,
}

impl DynamoSettings {
    /// The defaults for a table of this name.
    #[must_use]
    pub fn new(table: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            timeout: Duration::from_secs(2),
            attempts_max: 10,
            retry: Backoff::new(Duration::from_millis(20), Duration::from_secs(2)),
            calls_max: 8,
            spread: Vec::new(),
        }
    }

    /// Spreads the rows of a hot account over this number of partition keys, from its first
    /// row on. 1 is the same as no spread. If the number differs from that of the stored
    /// rows, those rows are not found. A page of such an account takes that many requests.
    #[must_use]
    pub fn spread(mut self, account: AccountKey, stripes: u8) -> Self {
        self.spread.retain(|(known, _)| *known != account);
        self.spread.push((account, stripes.max(1)));
        self
    }

    /// The number of partition keys of an account's rows.
    #[must_use]
    pub fn stripes_of(&self, account: AccountKey) -> u8 {
        let mut spread = self.spread.iter();
        let found = spread.find(|(known, _)| *known == account);
        found.map_or(1, |(_, stripes)| *stripes)
    }

    pub(crate) fn validate(&self) -> Result<(), StoreError> {
        let is_sound = !self.timeout.is_zero()
            && self.attempts_max > 0
            && !self.retry.first.is_zero()
            && self.retry.longest >= self.retry.first
            && self.calls_max > 0;
        let problem = || StoreError::new(StoreErrorKind::Internal, "a setting makes no sense");
        is_sound.then_some(()).ok_or_else(problem)
    }
}
