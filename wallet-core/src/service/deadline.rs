//! The deadline of a call.

use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::future::{Either, FutureExt as _, select};

use super::{Shared, WalletError};
use crate::store::{StoreError, StoreErrorKind};

/// Ends the waiting of one call, over all its steps.
pub(super) struct Deadline<'c> {
    alarm: Pin<Box<dyn Future<Output = ()> + Send + 'c>>,
}

impl<'c> Deadline<'c> {
    /// A deadline that is `wait` from now; none without `wait`.
    pub(super) fn after(shared: &'c Shared, wait: Option<Duration>) -> Self {
        let alarm = match wait {
            Some(wait) => shared.clock.sleep(wait),
            None => Box::pin(pending()),
        };
        Self { alarm }
    }

    /// The result of `work`; `None` where the deadline passes first.
    pub(super) async fn bound<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        before(self.alarm.as_mut(), work).await
    }

    /// The deadline for several futures at once.
    pub(super) fn shared(self) -> impl Future<Output = ()> + Clone + Unpin + Send + 'c {
        self.alarm.shared()
    }
}

/// The result of `work`; `None` where `alarm` ends first.
pub(super) async fn before<T>(
    alarm: impl Future<Output = ()> + Unpin,
    work: impl Future<Output = T>,
) -> Option<T> {
    match select(pin!(work), alarm).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(((), _)) => None,
    }
}

/// Nothing was done before the deadline.
pub(super) fn late() -> WalletError {
    let context = "the deadline of the call passed before the store answered";
    StoreError::new(StoreErrorKind::Unavailable, context).into()
}
