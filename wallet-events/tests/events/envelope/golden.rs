use std::path::PathBuf;

use wallet_core::Status;
use wallet_core::ledger::{COUNTER_MAX, Direction, HoldStatus, TransferKind};
use wallet_events::{Event, Parsed};

use crate::envelope::samples::samples;

fn golden(event: &Event) -> (PathBuf, String) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/events/envelope/golden");
    let path = folder.join(format!("{}.json", event.type_name().unwrap()));
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (path, text.trim_end().to_owned())
}

/// Golden events are never edited, only added to.
#[test]
fn every_type_is_written_as_it_always_was() {
    for event in samples() {
        let (path, text) = golden(&event);
        let message = event.message("/shop/wallet").unwrap();
        assert_eq!(message.body, text, "{}", path.display());
    }
}

#[test]
fn every_type_is_read_as_it_was_written() {
    for event in samples() {
        let (_, text) = golden(&event);
        assert_eq!(Event::parse(&text), Ok(Parsed::Known(event)));
    }
}

/// A value that is written under a name is read under that name, whichever it is.
#[test]
fn every_kind_status_and_direction_is_read_as_it_was_written() {
    for mut event in samples() {
        let mut events = Vec::new();
        for kind in TransferKind::ALL {
            if let Some(transfer) = &mut event.transfer {
                transfer.kind = *kind;
                events.push(event.clone());
            }
        }
        for status in HoldStatus::ALL {
            if let Some(hold) = &mut event.hold {
                hold.status = *status;
                events.push(event.clone());
            }
        }
        for status in Status::ALL {
            if let Some(terms) = &mut event.terms {
                terms.status = *status;
                events.push(event.clone());
            }
        }
        for direction in Direction::ALL {
            if let Some(entry) = &mut event.entry {
                entry.direction = *direction;
                events.push(event.clone());
            }
        }
        assert!(!events.is_empty(), "{event:?}");
        for event in events {
            let message = event.message("/shop/wallet").unwrap();
            assert_eq!(Event::parse(&message.body), Ok(Parsed::Known(event)));
        }
    }
}

/// A balance may be far greater than any amount.
#[test]
fn the_greatest_balances_are_read_as_they_were_written() {
    for mut event in samples() {
        for posted in [COUNTER_MAX, -COUNTER_MAX] {
            event.balance.posted = posted;
            event.balance.available = posted;
            event.balance.pending_in = COUNTER_MAX;
            let message = event.message("/shop/wallet").unwrap();
            let parsed = Event::parse(&message.body);
            assert_eq!(parsed, Ok(Parsed::Known(event.clone())));
        }
    }
}

/// Fields that a later release adds, anywhere, break no consumer.
#[test]
fn unknown_fields_are_passed_over() {
    fn add(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(fields) => {
                // The host's own metadata may hold any field.
                for (_, field) in fields.iter_mut().filter(|(name, _)| *name != "metadata") {
                    add(field);
                }
                // An object that stands for a variant holds only that variant.
                if !fields.contains_key("overdraft") {
                    fields.insert("later".to_owned(), serde_json::json!({ "deep": [1, null] }));
                }
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(add),
            _ => {}
        }
    }
    for event in samples() {
        let (_, text) = golden(&event);
        let mut value = serde_json::from_str(&text).unwrap();
        add(&mut value);
        let text = value.to_string();
        assert!(text.contains("later"));
        assert_eq!(Event::parse(&text), Ok(Parsed::Known(event)));
    }
}

#[test]
fn subscribers_filter_by_type_currency_owner_ledger_and_amount_band() {
    let messages = samples()
        .into_iter()
        .map(|event| event.message("/").unwrap());
    let messages: Vec<_> = messages.collect();
    let debited = &messages[3];
    let attributes = [
        ("amount_band", "1000"),
        ("currency", "EUR"),
        ("ledger", "3"),
        ("owner", "ada"),
        ("type", "wallet.account.debited.v1"),
    ];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(debited.attributes, attributes);
    assert_eq!(debited.group, "3/01010101-0101-0101-0101-010101010101");
    assert_eq!(debited.id, "3/01010101-0101-0101-0101-010101010101/1/4");
    let bands: Vec<_> = messages
        .iter()
        .map(|m| m.attribute("amount_band"))
        .collect();
    let none = None;
    let due = [
        none,
        none,
        none,
        Some("1000"),
        Some("0"),
        none,
        Some("1000"),
        none,
        none,
    ];
    assert_eq!(bands[..9], due);
    assert_eq!(bands[9], Some("0"));
}
