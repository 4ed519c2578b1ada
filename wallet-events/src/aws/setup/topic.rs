use std::collections::HashMap;

use aws_sdk_sns::Client;
use aws_sdk_sns::error::ProvideErrorMetadata;

use super::SetupError;
use crate::aws::error::{self, bare};
use crate::aws::timeouts::{self, Timeouts};

const FIFO_TOPIC: (&str, &str) = ("FifoTopic", "true");

/// The settings of a topic: plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSettings {
    /// The name of the topic, which ends in `.fifo`.
    pub name: String,
    /// The key that encrypts the messages, by id, ARN or alias; by default only the
    /// service's own encryption. `docs/events.md` lists the permissions.
    pub kms_key: Option<String>,
}

impl TopicSettings {
    /// A topic of this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let (name, kms_key) = (name.into(), None);
        Self { name, kms_key }
    }
}

/// Creates a FIFO topic with throughput and deduplication by message group, and returns
/// its ARN. The service cannot reverse this scope.
///
/// # Errors
/// [`SetupError`].
pub async fn create_topic(client: &Client, settings: &TopicSettings) -> Result<String, SetupError> {
    let name = error::fifo(&settings.name)?;
    let mut wanted = HashMap::from([
        ("ContentBasedDeduplication", "false".to_owned()),
        ("FifoThroughputScope", "MessageGroup".to_owned()),
    ]);
    if let Some(key) = &settings.kms_key {
        wanted.insert("KmsMasterKeyId", key.clone());
    }
    let arn = find_or_create(client, &name, &wanted).await?;
    let found = client.get_topic_attributes().topic_arn(&arn).customize();
    let found = found.config_override(timeouts::config!(aws_sdk_sns, Timeouts::default()));
    let found = found.send().await.map_err(|error| failed(&name, error))?;
    let found = found.attributes.unwrap_or_default();
    for (attribute, value) in wanted {
        if found.get(attribute) == Some(&value) {
            continue;
        }
        let set = client.set_topic_attributes().topic_arn(&arn);
        let set = set.attribute_name(attribute).attribute_value(value);
        let set = set.customize();
        let set = set.config_override(timeouts::config!(aws_sdk_sns, Timeouts::default()));
        set.send().await.map_err(|error| failed(&name, error))?;
    }
    Ok(arn)
}

async fn find_or_create(
    client: &Client,
    name: &str,
    wanted: &HashMap<&str, String>,
) -> Result<String, SetupError> {
    let (fifo, yes) = FIFO_TOPIC;
    let create = || client.create_topic().name(name).attributes(fifo, yes);
    let mut whole = create();
    for (attribute, value) in wanted {
        whole = whole.attributes(*attribute, value);
    }
    let whole = whole.customize();
    let whole = whole.config_override(timeouts::config!(aws_sdk_sns, Timeouts::default()));
    let created = match whole.send().await {
        // A topic of this name exists with other attributes.
        Err(error) if is_other(error.code()) => {
            let bare = create().customize();
            let bare = bare.config_override(timeouts::config!(aws_sdk_sns, Timeouts::default()));
            bare.send().await
        }
        created => created,
    };
    let arn = created.map_err(|error| failed(name, error))?.topic_arn;
    arn.ok_or_else(|| failed(name, "the service did not name its ARN"))
}

/// Whether a code means that a topic of this name exists with other attributes.
pub(super) fn is_other(code: Option<&str>) -> bool {
    matches!(
        code.map(bare),
        Some("InvalidParameter" | "InvalidParameterException")
    )
}

fn failed(topic: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SetupError {
    SetupError::new(format!("the topic {topic}"), error)
}
