use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::edge::{Bucket, Charge, LimitState, Quota, RateLimiter, Verdict};
use crate::ledger::{LimitName, LimitScope};
use crate::runtime::Clock;
use crate::store::StoreError;

/// A limit with its quota. Another quota counts from zero.
type Place = (LimitScope, LimitName, Quota);

/// Rate limits in the memory of this process. It is for tests, and for a host that
/// runs one process.
#[derive(Debug)]
pub struct MemoryLimiter {
    clock: Arc<dyn Clock>,
    buckets: Mutex<BTreeMap<Place, Bucket>>,
}

/// The number of buckets from which full buckets are removed.
const SWEEP_FROM: usize = 65_536;

impl MemoryLimiter {
    /// A limiter with every limit full.
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
            let stored = buckets.get_mut(&place(charge));
            let before = stored.as_deref().copied().unwrap_or_default();
            let bucket = before.at(&charge.quota, now);
            if let Some(stored) = stored.filter(|_| before.is_ahead(now)) {
                // This also runs where nothing is taken, so that a clock that has stepped
                // back counts from here.
                *stored = bucket;
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
