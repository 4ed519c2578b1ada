use std::collections::HashMap;

use aws_sdk_sns::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use super::queue::{read, write};
use super::topic::is_other;
use super::{FifoQueue, SetupError};
use crate::aws::error;
use crate::aws::timeouts::{self, Timeouts};

/// Subscribes a queue to a FIFO topic so that no event is lost, and returns the
/// subscription's ARN.
///
/// - The topic may send to the queue and to its dead letter queue: each queue's policy
///   gets a statement for this topic; other statements stay.
/// - Messages are delivered raw, as a [`Consumer`](crate::Consumer) reads them.
/// - Messages that the topic cannot deliver go to the queue's dead letter queue (a
///   `RedrivePolicy` of the subscription). Without it Amazon SNS drops an event: at once
///   if it lacks a permission for the queue or its key, and after 23 days if the queue
///   does not answer.
///
/// `filter` is a filter policy by attributes. Without one, every event is delivered, or
/// an existing filter stays.
///
/// Policies of queues take up to a minute to take effect.
///
/// ```no_run
/// use wallet_events::aws::setup::{
///     QueueSettings, TopicSettings, create_queue, create_topic, subscribe,
/// };
///
/// # async fn set_up(
/// #     sns: aws_sdk_sns::Client,
/// #     sqs: aws_sdk_sqs::Client,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let topic = create_topic(&sns, &TopicSettings::new("wallet-events.fifo")).await?;
/// let mailer = create_queue(&sqs, &QueueSettings::new("mailer.fifo")).await?;
/// let euros = r#"{"currency":["EUR"]}"#;
/// subscribe(&sns, &sqs, &topic, &mailer, Some(euros)).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`SetupError`].
pub async fn subscribe(
    sns: &aws_sdk_sns::Client,
    sqs: &aws_sdk_sqs::Client,
    topic_arn: &str,
    queue: &FifoQueue,
    filter: Option<&str>,
) -> Result<String, SetupError> {
    // A FIFO topic accepts only a FIFO queue as its dead letter queue.
    for name in [topic_arn, &queue.arn, &queue.dead_letters_arn] {
        error::fifo(name)?;
    }
    // The policy is set before the subscription: an event that lacks the permission is
    // lost at once.
    for (url, arn) in [
        (&queue.dead_letters_url, &queue.dead_letters_arn),
        (&queue.url, &queue.arn),
    ] {
        admit(sqs, url, arn, topic_arn).await?;
    }
    let redrive = json!({ "deadLetterTargetArn": queue.dead_letters_arn });
    let mut wanted = HashMap::from([
        ("RawMessageDelivery".to_owned(), "true".to_owned()),
        ("RedrivePolicy".to_owned(), redrive.to_string()),
    ]);
    if let Some(filter) = filter {
        let scope = "MessageAttributes".to_owned();
        wanted.insert("FilterPolicyScope".to_owned(), scope);
        wanted.insert("FilterPolicy".to_owned(), filter.to_owned());
    }
    let arn = find_or_subscribe(sns, topic_arn, &queue.arn, &wanted).await?;
    complete(sns, &arn, wanted).await?;
    Ok(arn)
}

/// Allows a topic to send to a queue.
async fn admit(
    sqs: &aws_sdk_sqs::Client,
    url: &str,
    queue_arn: &str,
    topic_arn: &str,
) -> Result<(), SetupError> {
    let found = read(sqs, url).await?;
    let found = found.get(&QueueAttributeName::Policy);
    let found = found.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let policy = with_statement(found.as_ref(), queue_arn, topic_arn);
    if found.as_ref() == Some(&policy) {
        return Ok(());
    }
    let policy = (QueueAttributeName::Policy, policy.to_string());
    write(sqs, url, HashMap::from([policy])).await
}

/// A queue's policy with the statement for a topic; other statements stay.
fn with_statement(policy: Option<&Value>, queue_arn: &str, topic_arn: &str) -> Value {
    let sid = format!("topic-subscription-{topic_arn}");
    let ours = json!({
        "Sid": sid,
        "Effect": "Allow",
        "Principal": { "Service": "sns.amazonaws.com" },
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": { "ArnEquals": { "aws:SourceArn": topic_arn } },
    });
    let mut statements = match policy.and_then(|policy| policy.get("Statement")) {
        Some(Value::Array(statements)) => statements.clone(),
        Some(statement @ Value::Object(_)) => vec![statement.clone()],
        _ => Vec::new(),
    };
    let is_ours = |one: &&mut Value| one.get("Sid").and_then(Value::as_str) == Some(&sid);
    match statements.iter_mut().find(is_ours) {
        Some(statement) => *statement = ours,
        None => statements.push(ours),
    }
    let mut whole = match policy {
        Some(Value::Object(policy)) => policy.clone(),
        _ => serde_json::Map::from_iter([("Version".to_owned(), json!("2012-10-17"))]),
    };
    whole.insert("Statement".to_owned(), Value::Array(statements));
    Value::Object(whole)
}

