//! The interface to DynamoDB: the calls that this crate makes, one attempt each.

use crate::keys::Item;
use std::fmt::Debug;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;

use super::error::CallError;

/// A query: rows of one partition of a table or an index, in the order of their sort keys.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) table: String,
    pub(crate) index: Option<&'static str>,
    /// The names of the key attributes: `pk = :pk AND sk BETWEEN :from AND :to`.
    pub(crate) keys: (&'static str, &'static str),
    pub(crate) partition: AttributeValue,
    pub(crate) from: AttributeValue,
    pub(crate) to: AttributeValue,
    pub(crate) is_ascending: bool,
    pub(crate) is_consistent: bool,
    pub(crate) limit: i32,
    /// The end of the previous page.
    pub(crate) start: Option<Item>,
}

/// The condition of a conditional write, by the names of the attributes for epoch and
/// number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rise {
    /// The existing row has the same epoch and a smaller number.
    Within(&'static str, &'static str),
    /// The existing row has an earlier epoch.
    Above(&'static str),
}

/// A page of rows, and the start of the next page, if there is one.
pub(crate) type Found = (Vec<Item>, Option<Item>);

/// The DynamoDB calls that this crate makes: one attempt each. A fake replaces it where an
/// emulator is not enough.
#[async_trait]
pub(crate) trait Api: Debug + Send + Sync {
    /// Writes at most 25 rows and replaces existing ones. Returns the rows that were not
    /// written.
    async fn write(&self, table: &str, items: Vec<Item>) -> Result<Vec<Item>, CallError>;

    /// Reads at most 100 rows by their keys, with consistent reads. Returns the rows found
    /// and the keys that were not processed.
    async fn read(&self, table: &str, keys: Vec<Item>)
    -> Result<(Vec<Item>, Vec<Item>), CallError>;

    /// A page of a query.
    async fn query(&self, query: &Query) -> Result<Found, CallError>;

    /// Sets a number of an existing row. A missing row is no error.
    async fn set(
        &self,
        table: &str,
        key: Item,
        attribute: &'static str,
        value: AttributeValue,
    ) -> Result<(), CallError>;

    /// Conditional write: writes a row if its key is free, or if the existing row satisfies
    /// the condition. Returns whether it was written.
    async fn raise(&self, table: &str, item: Item, rise: Rise) -> Result<bool, CallError>;

    /// Writes at most 100 rows in one transaction, each only if its key is free.
    async fn insert(&self, table: &str, items: Vec<Item>) -> Result<(), CallError>;
}
