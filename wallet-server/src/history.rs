//! Opens histories and audit logs by their addresses.

use std::str::FromStr;
use std::sync::Arc;

use wallet_core::StoreError;
use wallet_core::audit::AuditLog;
use wallet_core::history::HistoryStore;

/// A table of Amazon DynamoDB: `dynamodb:TABLE`. Only programs built with the
/// feature `aws` take one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableUrl(String);

impl TableUrl {
    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.0
    }
}

impl FromStr for TableUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let table = text.strip_prefix("dynamodb:").unwrap_or_default();
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if !(3..=255).contains(&table.len()) || !table.bytes().all(is_name) {
            return Err("expected dynamodb:TABLE".to_owned());
        }
        if cfg!(not(feature = "aws")) {
            return Err("built without the feature aws".to_owned());
        }
        Ok(Self(table.to_owned()))
    }
}

/// The history in a table that exists.
///
/// # Errors
/// [`StoreError`].
#[cfg(feature = "aws")]
pub async fn open(url: &TableUrl) -> Result<Arc<dyn HistoryStore>, StoreError> {
    let (client, clock) = (
        crate::aws::dynamo().await,
        Arc::new(wallet_core::SystemClock),
    );
    let settings = wallet_dynamo::DynamoSettings::new(url.table());
    let history = wallet_dynamo::DynamoHistory::new(client, clock, settings)?;
    Ok(Arc::new(history))
}

/// The audit log in a table that exists.
///
/// # Errors
/// [`StoreError`].
#[cfg(feature = "aws")]
pub async fn open_log(url: &TableUrl) -> Result<Arc<dyn AuditLog>, StoreError> {
    let (client, clock) = (
        crate::aws::dynamo().await,
        Arc::new(wallet_core::SystemClock),
    );
    let settings = wallet_dynamo::DynamoSettings::new(url.table());
    let log = wallet_dynamo::DynamoAuditLog::new(client, clock, settings)?;
    Ok(Arc::new(log))
}

/// No such address exists in this build: parsing accepts none.
#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "only a table's client is waited for")]
pub async fn open(url: &TableUrl) -> Result<Arc<dyn HistoryStore>, StoreError> {
    Err(without(url))
}

/// As [`open`].
#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "only a table's client is waited for")]
pub async fn open_log(url: &TableUrl) -> Result<Arc<dyn AuditLog>, StoreError> {
    Err(without(url))
}

#[cfg(not(feature = "aws"))]
fn without(url: &TableUrl) -> StoreError {
    let kind = wallet_core::store::StoreErrorKind::Internal;
    StoreError::new(kind, "built without the feature aws").with_source(url.table().to_owned())
}
