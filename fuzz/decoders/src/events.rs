use wallet_events::{Event, Parsed};

/// An event as a queue or a URL receives it.
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
