use thiserror::Error;

use crate::ledger::{
    AccountKey, CurrencyCode, HoldKey, LedgerId, RecordKey, Sequence, TransferKey, Version,
};
use crate::store::RowId;

/// A violation of an invariant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Violation {
    /// The balances of a ledger's currency do not add up to zero.
    #[error("the balances of {currency} in ledger {ledger} add up to {sum}")]
    NotZeroSum {
        /// The ledger.
        ledger: LedgerId,
        /// The currency.
        currency: CurrencyCode,
        /// The sum of the balances, modulo 2^128.
        sum: i128,
    },
    /// A running counter differs from the sum of the entries.
    #[error("account {account}: posted {stored:?} (debits, credits), entries say {entries:?}")]
    CountersDiffer {
        /// The account.
        account: AccountKey,
        /// Stored debits and credits.
        stored: (i128, i128),
        /// Debits and credits of the entries.
        entries: (i128, i128),
    },
    /// A pending counter differs from the sum of the open holds.
    #[error("account {account}: pending {stored:?} (debits, credits), open holds say {holds:?}")]
    PendingDiffers {
        /// The account.
        account: AccountKey,
        /// Stored debits and credits.
        stored: (i128, i128),
        /// Debits and credits of the open holds.
        holds: (i128, i128),
    },
    /// The available balance is below the floor, and no forced reversal explains
    /// it.
    #[error("account {account}: available {available} is below the floor {floor}")]
    BelowFloor {
        /// The account.
        account: AccountKey,
        /// The available balance.
        available: i128,
        /// The floor: the least allowed balance.
        floor: i128,
    },
    /// The balance plus all pending credits exceeds the maximum balance.
    #[error("account {account}: {expected} exceeds the ceiling {ceiling}")]
    AboveCeiling {
        /// The account.
        account: AccountKey,
        /// Posted balance and pending credits.
        expected: i128,
        /// The greatest allowed balance.
        ceiling: i128,
    },
    /// A closed account has a balance or a hold.
    #[error("account {account}: closed, but not empty")]
    ClosedNotEmpty {
        /// The account.
        account: AccountKey,
    },
    /// An account has another number of entries than its counter, or a number is
    /// missing or duplicate.
    #[error("account {account}: entry {found} stands where {expected} is due")]
    SequenceBroken {
        /// The account.
        account: AccountKey,
        /// The expected number.
        expected: Sequence,
        /// The number found; one beyond the last where no entry is left.
        found: Sequence,
    },
    /// An entry's version does not rise, or exceeds the account's version.
    #[error("account {account}: entry {sequence} has version {version} out of order")]
    VersionBroken {
        /// The account.
        account: AccountKey,
        /// The sequence of the entry.
        sequence: Sequence,
        /// The version of the entry.
        version: Version,
    },
    /// An entry's balance is not the sum of it and the earlier entries. Later
    /// entries with the same error are not reported again.
    #[error("account {account}: after entry {sequence} stands {found}, {expected} is right")]
    BalanceChainBroken {
        /// The account.
        account: AccountKey,
        /// The sequence of the entry.
        sequence: Sequence,
        /// The correct balance.
        expected: i128,
        /// The entry's balance.
        found: i128,
    },
    /// An entry is earlier than the previous one, or later than the account's
    /// latest time.
    #[error("account {account}: entry {sequence} is out of time")]
    TimeWentBack {
        /// The account.
        account: AccountKey,
        /// The sequence of the entry.
        sequence: Sequence,
    },
    /// The store itself reports some of an account's entries as damaged.
    #[error("account {account}: entries {first} to {last} cannot be read: {reason}")]
    EntriesUnreadable {
        /// The account.
        account: AccountKey,
        /// The sequence of the first damaged entry.
        first: Sequence,
        /// The sequence of the last damaged entry. After very many consecutive unreadable
        /// entries, the rest of the account is not read.
        last: Sequence,
        /// The store's error.
        reason: String,
    },
    /// The store itself reports a hold of the account as damaged.
    #[error("account {account}: its holds cannot be read to the end: {reason}")]
    HoldsUnreadable {
        /// The account.
        account: AccountKey,
        /// The store's error.
        reason: String,
    },
    /// The store itself reports a transfer as damaged.
    #[error("transfer {transfer}: cannot be read: {reason}")]
    TransferUnreadable {
        /// The transfer.
        transfer: TransferKey,
        /// The store's error.
        reason: String,
    },
    /// An entry names a transfer that does not exist.
    #[error("transfer {transfer}: has entries and does not exist")]
    TransferMissing {
        /// The transfer.
        transfer: TransferKey,
    },
    /// A leg does not have exactly its two entries, or they differ from it.
    #[error("transfer {transfer}: leg {leg} and its entries differ")]
    LegDiffers {
        /// The transfer.
        transfer: TransferKey,
        /// The index of the leg.
        leg: u16,
    },
    /// A transfer has entries beyond its legs.
    #[error("transfer {transfer}: {found} entries for {legs} legs")]
    StrayEntries {
        /// The transfer.
        transfer: TransferKey,
        /// The number of its legs.
        legs: usize,
        /// The number of its entries.
        found: usize,
    },
    /// The currency of a leg differs from the currency of an account.
    #[error("transfer {transfer}: leg {leg} moves a currency that account {account} does not hold")]
    CurrencyMixed {
        /// The transfer.
        transfer: TransferKey,
        /// The index of the leg.
        leg: u16,
        /// The account.
        account: AccountKey,
    },
    /// The stored reversed amount is not what reversals moved, or exceeds the leg.
    #[error(
        "transfer {transfer}: leg {leg} says {stored} reversed, reversals moved {moved} of {amount}"
    )]
    ReversalDiffers {
        /// The transfer.
        transfer: TransferKey,
        /// The index of the leg.
        leg: u16,
        /// The stored amount.
        stored: i128,
        /// The amount that reversals moved.
        moved: i128,
        /// The amount of the leg.
        amount: i128,
    },
    /// A reversal reverses a missing transfer, another reversal, or something else
    /// than its legs name.
    #[error("transfer {reversal}: does not undo what it names")]
    ReversalStray {
        /// The reversal.
        reversal: TransferKey,
    },
    /// A hold's amounts do not add up or contradict its status or captures.
    #[error("hold {hold}: {why}")]
    HoldDiffers {
        /// The hold.
        hold: HoldKey,
        /// The reason.
        why: &'static str,
    },
    /// An acknowledged outcome is no longer recorded.
    #[error("record {key}: acknowledged, but no longer recorded")]
    AcknowledgedLost {
        /// The key of the outcome.
        key: RecordKey,
    },
    /// An acknowledged outcome has changed.
    #[error("record {key}: acknowledged, but changed since")]
    AcknowledgedChanged {
        /// The key of the outcome.
        key: RecordKey,
    },
    /// An effect of an acknowledged outcome is not in the ledger.
    #[error("record {key}: acknowledged, but account {account} does not show it")]
    EffectMissing {
        /// The key of the outcome.
        key: RecordKey,
        /// The account of the effect.
        account: AccountKey,
    },
    /// An outbox row cannot be read.
    #[error("outbox row {row} cannot be read")]
    RowUnreadable {
        /// The row.
        row: RowId,
    },
    /// Outbox rows do not ascend.
    #[error("outbox row {row} stands behind {before}")]
    RowsOutOfOrder {
        /// The previous row.
        before: RowId,
        /// The row after it.
        row: RowId,
    },
    /// An account's events are not one per version in ascending order.
    #[error(
        "account {account}: the event of version {found} stands where that of {expected} is due"
    )]
    EventsBroken {
        /// The account.
        account: AccountKey,
        /// The expected version.
        expected: Version,
        /// The version found; one beyond the last where no event is left.
        found: Version,
    },
    /// An event differs from its entry.
    #[error("account {account}: the event of version {version} and its entry differ")]
    EventDiffers {
        /// The account.
        account: AccountKey,
        /// The version of the event.
        version: Version,
    },
}
