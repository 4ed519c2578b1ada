use std::collections::HashMap;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::create_queue::CreateQueueError;
use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use serde_json::{Value, json};

use super::SetupError;
use crate::aws::error;
use crate::aws::timeouts::{self, Timeouts};

const FIFO: &str = ".fifo";
/// The longest retention of a queue: 14 days.
const RETENTION_SECS: &str = "1209600";

type Attributes = HashMap<Attribute, String>;

/// The settings of a queue: plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    /// The name of the queue, which ends in `.fifo`.
    pub name: String,
    /// How often a message is received before it becomes a dead letter. 5 by default;
    /// [`Webhook::MAX_RECEIVES`](crate::webhook::Webhook::MAX_RECEIVES) for a queue that
    /// feeds a webhook.
    pub max_receives: u32,
    /// The key that encrypts the messages, by id, ARN or alias; by default a key of the
    /// service. `docs/events.md` lists the permissions that a customer's key needs.
    pub kms_key: Option<String>,
}

impl QueueSettings {
    /// A queue of this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            max_receives: 5,
            kms_key: None,
        }
    }
}

/// A FIFO queue and its dead letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FifoQueue {
    /// The URL to receive from.
    pub url: String,
    /// The ARN that a subscription delivers to.
    pub arn: String,
    /// The URL of the dead letter queue.
    pub dead_letters_url: String,
    /// The ARN that a redrive policy names.
    pub dead_letters_arn: String,
}

/// Creates a FIFO queue with high throughput, and before it its dead letter queue, named
/// `NAME-dead.fifo`.
///
/// Deduplication and throughput are by message group. Both queues keep messages for 14
/// days.
///
/// # Errors
/// [`SetupError`].
pub async fn create_queue(
    client: &Client,
    settings: &QueueSettings,
) -> Result<FifoQueue, SetupError> {
    let name = error::fifo(&settings.name)?;
    let stem = name.strip_suffix(FIFO).unwrap_or(&name);
    let key = settings.kms_key.as_deref();
    let (dead_letters_url, dead_letters_arn) =
        create(client, &format!("{stem}-dead{FIFO}"), wanted(key)).await?;
    let redrive = json!({
        "deadLetterTargetArn": dead_letters_arn,
        "maxReceiveCount": settings.max_receives.max(1),
    });
    let mut attributes = wanted(key);
    attributes.insert(Attribute::RedrivePolicy, redrive.to_string());
    let (url, arn) = create(client, &name, attributes).await?;
    Ok(FifoQueue {
        url,
        arn,
        dead_letters_url,
        dead_letters_arn,
    })
}

fn wanted(kms_key: Option<&str>) -> Attributes {
    let mut attributes = HashMap::from([
        (Attribute::ContentBasedDeduplication, "false".to_owned()),
        (Attribute::DeduplicationScope, "messageGroup".to_owned()),
        (
            Attribute::FifoThroughputLimit,
            "perMessageGroupId".to_owned(),
        ),
        (Attribute::MessageRetentionPeriod, RETENTION_SECS.to_owned()),
    ]);
    if let Some(key) = kms_key {
        attributes.insert(Attribute::KmsMasterKeyId, key.to_owned());
    }
    attributes
}

/// The URL and ARN of a queue with the given attributes.
async fn create(
    client: &Client,
    name: &str,
    wanted: Attributes,
) -> Result<(String, String), SetupError> {
    let url = find_or_create(client, name, &wanted).await?;
    let found = read(client, &url).await?;
    let missing = wanted.into_iter().filter(|(attribute, value)| {
        let found = found.get(attribute);
        !found.is_some_and(|found| is_same(found, value))
    });
    write(client, &url, missing.collect()).await?;
    let arn = found.get(&Attribute::QueueArn).cloned();
    let arn = arn.ok_or_else(|| failed(&url, "the service did not name its ARN"))?;
    Ok((url, arn))
}

async fn find_or_create(
    client: &Client,
    name: &str,
    wanted: &Attributes,
) -> Result<String, SetupError> {
    let created = client
        .create_queue()
        .queue_name(name)
        .set_attributes(Some(with_fifo(wanted)))
        .customize()
        .config_override(timeouts::config!(aws_sdk_sqs, Timeouts::default()))
        .send()
        .await;
    let url = match created {
        Ok(created) => created.queue_url,
        // A queue of this name exists with other attributes.
        Err(error)
            if error
                .as_service_error()
                .is_some_and(CreateQueueError::is_queue_name_exists) =>
        {
            let found = client.get_queue_url().queue_name(name).customize();
            let found = found.config_override(timeouts::config!(aws_sdk_sqs, Timeouts::default()));
            let found = found.send().await;
            found.map_err(|error| failed(name, error))?.queue_url
        }
        Err(error) => return Err(failed(name, error)),
    };
    url.ok_or_else(|| failed(name, "the service did not name its URL"))
}

/// The attributes that a queue is created with; FIFO cannot be changed later.
fn with_fifo(wanted: &Attributes) -> Attributes {
    let mut all = wanted.clone();
    all.insert(Attribute::FifoQueue, "true".to_owned());
    all
}

/// Whether two attribute values are equal. A policy is compared as JSON, because the
/// service may format it in another way.
fn is_same(found: &str, wanted: &str) -> bool {
    let policy = |text: &str| match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(mut policy)) => {
            if let Some(count) = policy.get_mut("maxReceiveCount") {
                *count = json!(count.to_string().trim_matches('"'));
            }
            Some(policy)
        }
        _ => None,
    };
    found == wanted || policy(wanted).is_some_and(|wanted| policy(found) == Some(wanted))
}

/// Reads all attributes of a queue.
pub(super) async fn read(client: &Client, url: &str) -> Result<Attributes, SetupError> {
    let found = client
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(Attribute::All)
        .customize()
        .config_override(timeouts::config!(aws_sdk_sqs, Timeouts::default()))
        .send()
        .await;
    let found = found.map_err(|error| failed(url, error))?;
    Ok(found.attributes.unwrap_or_default())
}

/// Sets attributes of a queue; makes no call if there are none.
pub(super) async fn write(
    client: &Client,
    url: &str,
    attributes: Attributes,
) -> Result<(), SetupError> {
    if attributes.is_empty() {
        return Ok(());
    }
    let set = client
        .set_queue_attributes()
        .queue_url(url)
        .set_attributes(Some(attributes))
        .customize()
        .config_override(timeouts::config!(aws_sdk_sqs, Timeouts::default()))
        .send()
        .await;
    set.map(drop).map_err(|error| failed(url, error))
}

pub(super) fn failed(
    queue: &str,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> SetupError {
    SetupError::new(format!("the queue {queue}"), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_compared_by_what_they_say() {
        let wanted = r#"{"deadLetterTargetArn":"arn:a","maxReceiveCount":5}"#;
        for (found, same) in [
            (wanted, true),
            (
                r#"{"maxReceiveCount":"5", "deadLetterTargetArn":"arn:a"}"#,
                true,
            ),
            (
                r#"{"maxReceiveCount":6,"deadLetterTargetArn":"arn:a"}"#,
                false,
            ),
            (r#"{"maxReceiveCount":5}"#, false),
            ("", false),
        ] {
            assert_eq!(is_same(found, wanted), same, "{found}");
        }
        assert!(is_same("true", "true"));
        assert!(!is_same("queue", "messageGroup"));
    }
}
