//! Checks the owner of the outbox.

use wallet_core::Timestamp;
use wallet_core::store::Lease;

use super::Oracle;

/// The latest granted lease.
#[derive(Debug)]
pub(super) struct Holder {
    lease: Lease,
    is_released: bool,
}

impl Oracle {
    /// Checks a lease that was granted at `now`, by the store's clock.
    pub(in super::super) fn lease_given(&self, lease: &Lease, now: Timestamp) {
        let mut state = self.state();
        let before = state.holder.replace(Holder {
            lease: lease.clone(),
            is_released: false,
        });
        drop(state);
        let Some(Holder {
            lease: before,
            is_released,
        }) = before
        else {
            return;
        };
        if before.owner != lease.owner && before.until > now && !is_released {
            self.find(format_args!("{lease:?} is given during {before:?}"));
        }
        if lease.token <= before.token {
            self.find(format_args!("{lease:?} does not come after {before:?}"));
        }
    }

    /// Checks a call under a lease at `now`.
    pub(in super::super) fn lease_used(&self, lease: &Lease, now: Timestamp) {
        let state = self.state();
        let holds = state.holder.as_ref().is_some_and(|holder| {
            let held = &holder.lease;
            held.token == lease.token && held.until > now && !holder.is_released
        });
        drop(state);
        if !holds {
            self.find(format_args!("{lease:?} is used at {now} and has ended"));
        }
    }

    pub(in super::super) fn lease_renewed(&self, lease: &Lease) {
        if let Some(holder) = &mut self.state().holder
            && holder.lease.token == lease.token
        {
            holder.lease.until = lease.until;
        }
    }

    pub(in super::super) fn lease_released(&self, lease: &Lease) {
        if let Some(holder) = &mut self.state().holder
            && holder.lease.token == lease.token
        {
            holder.is_released = true;
        }
    }
}
