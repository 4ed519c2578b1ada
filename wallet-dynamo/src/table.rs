//! Creates the tables, for tests and small hosts. Other hosts pass `table.json`, a
//! `CloudFormation` template, to their own tool.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TableStatus, TimeToLiveSpecification, TimeToLiveStatus,
};
use wallet_core::StoreError;
use wallet_core::runtime::Clock;
use wallet_core::store::StoreErrorKind;

use crate::client::{CallError, call_error};
use crate::keys::ENDS;
use crate::keys::{PARTITION, REFERENCE, REFERENCE_SORT, SORT, TRANSFER, TRANSFER_SORT};

const CONTEXT: &str = "setting up a table";

/// The index by transfer.
pub(crate) const BY_TRANSFER: &str = "by_transfer";
/// The index by reference. It contains only rows with a reference.
pub(crate) const BY_REFERENCE: &str = "by_reference";

/// How often to check whether a table is ready, or whether its expiry is set.
const LOOKS: u32 = 600;
/// The pause between two checks. [`LOOKS`] pauses last one minute.
const LOOK_PAUSE: Duration = Duration::from_millis(100);

/// An error of the service. It is `Unavailable` if a repeated setup may help.
fn answered<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    // Setup is idempotent, so an unknown outcome counts like no answer.
    let kind = match call_error(&error) {
        CallError::Throttled(_)
        | CallError::Unauthenticated(_)
        | CallError::Contended(_)
        | CallError::Unknown(_) => StoreErrorKind::Unavailable,
        CallError::ConditionFailed | CallError::Refused(_) => StoreErrorKind::Internal,
    };
    let source = DisplayErrorContext(error).to_string();
    StoreError::new(kind, CONTEXT).with_source(source)
}

/// The error for a request that cannot be sent.
fn unfit(error: impl std::error::Error) -> StoreError {
    internal(DisplayErrorContext(error).to_string())
}

fn internal(source: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Internal, CONTEXT).with_source(source.into())
}

fn unavailable(context: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, context)
}

/// Creates the table of a [`DynamoHistory`](crate::DynamoHistory), billed by request, with
/// its indexes and the expiry of rows (time to live). Waits until the table can be used.
///
/// The call is idempotent. It completes what is missing in an existing table. It waits for
/// a table that is still being created. It sets the expiry of rows if an earlier call
/// failed before that step. It does not change the billing, keys and indexes of an existing
/// table.
///
/// # Errors
/// [`StoreError`] of kind `Unavailable`: the same call may succeed later. The service did
/// not answer, credentials have expired, or the table is not ready within a minute.
/// `Internal` otherwise, also if rows expire by another attribute than this crate's.
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
    finish(client, clock, table, create).await?;
    let_rows_end(client, clock, table).await
}

/// Creates the table of a [`DynamoAuditLog`](crate::DynamoAuditLog), billed by request, and
/// waits until it can be used. The call is idempotent: it waits for a table that is still
/// being created, and does not change an existing one.
///
/// A writer needs `dynamodb:PutItem` and `dynamodb:Query`. Give no one `UpdateItem` or
/// `DeleteItem` on the table. There is no right for `TransactWriteItems`: a transaction of
/// puts needs
/// [`PutItem`](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html).
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
    finish(client, clock, table, create).await
}

/// Creates a table if it is missing, and waits until it can be used.
async fn finish(
    client: &Client,
    clock: &dyn Clock,
    table: &str,
    create: CreateTableFluentBuilder,
) -> Result<(), StoreError> {
    match create.send().await {
        Ok(_) => {}
        Err(error) if is_there(error.as_service_error()) => {}
        Err(error) => return Err(answered(error)),
    }
    until_usable(client, clock, table).await
}

const fn is_there(error: Option<&CreateTableError>) -> bool {
    matches!(error, Some(CreateTableError::ResourceInUseException(_)))
}

/// A table that is being updated accepts writes.
async fn until_usable(client: &Client, clock: &dyn Clock, table: &str) -> Result<(), StoreError> {
    for _ in 0..LOOKS {
        let described = client.describe_table().table_name(table).send().await;
        let status = match described {
            Ok(described) => described.table.and_then(|table| table.table_status),
            // Descriptions lag behind. For a moment a new table is not known.
            Err(error) if is_not_known(error.as_service_error()) => None,
            Err(error) => return Err(answered(error)),
        };
        if matches!(status, Some(TableStatus::Active | TableStatus::Updating)) {
            return Ok(());
        }
        clock.sleep(LOOK_PAUSE).await;
    }
    Err(unavailable("a table is not ready"))
}

const fn is_not_known(error: Option<&DescribeTableError>) -> bool {
    matches!(
        error,
        Some(DescribeTableError::ResourceNotFoundException(_))
    )
}

/// How a table's rows expire.
enum RowsEnd {
    /// By [`ENDS`], now or soon.
    ByOurs,
    ByAnother(String),
    Never,
    /// The expiry is being switched off.
    Changing,
}

/// Makes rows expire by [`ENDS`].
async fn let_rows_end(client: &Client, clock: &dyn Clock, table: &str) -> Result<(), StoreError> {
    for _ in 0..LOOKS {
        match rows_end(client, table).await? {
            RowsEnd::ByOurs => return Ok(()),
            RowsEnd::ByAnother(name) => {
                return Err(internal(format!("rows end by the attribute {name}")));
            }
            RowsEnd::Never => {
                let Err(error) = set_end_of_rows(client, table).await else {
                    return Ok(());
                };
                // Another process may have set the expiry between the check and the call.
                return match rows_end(client, table).await? {
                    RowsEnd::ByOurs => Ok(()),
                    RowsEnd::ByAnother(_) | RowsEnd::Never | RowsEnd::Changing => Err(error),
                };
            }
            RowsEnd::Changing => clock.sleep(LOOK_PAUSE).await,
        }
    }
    Err(unavailable("the end of rows is being switched off"))
}

async fn rows_end(client: &Client, table: &str) -> Result<RowsEnd, StoreError> {
    let described = client.describe_time_to_live().table_name(table).send();
    let described = described.await.map_err(answered)?;
    let Some(ends) = described.time_to_live_description else {
        return Ok(RowsEnd::Never);
    };
    Ok(match (ends.time_to_live_status, ends.attribute_name) {
        (Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling), Some(name))
            if name != ENDS =>
        {
            RowsEnd::ByAnother(name)
        }
        (Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling), _) => RowsEnd::ByOurs,
        (Some(TimeToLiveStatus::Disabling), _) => RowsEnd::Changing,
        _ => RowsEnd::Never,
    })
}

async fn set_end_of_rows(client: &Client, table: &str) -> Result<(), StoreError> {
    let ends = TimeToLiveSpecification::builder()
        .attribute_name(ENDS)
        .enabled(true)
        .build();
    let update = client.update_time_to_live().table_name(table);
    let update = update.time_to_live_specification(ends.map_err(unfit)?);
    update.send().await.map(drop).map_err(answered)
}

fn attribute(name: &str, kind: ScalarAttributeType) -> Result<AttributeDefinition, StoreError> {
    let attribute = AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(kind);
    attribute.build().map_err(unfit)
}

fn keys(partition: &str, sort: &str) -> Result<Vec<KeySchemaElement>, StoreError> {
    let key = |name: &str, kind| {
        let key = KeySchemaElement::builder().attribute_name(name);
        key.key_type(kind).build().map_err(unfit)
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
    index.build().map_err(unfit)
}
