use async_trait::async_trait;
use wallet_core::messaging::{DeliveryError, Message, Published};

use super::error::CallError;
use crate::identity::fits;

/// A service that accepts several messages in one call.
#[async_trait]
pub(super) trait Call: Sync {
    /// Makes one call and returns the result of each message.
    async fn call(&self, messages: &[Message]) -> Result<Vec<Published>, CallError>;
}

/// Publishes messages in one call. If the service refuses the whole call because of one
/// message, each message is sent alone, so that only that message is refused.
///
/// A message with too many attributes is not sent: a topic would accept it and drop it on
/// the way to a queue with raw delivery.
pub(super) async fn publish(
    service: &impl Call,
    messages: &[Message],
) -> Result<Vec<Published>, DeliveryError> {
    let fit: Vec<_> = messages.iter().filter(|message| fits(message)).collect();
    if fit.len() == messages.len() {
        return together(service, messages).await;
    }
    let fit: Vec<_> = fit.into_iter().cloned().collect();
    let mut published = together(service, &fit).await?.into_iter();
    let all = messages.iter().map(|message| {
        if fits(message) {
            published.next().unwrap_or_else(silent)
        } else {
            let reason = "more attributes than a message may have".to_owned();
            Published::Refused { reason }
        }
    });
    Ok(all.collect())
}

async fn together(
    service: &impl Call,
    messages: &[Message],
) -> Result<Vec<Published>, DeliveryError> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    match service.call(messages).await {
        Ok(published) => Ok(published),
        Err(CallError::Failed(error)) => Err(error),
        Err(CallError::Refused { reason }) if messages.len() == 1 => {
            Ok(vec![Published::Refused { reason }])
        }
        Err(CallError::Refused { .. }) => one_by_one(service, messages).await,
    }
}

pub(super) fn silent() -> Published {
    Published::Failed {
        reason: "the service said nothing of it".to_owned(),
    }
}

async fn one_by_one(
    service: &impl Call,
    messages: &[Message],
) -> Result<Vec<Published>, DeliveryError> {
    let mut all = Vec::with_capacity(messages.len());
    for message in messages {
        match service.call(std::slice::from_ref(message)).await {
            Ok(published) => all.extend(published),
            Err(CallError::Failed(error)) => return Err(error),
            Err(CallError::Refused { reason }) => all.push(Published::Refused { reason }),
        }
    }
    Ok(all)
}

/// The result of each of `count` messages, from the entries that a service lists by
/// index. An entry that is not listed gets the result of `silent`.
pub(super) fn by_index<T>(
    count: usize,
    answers: impl IntoIterator<Item = (String, T)>,
    silent: impl FnMut() -> T,
) -> Vec<T> {
    let mut all: Vec<_> = std::iter::repeat_with(silent).take(count).collect();
    for (id, answer) in answers {
        let index = id.parse::<usize>().ok();
        if let Some(place) = index.and_then(|index| all.get_mut(index)) {
            *place = answer;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Refuses every call that holds the message `poison`. Fails every call from the call
    /// of that number on.
    struct Strict {
        calls: Mutex<Vec<usize>>,
        fails_from: usize,
    }

    impl Strict {
        fn new(fails_from: usize) -> Self {
            let calls = Mutex::default();
            Self { calls, fails_from }
        }

        fn calls(&self) -> Vec<usize> {
            self.calls.lock().unwrap().clone()
        }
    }

    #[async_trait]
    impl Call for Strict {
        async fn call(&self, messages: &[Message]) -> Result<Vec<Published>, CallError> {
            let mut calls = self.calls.lock().unwrap();
            calls.push(messages.len());
            if calls.len() > self.fails_from {
                return Err(CallError::Failed(DeliveryError::new("away")));
            }
            if messages.iter().any(|message| message.id == "poison") {
                let reason = "malformed".to_owned();
                return Err(CallError::Refused { reason });
            }
            Ok(messages.iter().map(|_| Published::Done).collect())
        }
    }

    fn messages(ids: &[&str]) -> Vec<Message> {
        let message = |id: &&str| Message {
            id: (*id).to_owned(),
            group: (*id).to_owned(),
            attributes: Vec::new(),
            body: "{}".to_owned(),
        };
        ids.iter().map(message).collect()
    }

    #[tokio::test]
    async fn a_call_refused_for_one_message_refuses_no_other() {
        let service = Strict::new(100);
        let published = publish(&service, &messages(&["a", "poison", "b"])).await;
        let published = published.unwrap();
        assert_eq!(published[0], Published::Done);
        assert!(matches!(&published[1], Published::Refused { reason } if reason == "malformed"));
        assert_eq!(published[2], Published::Done);
        assert_eq!(service.calls(), [3, 1, 1, 1]);
    }

    #[tokio::test]
    async fn a_failure_among_single_messages_fails_the_call() {
        let service = Strict::new(2);
        let published = publish(&service, &messages(&["a", "poison", "b"])).await;
        assert!(published.is_err());
        assert_eq!(service.calls(), [3, 1, 1]);
    }

    #[tokio::test]
    async fn a_message_with_too_many_attributes_is_refused_and_not_sent() {
        let service = Strict::new(100);
        let mut call = messages(&["a", "b", "c"]);
        let attributes = (0..10).map(|number| (format!("name{number}"), "x".to_owned()));
        call[1].attributes = attributes.collect();
        let published = publish(&service, &call).await.unwrap();
        assert_eq!(published[0], Published::Done);
        assert!(matches!(published[1], Published::Refused { .. }));
        assert_eq!(published[2], Published::Done);
        assert_eq!(service.calls(), [2]);
        call[1].attributes.pop();
        assert_eq!(
            publish(&service, &call).await.unwrap(),
            vec![Published::Done; 3]
        );
    }

    #[tokio::test]
    async fn nothing_is_no_call() {
        let service = Strict::new(0);
        assert_eq!(publish(&service, &[]).await.unwrap(), []);
        assert_eq!(service.calls(), [0; 0]);
    }

    #[test]
    fn an_entry_that_the_service_forgot_has_failed() {
        let all = by_index(3, [("2".to_owned(), Published::Done)], silent);
        assert!(matches!(all[0], Published::Failed { .. }));
        assert!(matches!(all[1], Published::Failed { .. }));
        assert_eq!(all[2], Published::Done);
        let unknown = [("9".to_owned(), Published::Done)];
        assert_eq!(by_index(1, unknown, silent).len(), 1);
    }
}
