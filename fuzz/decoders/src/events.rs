use wallet_events::{Event, Parsed};

/// An event as it comes from a queue or to a URL.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(Parsed::Known(event)) = Event::parse(text) else {
        return;
    };
    let Ok(message) = event.message("/wallet") else {
        return;
    };
    assert_eq!(Event::parse(&message.body).unwrap(), Parsed::Known(event));
}
