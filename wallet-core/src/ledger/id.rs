//! Identifiers: 128 bits for things that callers name, small integers for the rest.

use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// A UUID: version 7 where the service makes it, any version but 8 where the
        /// caller gives it. Version 8 is reserved for derived ids.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(Uuid);

        // Compares ids as numbers, which gives the order of the bytes. Sorting and
        // hashing ids takes much of a batch's time, and comparing bytes is slower.
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.0.as_u128().cmp(&other.0.as_u128())
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                let (high, low) = self.0.as_u64_pair();
                state.write_u64(high);
                state.write_u64(low);
            }
        }

        impl $name {
            /// The id with this value.
            #[must_use]
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The id from its 16 bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The value.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The 16 bytes, big-endian, as stores hold them.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Whether a caller may give this id: it is not nil, not max and not of
            /// version 8.
            #[must_use]
            pub fn is_caller_usable(self) -> bool {
                !self.0.is_nil() && !self.0.is_max() && self.0.get_version_num() != 8
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id! {
    /// Names an account within its ledger.
    AccountId
}
uuid_id! {
    /// Names a transfer within its ledger.
    TransferId
}
uuid_id! {
    /// Names a hold within its ledger.
    HoldId
}

/// One ledger (a tenant). Transfers never cross ledgers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerId(u32);

impl LedgerId {
    /// Ledger number `number`. Ledger 0 is the default one.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl std::fmt::Display for LedgerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An id together with its ledger. Stores use it as the primary key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InLedger<Id> {
    /// The ledger.
    pub ledger: LedgerId,
    /// The id within the ledger.
    pub id: Id,
}

impl<Id> InLedger<Id> {
    /// `id` in `ledger`.
    #[must_use]
    pub const fn new(ledger: LedgerId, id: Id) -> Self {
        Self { ledger, id }
    }
}

/// The id in the default ledger.
impl<Id> From<Id> for InLedger<Id> {
    fn from(id: Id) -> Self {
        Self::new(LedgerId::default(), id)
    }
}

impl<Id: std::fmt::Display> std::fmt::Display for InLedger<Id> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.ledger, self.id)
    }
}

/// An account's full key.
pub type AccountKey = InLedger<AccountId>;
/// A transfer's full key.
pub type TransferKey = InLedger<TransferId>;
/// A hold's full key.
pub type HoldKey = InLedger<HoldId>;

/// Counts an account's changes: 1 when the account is opened, one more per effect,
/// up to `i64::MAX`.
pub type Version = i64;
/// Counts an account's entries: the first entry has 1, and 0 means no entry yet.
/// The greatest value is `i64::MAX`.
pub type Sequence = i64;
