//! The settings of history and audit log.

use std::collections::BTreeMap;
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
/// let mut settings = DynamoSettings::new("shop-history");
/// settings.spread.insert(fees, 8);
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
    /// The number of partition keys over which the rows of a hot account are spread, at
    /// least 1. An account that is not named has 1; no account is named by default. Name an
    /// account before its first row: if the number differs from that of the stored rows,
    /// those rows are not found. A page of such an account takes that many requests.
    pub spread: BTreeMap<AccountKey, u8>,
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
            spread: BTreeMap::new(),
        }
    }

    /// The number of partition keys of an account's rows.
    #[must_use]
    pub fn stripes_of(&self, account: AccountKey) -> u8 {
        self.spread.get(&account).copied().unwrap_or(1)
    }

    pub(crate) fn validate(&self) -> Result<(), StoreError> {
        let is_sound = !self.timeout.is_zero()
            && self.attempts_max > 0
            && !self.retry.first.is_zero()
            && self.retry.longest >= self.retry.first
            && self.calls_max > 0;
        let problems = [
            (!is_sound, "a setting makes no sense"),
            (
                self.spread.values().any(|stripes| *stripes == 0),
                "the setting `spread` must be at least 1 for each account",
            ),
        ];
        let found = problems.iter().find(|(is_problem, _)| *is_problem);
        found.map_or(Ok(()), |(_, problem)| {
            Err(StoreError::new(StoreErrorKind::Internal, *problem))
        })
    }
}

#[cfg(test)]
mod tests {
    use wallet_core::{AccountId, LedgerId};

    use super::*;

    #[test]
    fn an_account_has_at_least_one_partition_key() {
        let account = AccountKey::new(LedgerId::default(), AccountId::from_bytes([7; 16]));
        let mut settings = DynamoSettings::new("t");
        assert_eq!(settings.stripes_of(account), 1);
        settings.spread.insert(account, 1);
        settings.validate().unwrap();
        settings.spread.insert(account, 0);
        let error = settings.validate().unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Internal);
        assert!(error.to_string().contains("`spread`"), "{error}");
    }
}
