//! Maps rows to items.

use aws_sdk_dynamodb::types::AttributeValue;
use wallet_core::history::{HistoryHead, HistoryLine, HistoryRow, LinePosition};
use wallet_core::ledger::{Direction, Epoch, InLedger, Restore, TransferKind};
use wallet_core::store::StoreErrorKind;
use wallet_core::{
    AccountId, Amount, Currency, Entry, LedgerId, Reference, StoreError, Timestamp, TransferId,
};

use crate::keys::Item;
use crate::keys::{self, PARTITION, REFERENCE, REFERENCE_SORT, TRANSFER, TRANSFER_SORT};

/// The sequence of an entry in its account. For a head: the sequence of the last entry.
pub(crate) const SEQUENCE: &str = "sequence";

/// The epoch in which an entry was written; absent for the first epoch. For a head: the
/// epoch of its history.
pub(crate) const EPOCH: &str = "epoch";

/// The epoch in which a row's writer knew that the books hold the entry. Absent for the
/// first epoch.
const KNOWN_IN: &str = "known_in";

/// For a head: the epoch and time of each restore in its history.
const RESTORES: &str = "restores";

/// The contents of an account's head.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    pub(crate) head: HistoryHead,
    /// All restores in the account's history.
    pub(crate) restores: Vec<Restore>,
}

/// Encodes a row as an item.
pub(crate) fn item(row: &HistoryRow, stripes: u8) -> Item {
    let (line, entry) = (&row.line, &row.line.entry);
    let stripe = keys::stripe(entry.sequence, stripes);
    let mut item = key(row, stripe);
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set(SEQUENCE, number(entry.sequence));
    if entry.epoch > Epoch::FIRST {
        set(EPOCH, number(entry.epoch.as_i64()));
    }
    if row.known_in > Epoch::FIRST {
        set(KNOWN_IN, number(row.known_in.as_i64()));
    }
    set("version", number(entry.version));
    set("at", number(entry.created_at.as_micros()));
    set("direction", text(entry.direction.name()));
    set("amount", number(entry.amount.minor()));
    // Stored as text, because numbers have 38 digits here.
    set("balance", text(&entry.balance_after.to_string()));
    set("transfer", keys::bytes(*entry.transfer.as_bytes()));
    set("leg", number(entry.leg));
    set("currency", text(line.currency.code().as_str()));
    set("exponent", number(line.currency.exponent()));
    set("kind", text(line.kind.name()));
    set("code", number(line.code));
    if let Some(previous_at) = row.previous_at {
        set("previous_at", number(previous_at.as_micros()));
    }
    let position = LinePosition::of(row);
    let transfer = InLedger::new(entry.account.ledger, entry.transfer);
    set(TRANSFER, keys::transfer(transfer));
    set(TRANSFER_SORT, keys::leg(position.leg, position.side));
    if let Some(reference) = &line.reference {
        set("reference", text(reference.as_str()));
        set(REFERENCE, keys::reference(entry.account.ledger, reference));
        set(REFERENCE_SORT, keys::bytes(keys::line(&position)));
    }
    item
}

/// The key of a row in a stripe.
pub(crate) fn key(row: &HistoryRow, stripe: u8) -> Item {
    let entry = &row.line.entry;
    let place = (entry.created_at, entry.sequence);
    keys::row(entry.account, stripe, place, row.known_in)
}

/// The head item, which records how far an account's history has come.
pub(crate) fn head_item(
    of: wallet_core::ledger::AccountKey,
    head: HistoryHead,
    restores: &[Restore],
) -> Item {
    let mut item = keys::head(of);
    item.insert(SEQUENCE.to_owned(), number(head.sequence));
    item.insert(EPOCH.to_owned(), number(head.epoch.as_i64()));
    if let Some(at) = head.at {
        item.insert("at".to_owned(), number(at.as_micros()));
    }
    let numbers = |one: &Restore| [one.epoch.as_i64(), one.restored_to.as_micros()];
    let numbers: Vec<_> = restores.iter().flat_map(numbers).map(number).collect();
    if !numbers.is_empty() {
        item.insert(RESTORES.to_owned(), AttributeValue::L(numbers));
    }
    item
}

pub(crate) fn head_of(item: &Item) -> Result<Head, StoreError> {
    let head = HistoryHead {
        epoch: epoch_of(item, EPOCH).ok_or_else(corrupt)?,
        sequence: read(item, SEQUENCE)?,
        at: find(item, "at").map(Timestamp::from_micros),
    };
    let restores = restores_of(item).ok_or_else(corrupt)?;
    Ok(Head { head, restores })
}

fn restores_of(item: &Item) -> Option<Vec<Restore>> {
    let Some(numbers) = item.get(RESTORES) else {
        return Some(Vec::new());
    };
    let pair = |pair: &[AttributeValue]| {
        let [epoch, restored_to] = pair else {
            return None;
        };
        Some(Restore {
            epoch: Epoch::new(epoch.as_n().ok()?.parse().ok()?)?,
            restored_to: Timestamp::from_micros(restored_to.as_n().ok()?.parse().ok()?),
        })
    };
    numbers.as_l().ok()?.chunks(2).map(pair).collect()
}

/// Decodes an item as a row.
pub(crate) fn row_of(item: &Item) -> Result<HistoryRow, StoreError> {
    parse(item).ok_or_else(corrupt)
}

fn parse(item: &Item) -> Option<HistoryRow> {
    let key = item.get(PARTITION)?.as_b().ok()?.as_ref();
    let (ledger, rest) = key.get(1..)?.split_first_chunk()?;
    let (account, _) = rest.split_first_chunk()?;
    let ledger = LedgerId::new(u32::from_be_bytes(*ledger));
    let transfer = item.get("transfer")?.as_b().ok()?.as_ref();
    let word = |name: &str| item.get(name)?.as_s().ok();
    let entry = Entry {
        account: InLedger::new(ledger, AccountId::from_bytes(*account)),
        sequence: find(item, SEQUENCE)?,
        epoch: epoch_of(item, EPOCH)?,
        version: find(item, "version")?,
        direction: Direction::of_name(word("direction")?)?,
        amount: Amount::new(find(item, "amount")?).ok()?,
        balance_after: word("balance")?.parse().ok()?,
        transfer: TransferId::from_bytes(transfer.try_into().ok()?),
        leg: find(item, "leg")?,
        created_at: Timestamp::from_micros(find(item, "at")?),
    };
    let reference = word("reference").map(|text| Reference::new(text).ok());
    let line = HistoryLine {
        entry,
        currency: Currency::new(word("currency")?, find(item, "exponent")?).ok()?,
        kind: TransferKind::of_name(word("kind")?)?,
        code: find(item, "code")?,
        reference: match reference {
            None => None,
            Some(reference) => Some(reference?),
        },
    };
    let previous_at = find(item, "previous_at").map(Timestamp::from_micros);
    Some(HistoryRow {
        line,
        previous_at,
        known_in: epoch_of(item, KNOWN_IN)?,
    })
}

/// Reads an epoch of a row. The first epoch is not stored.
fn epoch_of(item: &Item, name: &str) -> Option<Epoch> {
    match item.get(name) {
        None => Some(Epoch::FIRST),
        Some(_) => Epoch::new(find(item, name)?),
    }
}

fn find<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn read<T: std::str::FromStr>(item: &Item, name: &str) -> Result<T, StoreError> {
    find(item, name).ok_or_else(corrupt)
}

fn corrupt() -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "a row of history cannot be read")
}

fn number(number: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(number.into().to_string())
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
