use thiserror::Error;

use crate::ledger::{
    AccountKey, CurrencyCode, HoldKey, LedgerId, RecordKey, Sequence, TransferKey, Version,
};
use crate::store::RowId;

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Violation {
    /// The balances of a ledger's currency do not add up to zero.
    #[error("the balances of {currency} in ledger {ledger} add up to {sum}")]
    NotZeroSum {
        /// Which ledger.
        ledger: LedgerId,
        /// Which currency.
        currency: CurrencyCode,
        /// Their sum, modulo 2^128.
        sum: i128,
    },
    /// A running sum differs from that of the entries.
    #[error("account {account}: posted {stored:?} (debits, credits), entries say {entries:?}")]
    CountersDiffer {
        /// Whose.
        account: AccountKey,
        /// Debits and credits as kept.
        stored: (i128, i128),
        /// Debits and credits of the entries.
        entries: (i128, i128),
    },
    /// A pending sum differs from that of the open holds.
    #[error("account {account}: pending {stored:?} (debits, credits), open holds say {holds:?}")]
    PendingDiffers {
        /// Whose.
        account: AccountKey,
        /// Debits and credits as kept.
        stored: (i128, i128),
        /// Debits and credits of the open holds.
        holds: (i128, i128),
    },
    /// The available balance is below the floor and no forced reversal
    /// explains it.
    #[error("account {account}: available {available} is below the floor {floor}")]
    BelowFloor {
        /// Whose.
        account: AccountKey,
        /// What is available.
        available: i128,
        /// The least that may be.
        floor: i128,
    },
    /// The balance with all that is pending exceeds the ceiling.
    #[error("account {account}: {expected} exceeds the ceiling {ceiling}")]
    AboveCeiling {
        /// Whose.
        account: AccountKey,
        /// Posted balance and pending credits.
        expected: i128,
        /// The most that may be.
        ceiling: i128,
    },
    /// A closed account has a balance or a hold.
    #[error("account {account}: closed, but not empty")]
    ClosedNotEmpty {
        /// Which.
        account: AccountKey,
    },
    /// An account has another number of entries than it says, or a number is
    /// missing or twice.
    #[error("account {account}: entry {found} stands where {expected} is due")]
    SequenceBroken {
        /// Whose.
        account: AccountKey,
        /// The number that is due.
        expected: Sequence,
        /// The number found; one beyond the last where none is left.
        found: Sequence,
    },
    /// An entry's version does not rise, or is beyond the account's.
    #[error("account {account}: entry {sequence} has version {version} out of order")]
    VersionBroken {
        /// Whose.
        account: AccountKey,
        /// Which entry.
        sequence: Sequence,
        /// Its version.
        version: Version,
    },
    /// An entry's balance is not what it and those before it add up to. Those
    /// behind it that are off by as much are not told again.
    #[error("account {account}: after entry {sequence} stands {found}, {expected} is right")]
    BalanceChainBroken {
        /// Whose.
        account: AccountKey,
        /// Which entry.
        sequence: Sequence,
        /// What is right.
        expected: i128,
        /// What it says.
        found: i128,
    },
    /// An entry is earlier than the one before, or later than the account's
    /// latest time.
    #[error("account {account}: entry {sequence} is out of time")]
    TimeWentBack {
        /// Whose.
        account: AccountKey,
        /// Which entry.
        sequence: Sequence,
    },
    /// The store itself calls some of an account's entries damaged.
    #[error("account {account}: entries {first} to {last} cannot be read: {reason}")]
    EntriesUnreadable {
        /// Whose.
        account: AccountKey,
        /// The first of them.
        first: Sequence,
        /// The last of them; where very many in a row cannot be read, the rest
        /// of the account is not tried.
        last: Sequence,
        /// What the store says.
        reason: String,
    },
    /// The store itself calls a hold of the account damaged.
    #[error("account {account}: its holds cannot be read to the end: {reason}")]
    HoldsUnreadable {
        /// Whose.
        account: AccountKey,
        /// What the store says.
        reason: String,
    },
    /// The store itself calls a transfer damaged.
    #[error("transfer {transfer}: cannot be read: {reason}")]
    TransferUnreadable {
        /// Which.
        transfer: TransferKey,
        /// What the store says.
        reason: String,
    },
    /// An entry names a transfer that does not exist.
    #[error("transfer {transfer}: has entries and does not exist")]
    TransferMissing {
        /// Which.
        transfer: TransferKey,
    },
    /// A leg has not exactly its two entries, or they differ from it.
    #[error("transfer {transfer}: leg {leg} and its entries differ")]
    LegDiffers {
        /// Which transfer.
        transfer: TransferKey,
        /// Which leg.
        leg: u16,
    },
    /// A transfer has entries beyond its legs.
    #[error("transfer {transfer}: {found} entries for {legs} legs")]
    StrayEntries {
        /// Which.
        transfer: TransferKey,
        /// Its legs.
        legs: usize,
        /// Its entries.
        found: usize,
    },
    /// A leg moves another currency than an account holds.
    #[error("transfer {transfer}: leg {leg} moves a currency that account {account} does not hold")]
    CurrencyMixed {
        /// Which transfer.
        transfer: TransferKey,
        /// Which leg.
        leg: u16,
        /// Which account.
        account: AccountKey,
    },
    /// What is said to be reversed is not what reversals moved, or too much.
    #[error(
        "transfer {transfer}: leg {leg} says {stored} reversed, reversals moved {moved} of {amount}"
    )]
    ReversalDiffers {
        /// Which transfer.
        transfer: TransferKey,
        /// Which leg.
        leg: u16,
        /// As kept.
        stored: i128,
        /// As moved.
        moved: i128,
        /// What the leg moved.
        amount: i128,
    },
    /// A reversal undoes what does not exist, a reversal, or something else
    /// than its legs say.
    #[error("transfer {reversal}: does not undo what it names")]
    ReversalStray {
        /// Which.
        reversal: TransferKey,
    },
    /// A hold's amounts do not add up or contradict its status or captures.
    #[error("hold {hold}: {why}")]
    HoldDiffers {
        /// Which.
        hold: HoldKey,
        /// What is wrong.
        why: &'static str,
    },
    /// An acknowledged outcome is recorded no more.
    #[error("record {key}: acknowledged, but no longer recorded")]
    AcknowledgedLost {
        /// Its key.
        key: RecordKey,
    },
    /// An acknowledged outcome reads differently now.
    #[error("record {key}: acknowledged, but changed since")]
    AcknowledgedChanged {
        /// Its key.
        key: RecordKey,
    },
    /// An effect of an acknowledged outcome is not in the books.
    #[error("record {key}: acknowledged, but account {account} does not show it")]
    EffectMissing {
        /// Its key.
        key: RecordKey,
        /// Whose effect.
        account: AccountKey,
    },
    /// An outbox row cannot be read.
    #[error("outbox row {row} cannot be read")]
    RowUnreadable {
        /// Which.
        row: RowId,
    },
    /// Outbox rows do not ascend.
    #[error("outbox row {row} stands behind {before}")]
    RowsOutOfOrder {
        /// The row before.
        before: RowId,
        /// The row behind it.
        row: RowId,
    },
    /// An account's events are not one per version in ascending order.
    #[error(
        "account {account}: the event of version {found} stands where that of {expected} is due"
    )]
    EventsBroken {
        /// Whose.
        account: AccountKey,
        /// The version that is due.
        expected: Version,
        /// The version found; one beyond the last where none is left.
        found: Version,
    },
    /// An event tells something else than the entry.
    #[error("account {account}: the event of version {version} and its entry differ")]
    EventDiffers {
        /// Whose.
        account: AccountKey,
        /// Which version.
        version: Version,
    },
}