async fn find_or_subscribe(
    sns: &aws_sdk_sns::Client,
    topic_arn: &str,
    queue_arn: &str,
    wanted: &HashMap<String, String>,
) -> Result<String, SetupError> {
    let subscribed = sns
        .subscribe()
        .topic_arn(topic_arn)
        .protocol("sqs")
        .endpoint(queue_arn)
        .set_attributes(Some(wanted.clone()))
        .return_subscription_arn(true)
        .customize()
        .config_override(timeouts::config!(aws_sdk_sns, Timeouts::default()))
        .send()
        .await;
    let arn = match subscribed {
        Ok(subscribed) => subscribed.subscription_arn,
        // A subscription with other attributes may exist; otherwise the error is
        // returned.
        Err(error) if is_other(error.code()) => {
            let found = find(sns, topic_arn, queue_arn).await?;
            return found.ok_or_else(|| failed(queue_arn, error));
        }
        Err(error) => return Err(failed(queue_arn, error)),
    };
    arn.ok_or_else(|| failed(queue_arn, "the service did not name its ARN"))
}

/// The subscription of a queue to a topic, if there is one.
async fn find(
    sns: &aws_sdk_sns::Client,
    topic_arn: &str,
    queue_arn: &str,
) -> Result<Option<String>, SetupError> {
    let mut next = None;
    loop {
        let page = sns
            .list_subscriptions_by_topic()
            .topic_arn(topic_arn)
            .set_next_token(next)
            .customize()
            .config_override(timeouts::config!(aws_sdk_sns, Timeouts::default()))
            .send()
            .await;
        let page = page.map_err(|error| failed(queue_arn, error))?;
        let mut all = page.subscriptions.unwrap_or_default().into_iter();
        let found = all.find(|one| one.endpoint.as_deref() == Some(queue_arn));
        if let Some(arn) = found.and_then(|one| one.subscription_arn) {
            return Ok(Some(arn));
        }
        if page.next_token.is_none() {
            return Ok(None);
        }
        next = page.next_token;
    }
}

/// Sets the attributes of an existing subscription that differ.
async fn complete(
    sns: &aws_sdk_sns::Client,
    arn: &str,
    wanted: HashMap<String, String>,
) -> Result<(), SetupError> {
    let found = sns.get_subscription_attributes().subscription_arn(arn);
    let found = found.customize();
    let found = found.config_override(timeouts::config!(aws_sdk_sns, Timeouts::default()));
    let found = found.send().await.map_err(|error| failed(arn, error))?;
    let found = found.attributes.unwrap_or_default();
    for (attribute, value) in wanted {
        if found
            .get(&attribute)
            .is_some_and(|found| is_same(found, &value))
        {
            continue;
        }
        let set = sns.set_subscription_attributes().subscription_arn(arn);
        let set = set.attribute_name(attribute).attribute_value(value);
        let set = set.customize();
        let set = set.config_override(timeouts::config!(aws_sdk_sns, Timeouts::default()));
        set.send().await.map_err(|error| failed(arn, error))?;
    }
    Ok(())
}

/// Whether two attribute values are equal; JSON values are compared as JSON.
fn is_same(found: &str, wanted: &str) -> bool {
    let json = |text| serde_json::from_str::<Value>(text).ok();
    found == wanted || json(wanted).is_some_and(|wanted| json(found) == Some(wanted))
}

fn failed(what: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SetupError {
    SetupError::new(format!("the subscription of {what}"), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "arn:aws:sqs:eu-central-1:1:q.fifo";

    fn sids(policy: &Value) -> Vec<&str> {
        let statements = policy["Statement"].as_array().unwrap().iter();
        statements.map(|one| one["Sid"].as_str().unwrap()).collect()
    }

    #[test]
    fn a_policy_keeps_its_statements_and_gets_one_for_each_topic_once() {
        let one = with_statement(None, QUEUE, "arn:t.fifo");
        assert_eq!(one["Version"], "2012-10-17");
        assert_eq!(sids(&one), ["topic-subscription-arn:t.fifo"]);
        assert_eq!(with_statement(Some(&one), QUEUE, "arn:t.fifo"), one);
        let two = with_statement(Some(&one), QUEUE, "arn:u.fifo");
        assert_eq!(sids(&two).len(), 2);
        let own = json!({ "Id": "host's", "Statement": { "Sid": "own", "Effect": "Deny" } });
        let both = with_statement(Some(&own), QUEUE, "arn:t.fifo");
        assert_eq!(sids(&both), ["own", "topic-subscription-arn:t.fifo"]);
        assert_eq!(both["Id"], "host's");
    }
}
