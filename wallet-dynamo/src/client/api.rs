use std::collections::HashMap;
use std::fmt::Debug;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;

use super::error::CallError;

/// A row as DynamoDB keeps it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// What a query asks: rows of one partition of a table or an index, in the order
/// of their sort keys.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) table: String,
    pub(crate) index: Option<&'static str>,
    /// Names of the keys' attributes: `pk = :pk AND sk BETWEEN :from AND :to`.
    pub(crate) keys: (&'static str, &'static str),
    pub(crate) partition: AttributeValue,
    pub(crate) from: AttributeValue,
    pub(crate) to: AttributeValue,
    pub(crate) is_ascending: bool,
    pub(crate) is_consistent: bool,
    pub(crate) limit: i32,
    /// Where the page before ended.
    pub(crate) start: Option<Item>,
}

/// Which row a row may follow, by the names of its epoch and its number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rise {
    /// One of the same epoch with a smaller number.
    Within(&'static str, &'static str),
    /// One of an earlier epoch.
    Above(&'static str),
}

/// A page of rows, and where the next one starts, if there is one.
pub(crate) type Found = (Vec<Item>, Option<Item>);

/// The calls of DynamoDB that are made here: one attempt each. A fake stands in
/// for it where an emulator shows too little.
#[async_trait]
pub(crate) trait Api: Debug + Send + Sync {
    /// Writes at most 25 rows, each over what was there; answers those that were
    /// not.
    async fn write(&self, table: &str, items: Vec<Item>) -> Result<Vec<Item>, CallError>;

    /// Reads at most 100 rows by their keys, consistently; answers those found,
    /// and the keys that were not looked at.
    async fn read(&self, table: &str, keys: Vec<Item>)
    -> Result<(Vec<Item>, Vec<Item>), CallError>;

    /// A page of a query.
    async fn query(&self, query: &Query) -> Result<Found, CallError>;

    /// Sets a number of a row that is there; no error where it is not.
    async fn set(
        &self,
        table: &str,
        key: Item,
        attribute: &'static str,
        value: AttributeValue,
    ) -> Result<(), CallError>;

    /// Writes a row where there is none under its key, or one that it may follow;
    /// answers whether it was written.
    async fn raise(&self, table: &str, item: Item, rise: Rise) -> Result<bool, CallError>;

    /// Writes rows together or none of them, at most 100: each only where no row
    /// has its key.
    async fn insert(&self, table: &str, items: Vec<Item>) -> Result<(), CallError>;
}
