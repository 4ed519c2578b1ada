use wallet_core::messaging::Message;

/// The attribute under which queues and topics carry an event's own id.
///
/// The id that a service de-duplicates by is not enough: Amazon SQS puts another
/// one in its place when it moves a message to a dead-letter queue, and a message
/// that comes back from there needs a new one ([`Redrive`](crate::Redrive)).
///
/// The adapters here add the attribute to what they publish and take it off what
/// they receive, so that [`Message::id`] is the event's own id on both sides.
/// Where a message is published with this attribute already, its value is the
/// event's id, and [`Message::id`] is what the service de-duplicates by, no more.
///
/// Services take ten attributes a message, so nine are left for others: a message
/// with more is refused.
pub const EVENT_ID: &str = "event_id";

/// Attributes of a message, the one that carries the id included.
const ATTRIBUTES_MAX: usize = 10;

/// Whether a message has no more attributes than it may have.
pub(crate) fn fits(message: &Message) -> bool {
    let others = message.attributes.iter();
    others.filter(|(name, _)| name != EVENT_ID).count() < ATTRIBUTES_MAX
}

/// The event's own id.
pub(crate) fn event_id(message: &Message) -> &str {
    message.attribute(EVENT_ID).unwrap_or(&message.id)
}

/// The attributes without the one that carries the id, and that id.
pub(crate) fn split(attributes: Vec<(String, String)>) -> (Vec<(String, String)>, Option<String>) {
    let (ids, rest): (Vec<_>, Vec<_>) = attributes
        .into_iter()
        .partition(|(name, _)| name == EVENT_ID);
    (rest, ids.into_iter().next().map(|(_, id)| id))
}

/// The same message under another id for de-duplication, its own id beside it.
pub(crate) fn redelivered(message: &Message, id: String) -> Message {
    let own = event_id(message).to_owned();
    let (mut attributes, _) = split(message.attributes.clone());
    attributes.push((EVENT_ID.to_owned(), own));
    attributes.sort();
    Message {
        id,
        group: message.group.clone(),
        attributes,
        body: message.body.clone(),
    }
}
