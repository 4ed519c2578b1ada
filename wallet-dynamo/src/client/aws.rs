//! The interface to DynamoDB over the AWS SDK. The SDK makes no retries.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, Put, PutRequest, TransactWriteItem, WriteRequest,
};

use super::api::{Api, Found, Query, Rise};
use super::error::{CallError, call_error, cancelled};
use crate::keys::Item;

/// The AWS service.
#[derive(Debug)]
pub(crate) struct Aws {
    client: Client,
    timeout: Duration,
}

impl Aws {
    pub(crate) const fn new(client: Client, timeout: Duration) -> Self {
        Self { client, timeout }
    }

    /// One attempt within the time limit. This crate decides about retries, not the SDK.
    fn config(&self) -> Builder {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(self.timeout)
            .operation_timeout(self.timeout);
        Builder::new()
            .timeout_config(timeouts.build())
            .retry_config(RetryConfig::disabled())
    }
}

fn unfit(error: impl std::fmt::Display) -> CallError {
    CallError::Refused(error.to_string())
}

/// The error of an insert of one row or several.
fn insert_error<R>(error: &SdkError<TransactWriteItemsError, R>) -> CallError {
    let reasons = error.as_service_error().and_then(|error| match error {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            Some(cancelled.cancellation_reasons())
        }
        _ => None,
    });
    match reasons {
        Some(reasons) => cancelled(reasons.iter().filter_map(|reason| reason.code())),
        None => call_error(error),
    }
}

#[async_trait]
impl Api for Aws {
    async fn write(&self, table: &str, items: Vec<Item>) -> Result<Vec<Item>, CallError> {
        let mut requests = Vec::with_capacity(items.len());
        for item in items {
            let put = PutRequest::builder().set_item(Some(item)).build();
            let put = put.map_err(unfit)?;
            requests.push(WriteRequest::builder().put_request(put).build());
        }
        let call = self.client.batch_write_item();
        let call = call.request_items(table, requests).customize();
        let answer = call.config_override(self.config()).send().await;
        let answer = answer.map_err(|error| call_error(&error))?;
        let left = answer.unprocessed_items.unwrap_or_default().into_values();
        let left = left.flatten().filter_map(|request| request.put_request);
        Ok(left.map(|put| put.item).collect())
    }

    async fn read(
        &self,
        table: &str,
        keys: Vec<Item>,
    ) -> Result<(Vec<Item>, Vec<Item>), CallError> {
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true);
        let keys = keys.build().map_err(unfit)?;
        let call = self.client.batch_get_item();
        let call = call.request_items(table, keys).customize();
        let answer = call.config_override(self.config()).send().await;
        let answer = answer.map_err(|error| call_error(&error))?;
        let found = answer.responses.unwrap_or_default().into_values();
        let left = answer.unprocessed_keys.unwrap_or_default().into_values();
        let left = left.flat_map(|keys| keys.keys);
        Ok((found.flatten().collect(), left.collect()))
    }

    async fn query(&self, query: &Query) -> Result<Found, CallError> {
        let (partition, sort) = query.keys;
        let call = self.client.query().table_name(&query.table);
        let call = call
            .set_index_name(query.index.map(str::to_owned))
            .key_condition_expression("#p = :p AND #s BETWEEN :from AND :to")
            .expression_attribute_names("#p", partition)
            .expression_attribute_names("#s", sort)
            .expression_attribute_values(":p", query.partition.clone())
            .expression_attribute_values(":from", query.from.clone())
            .expression_attribute_values(":to", query.to.clone())
            .scan_index_forward(query.is_ascending)
            .consistent_read(query.is_consistent)
            .limit(query.limit)
            .set_exclusive_start_key(query.start.clone());
        let call = call.customize().config_override(self.config());
        let answer = call.send().await.map_err(|error| call_error(&error))?;
        let next = answer.last_evaluated_key;
        Ok((answer.items.unwrap_or_default(), next))
    }

    async fn set(
        &self,
        table: &str,
        key: Item,
        attribute: &'static str,
        value: AttributeValue,
    ) -> Result<(), CallError> {
        let exists = key.keys().next().cloned().unwrap_or_default();
        let call = self.client.update_item().table_name(table);
        let call = call
            .set_key(Some(key))
            .update_expression("SET #a = :a")
            .condition_expression("attribute_exists(#k)")
            .expression_attribute_names("#a", attribute)
            .expression_attribute_names("#k", exists)
            .expression_attribute_values(":a", value);
        let call = call.customize().config_override(self.config());
        match call.send().await.map_err(|error| call_error(&error)) {
            Ok(_) | Err(CallError::ConditionFailed) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn raise(&self, table: &str, item: Item, rise: Rise) -> Result<bool, CallError> {
        let value = |name: &str| {
            let value = item.get(name).cloned();
            value.ok_or_else(|| unfit("a row without its number"))
        };
        let call = self.client.put_item().table_name(table);
        let call = match rise {
            Rise::Within(epoch, number) => call
                .condition_expression("attribute_not_exists(#e) OR (#e = :e AND #n < :n)")
                .expression_attribute_names("#e", epoch)
                .expression_attribute_names("#n", number)
                .expression_attribute_values(":e", value(epoch)?)
                .expression_attribute_values(":n", value(number)?),
            Rise::Above(epoch) => call
                .condition_expression("attribute_not_exists(#e) OR #e < :e")
                .expression_attribute_names("#e", epoch)
                .expression_attribute_values(":e", value(epoch)?),
        };
        let call = call.set_item(Some(item));
        let call = call.customize().config_override(self.config());
        match call.send().await.map_err(|error| call_error(&error)) {
            Ok(_) => Ok(true),
            Err(CallError::ConditionFailed) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn insert(&self, table: &str, mut items: Vec<Item>) -> Result<(), CallError> {
        if let [_] = items[..] {
            let call = self.client.put_item().table_name(table);
            let call = call
                .set_item(items.pop())
                .condition_expression("attribute_not_exists(#k)")
                .expression_attribute_names("#k", crate::keys::PARTITION);
            let call = call.customize().config_override(self.config());
            let answer = call.send().await;
            return answer.map(drop).map_err(|error| call_error(&error));
        }
        let mut puts = Vec::with_capacity(items.len());
        for item in items {
            let put = Put::builder()
                .table_name(table)
                .set_item(Some(item))
                .condition_expression("attribute_not_exists(#k)")
                .set_expression_attribute_names(Some(HashMap::from([(
                    "#k".to_owned(),
                    crate::keys::PARTITION.to_owned(),
                )])));
            let put = put.build().map_err(unfit)?;
            puts.push(TransactWriteItem::builder().put(put).build());
        }
        let call = self.client.transact_write_items();
        let call = call.set_transact_items(Some(puts)).customize();
        let answer = call.config_override(self.config()).send().await;
        answer.map(drop).map_err(|error| insert_error(&error))
    }
}
