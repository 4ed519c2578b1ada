use wallet_core::messaging::{EVENT_ID, Message};

/// The most attributes of a message, including the one with the id.
const ATTRIBUTES_MAX: usize = 10;

/// Whether a message has no more attributes than allowed.
pub(crate) fn fits(message: &Message) -> bool {
    let others = message.attributes.iter();
    others.filter(|(name, _)| name != EVENT_ID).count() < ATTRIBUTES_MAX
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
    let own = message.event_id().to_owned();
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
