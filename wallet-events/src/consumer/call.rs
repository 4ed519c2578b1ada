//! Calls a handler. A panic, or an answer that does not come, is a failed attempt. It is not
//! the end of the relay or of the consumer.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use wallet_core::messaging::DeliveryError;
use wallet_core::runtime::Clock;

/// Waits for a call of a handler. A panic is an error with the panic's text.
///
/// # Errors
/// The error of the call.
pub(super) async fn caught<T>(
    call: impl Future<Output = Result<T, DeliveryError>>,
) -> Result<T, DeliveryError> {
    // Nothing of this crate is half changed: the call has only shared references.
    let called = AssertUnwindSafe(call).catch_unwind().await;
    called.unwrap_or_else(|panic| Err(DeliveryError::new(words(panic.as_ref()))))
}

/// Waits for a call of a handler, at most for `wait`. Then the call is dropped.
///
/// # Errors
/// The error of the call, or that it took too long.
pub(super) async fn within<T>(
    clock: &dyn Clock,
    wait: Duration,
    call: impl Future<Output = Result<T, DeliveryError>>,
) -> Result<T, DeliveryError> {
    match select(pin!(caught(call)), clock.sleep(wait)).await {
        Either::Left((called, _)) => called,
        Either::Right(((), _)) => {
            let context = format!("the handler did not answer within {wait:?}");
            Err(DeliveryError::new(context))
        }
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    match text {
        Some(text) => format!("the handler panicked: {text}"),
        None => "the handler panicked".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    fn of(panic: impl Any + Send) -> String {
        let called = caught::<()>(async { panic_any(panic) });
        let error = called.now_or_never().unwrap().unwrap_err();
        error.to_string()
    }

    #[test]
    fn the_text_of_a_panic_is_in_the_error() {
        let text = "delivery failed: the handler panicked: out of paper";
        assert_eq!(of("out of paper"), text);
        assert_eq!(of("out of paper".to_owned()), text);
        assert_eq!(of(7), "delivery failed: the handler panicked");
    }
}
