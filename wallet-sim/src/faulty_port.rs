use std::fmt::Debug;
use std::sync::Arc;

use wallet_core::StoreError;
use wallet_core::runtime::Clock;
use wallet_core::store::StoreErrorKind;
use wallet_testkit::ManualClock;

use super::{Fault, FaultPlan, Port, Trace};

/// Injects the faults of one port, before or after the effect of a call.
#[derive(Debug, Clone)]
pub(super) struct FaultyPort {
    pub(super) port: Port,
    pub(super) plan: Arc<dyn FaultPlan>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) trace: Trace,
}

impl FaultyPort {
    /// Makes a call. `error` builds the error of an injected fault.
    pub(super) async fn call<T, E>(
        &self,
        name: &str,
        call: impl Future<Output = Result<T, E>> + Send,
        error: impl Fn(StoreErrorKind) -> E + Send,
    ) -> Result<T, E> {
        let fault = self.plan.on_call(self.port);
        if fault == Fault::None {
            return call.await;
        }
        let port = self.port;
        self.trace.note(format_args!("{port:?}: {name}, {fault:?}"));
        match fault {
            Fault::Refuse(kind) => return Err(error(kind)),
            Fault::Abandon => return Err(error(StoreErrorKind::Indeterminate)),
            Fault::Delay(delay) => self.clock.sleep(delay).await,
            Fault::None
            | Fault::DelayAnswer(_)
            | Fault::LoseAnswer
            | Fault::CommitLater(_)
            | Fault::ArriveLater(_) => {}
        }
        let answer = call.await?;
        match fault {
            Fault::DelayAnswer(delay) => self.clock.sleep(delay).await,
            Fault::LoseAnswer | Fault::CommitLater(_) | Fault::ArriveLater(_) => {
                return Err(error(StoreErrorKind::Indeterminate));
            }
            Fault::None | Fault::Delay(_) | Fault::Refuse(_) | Fault::Abandon => {}
        }
        Ok(answer)
    }
}

/// The store error of an injected fault.
pub(super) fn planned(kind: StoreErrorKind) -> StoreError {
    StoreError::new(kind, "a planned fault")
}
