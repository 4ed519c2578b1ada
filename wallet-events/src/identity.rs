use wallet_core::messaging::Message;

/// The message attribute that holds an event's own id.
///
/// The deduplication id of a service is not enough. Amazon SQS replaces it when it moves
/// a message to a dead letter queue, and a message that comes back from there needs a new
/// one ([`Redrive`](crate::Redrive)).
///
/// The adapters add the attribute to each published message and remove it from each
/// received one, so that [`Message::id`] is the event's own id on both sides. If a
/// published message already has this attribute, its value is the event's id, and
/// [`Message::id`] is only the deduplication id.
///
/// Services accept ten attributes per message, so nine are left for others. A message
/// with more is refused.
pub const EVENT_ID: &str = "event_id";

/// The most attributes of a message, including the one with the id.
const ATTRIBUTES_MAX: usize = 10;

/// Whether a message has no more attributes than allowed.
pub(crate) fn fits(message: &Message) -> bool {
    let others = message.attributes.iter();
    others.filter(|(name, _)| name != EVENT_ID).count() < ATTRIBUTES_MAX
}

/// The event's own id.
pub(crate) fn event_id(message: &Message) -> &str {
    message.attribute(EVENT_ID).unwrap_or(&message.id)
}

/// The attributes without the one that holds the id, and that id.
pub(crate) fn split(attributes: Vec<(String, String)>) -> (Vec<(String, String)>, Option<String>) {
    let (ids, rest): (Vec<_>, Vec<_>) = attributes
        .into_iter()
        .partition(|(name, _)| name == EVENT_ID);
    (rest, ids.into_iter().next().map(|(_, id)| id))
}

/// The same message under another deduplication id, with its own id as an attribute.
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
