use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::edge::{Bucket, Charge, LimitState, Quota, RateLimiter, Verdict};
use crate::ledger::{LimitName, LimitScope};
use crate::runtime::Clock;
use crate::store::StoreError;

/// A limit, and what it admits: another quota counts afresh.
type Place = (LimitScope, LimitName, Quota);

/// Limits of this process alone: for tests, and for a host that runs one
/// process.
#[derive(Debug)]
pub struct MemoryLimiter {
    clock: Arc<dyn Clock>,
    buckets: Mutex<BTreeMap<Place, Bucket>>,
}

/// From how many buckets on those that are full are looked for.
const SWEEP_FROM: usize = 65_536;

impl MemoryLimiter {
    /// Every limit is full.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            buckets: Mutex::default(),
        }
    }
}

#[async_trait]
impl RateLimiter for MemoryLimiter {
    async fn take(&self, scope: &LimitScope, charges: &[Charge]) -> Result<Verdict, StoreError> {
        Charge::validate(charges)?;
        let now = self.clock.now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= SWEEP_FROM {
            buckets.retain(|(_, _, quota), bucket| {
                let state = bucket.at(quota, now).state(quota, 0);
                !state.reset_after.is_zero()
            });
        }
        let place = |charge: &Charge| (scope.clone(), charge.limit.clone(), charge.quota);
        let mut held = Vec::with_capacity(charges.len());
        for charge in charges {
            let kept = buckets.get_mut(&place(charge));
            let before = kept.as_deref().copied().unwrap_or_default();
            let bucket = before.at(&charge.quota, now);
            if let Some(kept) = kept.filter(|_| before.is_ahead(now)) {
                // Also where nothing is taken: a clock that has stepped back
                // counts from here.
                *kept = bucket;
            }
            held.push(bucket);
        }
        let states = |held: &[Bucket]| -> Vec<LimitState> {
            let each = held.iter().zip(charges);
            each.map(|(bucket, charge)| bucket.state(&charge.quota, charge.cost))
                .collect()
        };
        let mut verdict = Verdict {
            limits: states(&held),
        };
        if !verdict.is_admitted() {
            return Ok(verdict);
        }
        for (bucket, charge) in held.iter_mut().zip(charges) {
            *bucket = bucket.take(&charge.quota, charge.cost);
            if charge.cost > 0 {
                buckets.insert(place(charge), *bucket);
            }
        }
        for (state, (bucket, charge)) in verdict.limits.iter_mut().zip(held.iter().zip(charges)) {
            *state = bucket.state(&charge.quota, 0);
        }
        Ok(verdict)
    }
}
