//! One call to the publisher.

use wallet_core::Timestamp;
use wallet_core::ledger::{AccountKey, Version};
use wallet_core::messaging::{Message, PublisherLimits};
use wallet_core::store::{EventIndex, ParkedEvent, RowId};

use super::in_flight::{InFlight, Item};

/// A call to make.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) messages: Vec<Message>,
    /// One flight for each message.
    pub(super) flights: Vec<Flight>,
    bytes: usize,
}

/// The position of a message in the outbox.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flight {
    pub(super) account: AccountKey,
    pub(super) committed_at: Timestamp,
    row: RowId,
    index: EventIndex,
    version: Version,
}

impl Flight {
    fn of(item: &Item) -> Self {
        Self {
            account: item.effect.account,
            committed_at: item.committed_at,
            row: item.row,
            index: item.effect.index,
            version: item.effect.version,
        }
    }

    pub(super) const fn parked(&self, reason: String) -> ParkedEvent {
        ParkedEvent {
            row: self.row,
            index: self.index,
            account: self.account,
            version: self.version,
            reason,
        }
    }
}

/// Fills a call with the ready events. Events that can never be published go to
/// `refused`, with the reason.
pub(super) fn fill(
    in_flight: &mut InFlight,
    limits: PublisherLimits,
    source: &str,
    refused: &mut Vec<(Flight, String)>,
) -> Call {
    let mut call = Call::default();
    while call.messages.len() < limits.messages.max(1) {
        let Some(item) = in_flight.next() else { break };
        let flight = Flight::of(item);
        match render(item, limits.bytes, source) {
            Ok(message) => {
                let bytes = call.bytes.saturating_add(message.bytes());
                if !call.messages.is_empty() && bytes > limits.bytes {
                    break;
                }
                call.bytes = bytes;
                call.messages.push(message);
                call.flights.push(flight);
                in_flight.launch(limits.keeps_order);
            }
            Err(reason) => {
                let mut accounts = call.flights.iter().map(|flight| flight.account);
                if accounts.any(|account| account == flight.account) {
                    // Earlier events of the account are published first.
                    break;
                }
                in_flight.launch(false);
                in_flight.hold(flight.account);
                refused.push((flight, reason));
            }
        }
    }
    in_flight.seal();
    call
}

fn render(item: &Item, bytes_max: usize, source: &str) -> Result<Message, String> {
    let owner = item.effect.owner.clone();
    let event = owner.and_then(|owner| item.effect.event(owner));
    let event = event.ok_or_else(|| "the commit does not hold this event".to_owned())?;
    let message = event.message(source).map_err(|error| error.to_string())?;
    let bytes = message.bytes();
    if bytes > bytes_max {
        return Err(format!(
            "too large: {bytes} bytes of at most {bytes_max} that the publisher takes"
        ));
    }
    Ok(message)
}
