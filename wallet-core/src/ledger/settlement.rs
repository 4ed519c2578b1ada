//! Settlement accounts: named, sharded, with derived ids.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::ledger::{AccountId, Currency, LedgerId, Owner, SettlementName};

/// The prefixes of owners of the ledger's own accounts. No caller may open an
/// account for such an owner, in any letter case.
pub const RESERVED_OWNERS: &[&str] = &["settlement:", "system:", "wallet:"];

impl Owner {
    /// Whether the owner begins with one of [`RESERVED_OWNERS`].
    ///
    /// ```
    /// # use wallet_core::Owner;
    /// assert!(Owner::new("Settlement:bank")?.is_reserved());
    /// assert!(!Owner::new("settlement-team")?.is_reserved());
    /// # Ok::<(), wallet_core::ledger::TextError>(())
    /// ```
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        RESERVED_OWNERS.iter().any(|prefix| {
            let start = self.as_str().get(..prefix.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        })
    }
}

/// The number of shards of each settlement account, by name; 1 where no number is
/// set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettlementShards {
    by_name: BTreeMap<SettlementName, u16>,
}

impl SettlementShards {
    /// One shard for every name.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `count` shards (at least 1) for `name`.
    #[must_use]
    pub fn with(mut self, name: SettlementName, count: u16) -> Self {
        self.by_name.insert(name, count.max(1));
        self
    }

    /// The number of shards of `name`.
    #[must_use]
    pub fn count(&self, name: &SettlementName) -> u16 {
        self.by_name.get(name).copied().unwrap_or(1)
    }

    /// The shard of `name` that serves `customer`. It is always the same one.
    #[must_use]
    pub fn shard(&self, name: &SettlementName, customer: AccountId) -> u16 {
        let low = customer.uuid().as_u64_pair().1;
        // A multiplicative hash, so that version and variant bits do not decide.
        let mixed = low.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
        let shard = mixed.checked_rem(u64::from(self.count(name))).unwrap_or(0);
        u16::try_from(shard).unwrap_or(0)
    }
}

impl AccountId {
    /// The id that derives from the owner, the currency and a label of the host, such
    /// as `"savings"` or the empty text. Every process derives the same id. It is a
    /// version 5 UUID in the namespace `4f7c6a52-0d0b-4f0e-9d0a-6a5f3c1b7e21`, of the
    /// text `ledger\nowner\ncurrency\nlabel`.
    ///
    /// ```
    /// use wallet_core::{AccountId, Currency, LedgerId, Owner};
    /// let (ledger, eur) = (LedgerId::default(), Currency::iso("EUR")?);
    /// let savings = AccountId::derived(ledger, &Owner::new("ada")?, eur, "savings");
    /// assert_eq!(savings.to_string(), "9044190b-43c6-50cd-a37d-d1c8395e28bc");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn derived(ledger: LedgerId, owner: &Owner, currency: Currency, label: &str) -> Self {
        const NAMESPACE: Uuid = Uuid::from_u128(0x4f7c_6a52_0d0b_4f0e_9d0a_6a5f_3c1b_7e21);
        // Neither an owner nor a currency holds a line feed.
        let name = format!("{ledger}\n{owner}\n{}\n{label}", currency.code());
        Self::new(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }
}

/// The id of a settlement account. It is a version 8 UUID derived from ledger,
/// currency, name and shard, so every process derives the same id.
#[must_use]
pub fn settlement_account(
    ledger: LedgerId,
    currency: Currency,
    name: &SettlementName,
    shard: u16,
) -> AccountId {
    let mut hash = Sha256::new_with_prefix(b"wallet.settlement.1\0");
    hash.update(ledger.number().to_be_bytes());
    hash.update(currency.code().as_str());
    hash.update([0]);
    hash.update(name.as_str());
    hash.update([0]);
    hash.update(shard.to_be_bytes());
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(hash.finalize())
        .for_each(|(to, from)| *to = from);
    AccountId::new(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}
