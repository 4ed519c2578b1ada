use std::sync::Arc;

use crate::Kit;
use wallet_core::ledger::{AccountKey, Epoch, InLedger, Position, Version};
use wallet_core::messaging::{Inbox, InboxStep};
use wallet_core::store::StoreErrorKind;
use wallet_core::{AccountId, LedgerId};

/// The greatest number of retries of one step.
const BUSY_MAX: usize = 1_000;

/// The kit of an inbox.
pub(super) type InboxKit = Kit<dyn Inbox>;

impl Kit<dyn Inbox> {
    /// The inbox.
    #[must_use]
    pub fn inbox(&self) -> Arc<dyn Inbox> {
        self.port()
    }

    /// A consumer's version in the first epoch for one account.
    pub async fn position(&self, consumer: &str, account: AccountKey) -> Version {
        let position = self.place(consumer, account).await;
        assert_eq!(position.epoch, Epoch::FIRST);
        position.version
    }

    /// A consumer's position in one account.
    pub async fn place(&self, consumer: &str, account: AccountKey) -> Position {
        let positions = self.inbox().positions(consumer, &[account]).await;
        let positions = positions.expect("positions");
        assert_eq!(positions.len(), 1, "one answer per account");
        positions[0]
    }

    /// Whether a step within the first epoch was made.
    pub async fn step(
        &self,
        consumer: &str,
        account: AccountKey,
        from: Version,
        to: Version,
    ) -> bool {
        let (from, to) = (first(from), first(to));
        let step = InboxStep { account, from, to };
        advance(self.inbox().as_ref(), consumer, &step).await
    }
}

/// Makes a step, with retries after conflicts.
pub(super) async fn advance(inbox: &dyn Inbox, consumer: &str, step: &InboxStep) -> bool {
    for _ in 0..BUSY_MAX {
        match inbox.advance(consumer, step).await {
            Ok(moved) => return moved,
            Err(error) if error.kind() == StoreErrorKind::Conflict => {}
            Err(error) => panic!("the inbox failed: {error}"),
        }
        std::thread::yield_now();
    }
    panic!("the inbox was too busy {BUSY_MAX} times");
}

/// A position in the first epoch.
pub(super) const fn first(version: Version) -> Position {
    Position::new(Epoch::FIRST, version)
}

/// Positions in the first epoch.
pub(super) fn firsts<const N: usize>(versions: [Version; N]) -> Vec<Position> {
    versions.map(first).to_vec()
}

/// An account of the default ledger.
pub(super) fn account(number: u8) -> AccountKey {
    let mut bytes = [0x11; 16];
    bytes[15] = number;
    InLedger::new(LedgerId::default(), AccountId::from_bytes(bytes))
}
