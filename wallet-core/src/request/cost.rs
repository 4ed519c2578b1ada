//! The cost of committing a request. Batches are cut to fit a store's limits.

use crate::ledger::{Details, Hold, HoldId, TransferId, TransferWithReversals};
use crate::request::{Command, PreparedRequest, ReverseWhat};

/// Rows per leg: two entries, two accounts, a reversal total.
const ROWS_PER_LEG: usize = 5;
const BYTES_PER_LEG: usize = 512;
/// Copies of a text: in the row, the record and the outbox.
const COPIES_OF_A_TEXT: usize = 3;

/// The greatest cost of committing a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// The number of rows written.
    pub rows: usize,
    /// The number of bytes sent, estimated from above.
    pub bytes: usize,
}

impl Cost {
    /// The sum of both costs.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            rows: self.rows.saturating_add(other.rows),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

/// The facts that are known only once the holds and transfers of a request have
/// been found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// The number of legs of each transfer.
    legs: Vec<(TransferId, usize)>,
    /// The number of bytes of each hold's texts.
    texts: Vec<(HoldId, usize)>,
}

impl Resolved {
    pub(crate) fn of(holds: &[Hold], transfers: &[TransferWithReversals]) -> Self {
        let texts = holds
            .iter()
            .map(|hold| (hold.key.id, hold.details.text_bytes()));
        let rows = transfers.iter().map(|row| &row.transfer);
        Self {
            legs: rows
                .map(|transfer| (transfer.key.id, transfer.legs.len()))
                .collect(),
            texts: texts.collect(),
        }
    }

    fn legs_of(&self, transfer: TransferId) -> usize {
        let found = self.legs.iter().find(|(id, _)| *id == transfer);
        found.map_or(0, |(_, legs)| *legs)
    }
}

impl PreparedRequest {
    /// The greatest number of rows that the commit writes, and the approximate
    /// number of bytes. The reversal of an unresolved transfer counts as one leg.
    #[must_use]
    pub fn cost(&self) -> Cost {
        // The first item of a bulk request also writes the bulk request's record.
        let bulk = usize::from(self.membership().is_some());
        // The record and the outbox row.
        let mut cost = Cost {
            rows: 2_usize.saturating_add(bulk),
            bytes: 256,
        };
        for prepared in &self.commands {
            let (rows, legs) = match &prepared.command {
                Command::ChangeStatus(_) | Command::ChangeLimits(_) => (2, 0),
                Command::PostTransfer(c) => (1, c.legs.len()),
                Command::Deposit(_) | Command::Withdrawal(_) => (3, 1),
                // Both accounts of a leg may be opened, each in a new currency.
                Command::SystemTransfer(c) => {
                    let legs = c.legs.len();
                    (legs.saturating_mul(4).saturating_add(1), legs)
                }
                Command::Split(c) => (1, c.shares.len()),
                Command::OpenAccount(_)
                | Command::PlaceHold(_)
                | Command::Release(_)
                | Command::Expire(_) => (3, 0),
                Command::Capture(_) => (2, 1),
                Command::Reverse(c) => match &c.what {
                    ReverseWhat::Legs(legs) => (1, legs.len()),
                    ReverseWhat::Amount(_) => (1, 1),
                    ReverseWhat::Rest | ReverseWhat::Proportional(_) => {
                        (1, self.legs_of(c.transfer))
                    }
                },
            };
            let details = prepared.command.details();
            let text = details.map_or(0, Details::text_bytes);
            // A change of a hold includes the hold itself.
            let more = match &prepared.command {
                Command::OpenAccount(open) => {
                    open.metadata.as_ref().map_or(0, |text| text.as_str().len())
                }
                Command::Capture(c) => self.texts_of(c.hold),
                Command::Release(c) => self.texts_of(c.hold),
                Command::Expire(c) => self.texts_of(c.hold),
                _ => 0,
            };
            let text = text.saturating_add(more).saturating_mul(COPIES_OF_A_TEXT);
            let legs_rows = legs.saturating_mul(ROWS_PER_LEG);
            let legs_bytes = legs.saturating_mul(BYTES_PER_LEG);
            cost.rows = cost.rows.saturating_add(rows).saturating_add(legs_rows);
            cost.bytes = cost.bytes.saturating_add(512).saturating_add(legs_bytes);
            cost.bytes = cost.bytes.saturating_add(text);
        }
        cost
    }

    /// The number of bytes of the texts of a hold that was found or that this
    /// request creates.
    fn texts_of(&self, hold: HoldId) -> usize {
        let mut found = self.resolved.texts.iter();
        if let Some((_, bytes)) = found.find(|(id, _)| *id == hold) {
            return *bytes;
        }
        let mut made = self
            .commands
            .iter()
            .filter(|prepared| prepared.id == hold.uuid());
        let made = made.find_map(|prepared| prepared.command.details());
        made.map_or(0, Details::text_bytes)
    }

    /// The number of legs of a transfer that was found or that this request
    /// creates; at least 1.
    fn legs_of(&self, transfer: TransferId) -> usize {
        let made = self
            .commands
            .iter()
            .filter(|prepared| prepared.id == transfer.uuid());
        let made = made.map(|prepared| match &prepared.command {
            Command::PostTransfer(command) => command.legs.len(),
            Command::Split(command) => command.shares.len(),
            Command::SystemTransfer(command) => command.legs.len(),
            _ => 1,
        });
        let found = self.resolved.legs_of(transfer);
        made.max().unwrap_or(0).max(found).max(1)
    }
}
