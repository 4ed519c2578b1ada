//! Bookings: money is held first, and taken when the work is done.

use std::time::Duration;

use wallet::prelude::*;

use crate::error::Result;
use crate::market::Market;
use crate::orders::Payment;

const WEEK: Duration = Duration::from_secs(7 * 86_400);

impl Market {
    /// Holds the price of a booking for a week. The ledger records a refusal under the
    /// call's key and repeats it. A customer who tries again, with more money, makes another
    /// attempt, with a key of its own. Do so only if [`wants_another_key`](crate::error::Error::wants_another_key): after any
    /// other error the earlier attempt may still be carried out.
    pub(crate) async fn book(
        &self,
        booking: u32,
        attempt: u32,
        customer: AccountId,
        merchant: AccountId,
        price: Money,
    ) -> Result<HoldId> {
        let hold = PlaceHold::new(customer, merchant, price).with_expires_in(WEEK);
        let hold = hold.with_reference(&format!("booking-{booking}"))?;
        let key = format!("booking-{booking}-{attempt}");
        Ok(self.run_or_cancel(&key, hold).await?.id())
    }

    /// Takes a part of what is held. The rest stays held.
    pub(crate) async fn charge(&self, booking: u32, hold: HoldId, part: Money) -> Result<Payment> {
        let capture = Capture::new(hold).with_money(part);
        let capture = capture.with_description("a booking")?;
        let captured = self.run(&format!("charge-{booking}"), capture).await?;
        Ok(vec![captured.id()])
    }

    /// Gives back what is still held.
    pub(crate) async fn finish(&self, booking: u32, hold: HoldId) -> Result<()> {
        let key = format!("finish-{booking}");
        self.run(&key, Release::new(hold)).await.map(drop)
    }
}
