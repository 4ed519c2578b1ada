//! Renews the lease.

use wallet_core::store::{Lease, OutboxError};

use super::state::Operation;
use super::{Answer, Lost, Session, Step};

impl Session<'_> {
    pub(super) fn renew(&mut self) {
        if !self.busy.begin(Operation::Renew) {
            return;
        }
        let renewal = self.renewals.saturating_add(1);
        let ttl = self.core.settings.lease;
        // The time counts from before the request, and the session ends early.
        let ends = ttl.saturating_mul(4).checked_div(5).unwrap_or_default();
        self.sleep(ends, Step::Ends(renewal));
        let (core, lease) = (self.core, self.lease.clone());
        self.push(async move { Step::Renewed(renewal, core.outbox.renew(&lease, ttl).await) });
    }

    pub(super) fn renewed(&mut self, renewal: u64, answer: Answer<Lease>) -> Result<(), Lost> {
        self.busy.end(Operation::Renew);
        let third = self.core.settings.lease.checked_div(3).unwrap_or_default();
        match answer {
            Ok(lease) => {
                self.lease = lease;
                self.renewals = renewal;
                self.sleep(third, Step::Renew);
            }
            Err(OutboxError::LeaseLost) => return Err(Lost),
            Err(error) => {
                self.core.store_failed(&error);
                if renewal == 1 {
                    // It is not known when this lease ends.
                    return Err(Lost);
                }
                let soon = third.checked_div(4).unwrap_or_default();
                self.sleep(soon, Step::Renew);
            }
        }
        Ok(())
    }
}
