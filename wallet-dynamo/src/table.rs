//! The tables, made by a call: for tests and small hosts. Others give
//! `table.json`, a template of `CloudFormation`, to their own tool.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TableStatus, TimeToLiveSpecification,
};
use wallet_core::{Clock, StoreError, StoreErrorKind};

use crate::history::ENDS;
use crate::keys::{PARTITION, REFERENCE, REFERENCE_SORT, SORT, TRANSFER, TRANSFER_SORT};

/// The index by transfer.
pub(crate) const BY_TRANSFER: &str = "by_transfer";
/// The index by reference: only rows that have one are in it.
pub(crate) const BY_REFERENCE: &str = "by_reference";

/// How often is asked whether a new table is ready.
const LOOKS: u32 = 600;

fn failed(error: impl std::error::Error) -> StoreError {
    let source = DisplayErrorContext(error).to_string();
    StoreError::new(StoreErrorKind::Internal, "creating a table").with_source(source)
}

/// Creates the table of a [`DynamoHistory`](crate::DynamoHistory), billed by
/// request, with its indexes and the end of rows, and waits until it can be used.
/// One that exists is left as it is.
///
/// # Errors
/// [`StoreError`] of kind `Internal`; `Unavailable` when it takes over a minute.
pub async fn create_history_table(
    client: &Client,
    clock: &dyn Clock,
    table: &str,
) -> Result<(), StoreError> {
    let create = client.create_table().table_name(table);
    let mut create = create.billing_mode(BillingMode::PayPerRequest);
    for name in [
        PARTITION,
        SORT,
        TRANSFER,
        TRANSFER_SORT,
        REFERENCE,
        REFERENCE_SORT,
    ] {
        create = create.attribute_definitions(attribute(name, ScalarAttributeType::B)?);
    }
    let create = create
        .set_key_schema(Some(keys(PARTITION, SORT)?))
        .global_secondary_indexes(index(BY_TRANSFER, TRANSFER, TRANSFER_SORT)?)
        .global_secondary_indexes(index(BY_REFERENCE, REFERENCE, REFERENCE_SORT)?);
    if !finish(client, clock, create).await? {
        return Ok(());
    }
    let ends = TimeToLiveSpecification::builder()
        .attribute_name(ENDS)
        .enabled(true)
        .build();
    let update = client.update_time_to_live().table_name(table);
    let update = update.time_to_live_specification(ends.map_err(failed)?);
    update.send().await.map(drop).map_err(failed)
}

/// Creates the table of a [`DynamoAuditLog`](crate::DynamoAuditLog), billed by
/// request, and waits until it can be used. One that exists is left as it is.
///
/// Who appends needs `dynamodb:PutItem`, `TransactWriteItems` and `Query`: give
/// nobody `UpdateItem` or `DeleteItem` on it.
///
/// # Errors
/// As [`create_history_table`].
pub async fn create_audit_table(
    client: &Client,
    clock: &dyn Clock,
    table: &str,
) -> Result<(), StoreError> {
    let create = client.create_table().table_name(table);
    let create = create
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(PARTITION, ScalarAttributeType::B)?)
        .attribute_definitions(attribute(SORT, ScalarAttributeType::B)?)
        .set_key_schema(Some(keys(PARTITION, SORT)?));
    finish(client, clock, create).await.map(drop)
}

/// Whether it was created, and not there before.
async fn finish(
    client: &Client,
    clock: &dyn Clock,
    create: CreateTableFluentBuilder,
) -> Result<bool, StoreError> {
    let table = create.get_table_name().clone().unwrap_or_default();
    match create.send().await {
        Ok(_) => {}
        Err(error) if is_there(error.as_service_error()) => return Ok(false),
        Err(error) => return Err(failed(error)),
    }
    until_active(client, clock, &table).await?;
    Ok(true)
}

const fn is_there(error: Option<&CreateTableError>) -> bool {
    matches!(error, Some(CreateTableError::ResourceInUseException(_)))
}

async fn until_active(client: &Client, clock: &dyn Clock, table: &str) -> Result<(), StoreError> {
    for _ in 0..LOOKS {
        let described = client.describe_table().table_name(table).send().await;
        let described = described.map_err(failed)?.table;
        let status = described.and_then(|table| table.table_status);
        if status == Some(TableStatus::Active) {
            return Ok(());
        }
        clock.sleep(std::time::Duration::from_millis(100)).await;
    }
    let context = "a new table is not ready";
    Err(StoreError::new(StoreErrorKind::Unavailable, context))
}

fn attribute(name: &str, kind: ScalarAttributeType) -> Result<AttributeDefinition, StoreError> {
    let attribute = AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(kind);
    attribute.build().map_err(failed)
}

fn keys(partition: &str, sort: &str) -> Result<Vec<KeySchemaElement>, StoreError> {
    let key = |name: &str, kind| {
        let key = KeySchemaElement::builder().attribute_name(name);
        key.key_type(kind).build().map_err(failed)
    };
    Ok(vec![
        key(partition, KeyType::Hash)?,
        key(sort, KeyType::Range)?,
    ])
}

fn index(name: &str, partition: &str, sort: &str) -> Result<GlobalSecondaryIndex, StoreError> {
    let all = Projection::builder().projection_type(ProjectionType::All);
    let index = GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(keys(partition, sort)?))
        .projection(all.build());
    index.build().map_err(failed)
}
