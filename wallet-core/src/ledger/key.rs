//! Idempotency keys and fingerprints.

use sha2::{Digest, Sha256};

use crate::ledger::{HoldId, KeyScope, KeyText, LedgerId, TextError};

/// A caller's idempotency key: its scope and its text. The key of an item of a
/// [`BulkRequest`](crate::request::BulkRequest) also has the item's index.
///
/// ```
/// use wallet_core::IdempotencyKey;
/// use wallet_core::ledger::{KeyScope, KeyText};
/// let key = IdempotencyKey::new(KeyScope::new("shop")?, KeyText::new("order-7")?);
/// assert_ne!(key.item(0), key.item(1));
/// # Ok::<(), wallet_core::ledger::TextError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    scope: KeyScope,
    text: KeyText,
    item: Option<u32>,
}

impl IdempotencyKey {
    /// The key `text` of `scope`.
    #[must_use]
    pub const fn new(scope: KeyScope, text: KeyText) -> Self {
        Self {
            scope,
            text,
            item: None,
        }
    }

    /// Builds the key from unchecked texts.
    ///
    /// # Errors
    /// [`TextError`] when a text breaks the rules of its type.
    pub fn parse(scope: &str, text: &str) -> Result<Self, TextError> {
        Ok(Self::new(KeyScope::new(scope)?, KeyText::new(text)?))
    }

    /// The key of item `index` of a [`BulkRequest`](crate::request::BulkRequest)
    /// under this key. A caller uses it to look up the item's outcome. A
    /// [`Request`](crate::request::Request) cannot use it.
    #[must_use]
    pub fn item(&self, index: u32) -> Self {
        Self {
            item: Some(index),
            ..self.clone()
        }
    }

    /// Whether the key names an item of a bulk request.
    #[must_use]
    pub const fn is_item(&self) -> bool {
        self.item.is_some()
    }

    /// The index of the item of a bulk request that the key names; `None` for every
    /// other key.
    #[must_use]
    pub const fn item_index(&self) -> Option<u32> {
        self.item
    }

    /// The scope, which names the owner of the key.
    #[must_use]
    pub const fn scope(&self) -> &KeyScope {
        &self.scope
    }

    /// The caller's text.
    #[must_use]
    pub const fn text(&self) -> &KeyText {
        &self.text
    }

    /// The key under which stores record the outcome.
    #[must_use]
    pub fn record_key(&self, ledger: LedgerId) -> RecordKey {
        let mut hash = Sha256::new_with_prefix(b"wallet.key.1\0");
        hash.update(self.scope.as_str());
        hash.update([0]);
        hash.update(self.text.as_str());
        let key = RecordKey::from_digest(ledger, &hash.finalize());
        self.item.map_or(key, |index| key.item(index))
    }
}

impl std::fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.scope, self.text)?;
        self.item.map_or(Ok(()), |item| write!(f, "[{item}]"))
    }
}

/// The key under which a store records an outcome: the ledger and the first 16
/// bytes of the SHA-256 of scope and text. The key of an item of a bulk request
/// derives from the key of the bulk request.
///
/// Sixteen bytes make rows narrow. Finding two texts with one hash takes 2^64
/// tries, and the attacker only collides with a key of their own scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// The ledger.
    pub ledger: LedgerId,
    /// The hash.
    pub hash: [u8; 16],
}

impl RecordKey {
    /// The key under which the sweep expires `hold`. No caller's key is equal to
    /// it.
    #[must_use]
    pub fn of_expiry(ledger: LedgerId, hold: HoldId) -> Self {
        let mut hash = Sha256::new_with_prefix(b"wallet.expiry.1\0");
        hash.update(hold.as_bytes());
        Self::from_digest(ledger, &hash.finalize())
    }

    /// The key of item `index` of the bulk request with this key.
    #[must_use]
    pub fn item(self, index: u32) -> Self {
        let mut hash = Sha256::new_with_prefix(b"wallet.item.1\0");
        hash.update(self.hash);
        hash.update(index.to_be_bytes());
        Self::from_digest(self.ledger, &hash.finalize())
    }

    fn from_digest(ledger: LedgerId, digest: &[u8]) -> Self {
        let mut hash = [0; 16];
        hash.iter_mut()
            .zip(digest)
            .for_each(|(to, from)| *to = *from);
        Self { ledger, hash }
    }
}

impl std::fmt::Display for RecordKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/", self.ledger)?;
        self.hash
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// SHA-256 over the canonical form of what a caller sent: 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Builds a fingerprint from its bytes, as stores hold them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The fingerprint's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The fingerprint of a canonical form.
    pub(crate) fn of(canonical: &[u8]) -> Self {
        Self(Sha256::digest(canonical).into())
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
