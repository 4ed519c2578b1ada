use wallet_core::messaging::{EventPublisher, Message, Published};
use wallet_events::webhook::{Addresses, Webhook, WebhookError, WebhookSettings};

use crate::kit::TestClock;
use crate::webhook::receiver::{Answer, Receiver};
use crate::webhook::route::{message, patient, settings, webhook, webhook_with};
use crate::webhook::tls::authority;

async fn publish(webhook: &Webhook, id: &str) -> Published {
    let published = webhook.publish(&[message(id)]).await.unwrap();
    assert_eq!(published.len(), 1);
    published[0].clone()
}

fn failed(reason: &str) -> Published {
    let reason = reason.to_owned();
    Published::Failed { reason }
}

#[tokio::test]
async fn only_2xx_is_delivered_and_the_status_is_all_that_is_reported() {
    let receiver = Receiver::start().await;
    let webhook = webhook(&receiver.url());
    for status in [200, 201, 202, 204, 299] {
        receiver.then(Answer::Status(status));
        assert_eq!(publish(&webhook, "a1").await, Published::Done, "{status}");
    }
    for (status, expected) in [
        (304, "304 Not Modified"),
        (400, "400 Bad Request"),
        (401, "401 Unauthorized"),
        (404, "404 Not Found"),
        (410, "410 Gone"),
        (429, "429 Too Many Requests"),
        (500, "500 Internal Server Error"),
        (503, "503 Service Unavailable"),
        (599, "599 <unknown status code>"),
    ] {
        receiver.then(Answer::Says(status, "a secret of the receiver's"));
        let expected = failed(&format!("the receiver answered {expected}"));
        assert_eq!(publish(&webhook, "a1").await, expected);
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (receiver, inside) = (Receiver::start().await, Receiver::start().await);
    let webhook = webhook(&receiver.url());
    for (status, expected) in [
        (301, "301 Moved Permanently"),
        (302, "302 Found"),
        (303, "303 See Other"),
        (307, "307 Temporary Redirect"),
        (308, "308 Permanent Redirect"),
    ] {
        receiver.then(Answer::Elsewhere(status, inside.url()));
        let expected = failed(&format!("the receiver answered {expected}"));
        assert_eq!(publish(&webhook, "a1").await, expected);
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn a_body_without_an_end_changes_nothing() {
    let receiver = Receiver::start().await;
    let webhook = webhook(&receiver.url());
    receiver.then(Answer::Endless(200));
    assert_eq!(publish(&webhook, "a1").await, Published::Done);
    receiver.then(Answer::Endless(500));
    let expected = failed("the receiver answered 500 Internal Server Error");
    assert_eq!(publish(&webhook, "a1").await, expected);
    assert_eq!(publish(&webhook, "a1").await, Published::Done);
}

/// On a paused clock the timeout may fire before the head arrives, but not every time.
#[tokio::test(start_paused = true)]
async fn an_answer_counts_though_its_body_never_comes() {
    let receiver = Receiver::start().await;
    let webhook = webhook_with(settings(), &receiver.url(), TestClock::new()).unwrap();
    receiver.always("a1", Some(Answer::HeadOnly(200)));
    let mut published = Vec::new();
    while published.len() < 100 && !published.contains(&Published::Done) {
        published.push(publish(&webhook, "a1").await);
    }
    assert_eq!(published.last(), Some(&Published::Done));
}

#[tokio::test]
async fn nobody_at_home_is_a_failure() {
    // Nothing listens on this port.
    let published = publish(&webhook("http://127.0.0.1:1/"), "a1").await;
    let Published::Failed { reason } = published else {
        panic!("{published:?}");
    };
    assert!(
        reason.starts_with("the receiver was not reached"),
        "{reason}"
    );
}

#[tokio::test]
async fn one_that_fails_takes_nothing_of_its_call_with_it() {
    let receiver = Receiver::start().await;
    let webhook = webhook(&receiver.url());
    receiver.always("b1", Some(Answer::Status(500)));
    let messages = ["a1", "b1", "c1"].map(message);
    let published = webhook.publish(&messages).await.unwrap();
    assert_eq!(published[0], Published::Done);
    assert!(matches!(published[1], Published::Failed { .. }));
    assert_eq!(published[2], Published::Done);
}

#[tokio::test]
async fn ids_that_could_be_taken_for_another_are_refused() {
    let receiver = Receiver::start().await;
    let webhook = webhook(&receiver.url());
    for id in ["a.1", "a\n1", "a\r\nwebhook-signature: v1,x"] {
        let published = publish(&webhook, id).await;
        assert!(matches!(published, Published::Refused { .. }), "{id}");
    }
    assert_eq!(receiver.connections(), 0);
    let redelivered = Message {
        id: "a1~1790000000000000-1".to_owned(),
        attributes: vec![(wallet_events::EVENT_ID.to_owned(), "a1".to_owned())],
        ..message("a1")
    };
    webhook.publish(&[redelivered]).await.unwrap();
    assert_eq!(receiver.ids(), ["a1"]);
}

#[tokio::test]
async fn by_default_nothing_is_sent_inside() {
    let receiver = Receiver::start().await;
    // Not every test machine has root certificates.
    let authority = authority().der().to_vec();
    let safe = |plain_http| WebhookSettings {
        plain_http,
        extra_roots: vec![authority.clone()],
        ..WebhookSettings::default()
    };
    assert_eq!(safe(false).addresses, Addresses::Public);
    let refused = |settings, url: &str| webhook_with(settings, url, patient()).unwrap_err();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"] {
        let url = receiver.url_at(host);
        assert_eq!(refused(safe(true), &url), WebhookError::NotPublic);
        assert_eq!(refused(safe(false), &url), WebhookError::Plain);
    }
    assert_eq!(receiver.connections(), 0);
}
