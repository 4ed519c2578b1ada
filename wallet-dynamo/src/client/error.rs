//! Classifies errors of DynamoDB by their codes, never by their texts.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum CallError {
    /// Too many requests. The same call may succeed later.
    Throttled(String),
    /// The credentials that signed the call have expired or are not known (yet). Nothing
    /// was done. The client's provider fetches new ones.
    Unauthenticated(String),
    /// Another call uses the same rows. The same call may succeed later.
    Contended(String),
    /// A condition does not hold. Nothing was done.
    ConditionFailed,
    /// The outcome is unknown.
    Unknown(String),
    /// A permanent error.
    Refused(String),
}

impl CallError {
    /// Whether the same call may succeed a little later.
    pub(crate) const fn is_passing(&self) -> bool {
        match self {
            Self::Throttled(_)
            | Self::Unauthenticated(_)
            | Self::Contended(_)
            | Self::Unknown(_) => true,
            Self::ConditionFailed | Self::Refused(_) => false,
        }
    }

    /// The error for a caller of a port. `unknown` is the kind of an unknown outcome.
    pub(crate) fn into_store_error(
        self,
        context: &'static str,
        unknown: StoreErrorKind,
    ) -> StoreError {
        let (kind, reason) = match self {
            Self::Throttled(reason) | Self::Unauthenticated(reason) => {
                (StoreErrorKind::Unavailable, reason)
            }
            Self::Contended(reason) => (StoreErrorKind::Conflict, reason),
            Self::ConditionFailed => {
                let reason = "a condition does not hold".to_owned();
                (StoreErrorKind::Conflict, reason)
            }
            Self::Unknown(reason) => (unknown, reason),
            Self::Refused(reason) => (StoreErrorKind::Internal, reason),
        };
        StoreError::new(kind, context).with_source(reason)
    }
}

/// Classifies a code. A call with an unknown code is not retried.
fn of_code(code: &str) -> fn(String) -> CallError {
    match code.rsplit(['#', '.']).next().unwrap_or(code) {
        "ProvisionedThroughputExceededException"
        | "ProvisionedThroughputExceeded"
        | "RequestLimitExceeded"
        | "LimitExceededException"
        | "Throttling"
        | "ThrottlingException"
        | "ThrottlingError" => CallError::Throttled,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "UnrecognizedClientException" => CallError::Unauthenticated,
        "TransactionConflictException"
        | "TransactionConflict"
        | "TransactionInProgressException"
        | "ReplicatedWriteConflictException"
        | "ReplicatedWriteConflict" => CallError::Contended,
        "ConditionalCheckFailedException" | "ConditionalCheckFailed" => {
            |_| CallError::ConditionFailed
        }
        "InternalServerError"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => CallError::Unknown,
        _ => CallError::Refused,
    }
}

/// Why a transaction was cancelled: the most serious reason of its rows.
pub(crate) fn cancelled<'a>(reasons: impl IntoIterator<Item = &'a str>) -> CallError {
    let mut gravest = None;
    let rank = |error: &CallError| match error {
        CallError::Refused(_) => 4,
        CallError::ConditionFailed => 3,
        CallError::Contended(_) => 2,
        _ => 1,
    };
    for code in reasons.into_iter().filter(|code| *code != "None") {
        let error = of_code(code)(code.to_owned());
        if gravest
            .as_ref()
            .is_none_or(|known| rank(known) < rank(&error))
        {
            gravest = Some(error);
        }
    }
    gravest.unwrap_or_else(|| CallError::Refused("cancelled without a reason".to_owned()))
}

/// Classifies an error of the SDK.
pub(crate) fn call_error<E, R>(error: &SdkError<E, R>) -> CallError
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ConstructionFailure(_) => {
            CallError::Refused("the request could not be made".to_owned())
        }
        SdkError::ServiceError(answer) => {
            let error = answer.err();
            let code = error.code().unwrap_or_default();
            let text = error.message().unwrap_or_default();
            of_code(code)(format!("{code}: {text}"))
        }
        SdkError::DispatchFailure(failure) => {
            let reason = "the service cannot be reached".to_owned();
            if failure.is_user() {
                CallError::Refused(reason)
            } else {
                CallError::Unknown(reason)
            }
        }
        SdkError::TimeoutError(_) => CallError::Unknown("no answer in time".to_owned()),
        _ => CallError::Unknown("an answer that cannot be read".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(error: &CallError) -> &'static str {
        match error {
            CallError::Throttled(_) => "throttled",
            CallError::Unauthenticated(_) => "unauthenticated",
            CallError::Contended(_) => "contended",
            CallError::ConditionFailed => "condition",
            CallError::Unknown(_) => "unknown",
            CallError::Refused(_) => "refused",
        }
    }

    #[test]
    fn codes_are_distinguished() {
        for (code, expected) in [
            ("ProvisionedThroughputExceededException", "throttled"),
            (
                "com.amazonaws.dynamodb.v20120810#ThrottlingException",
                "throttled",
            ),
            ("RequestLimitExceeded", "throttled"),
            ("ExpiredTokenException", "unauthenticated"),
            (
                "com.amazon.coral.service#ExpiredTokenException",
                "unauthenticated",
            ),
            ("ExpiredToken", "unauthenticated"),
            ("RequestExpired", "unauthenticated"),
            (
                "com.amazon.coral.service#UnrecognizedClientException",
                "unauthenticated",
            ),
            ("TransactionConflictException", "contended"),
            ("TransactionInProgressException", "contended"),
            ("ConditionalCheckFailedException", "condition"),
            ("InternalServerError", "unknown"),
            ("ValidationException", "refused"),
            ("ResourceNotFoundException", "refused"),
            ("AccessDeniedException", "refused"),
            ("MissingAuthenticationTokenException", "refused"),
            ("ItemCollectionSizeLimitExceededException", "refused"),
            ("SomethingNewException", "refused"),
            ("", "refused"),
        ] {
            assert_eq!(kind(&of_code(code)(String::new())), expected, "{code}");
        }
    }

    #[test]
    fn the_gravest_reason_of_a_cancelled_transaction_counts() {
        for (reasons, expected) in [
            (&["None", "ConditionalCheckFailed"][..], "condition"),
            (
                &["TransactionConflict", "ConditionalCheckFailed"],
                "condition",
            ),
            (&["TransactionConflict", "None"], "contended"),
            (&["ThrottlingError", "TransactionConflict"], "contended"),
            (&["ThrottlingError"], "throttled"),
            (&["ConditionalCheckFailed", "ValidationError"], "refused"),
            (&["None"], "refused"),
            (&[], "refused"),
        ] {
            assert_eq!(
                kind(&cancelled(reasons.iter().copied())),
                expected,
                "{reasons:?}"
            );
        }
    }

    #[test]
    fn what_passes_is_tried_again_and_nothing_else() {
        let reason = String::new;
        assert!(CallError::Throttled(reason()).is_passing());
        assert!(CallError::Unauthenticated(reason()).is_passing());
        assert!(CallError::Contended(reason()).is_passing());
        assert!(CallError::Unknown(reason()).is_passing());
        assert!(!CallError::ConditionFailed.is_passing());
        assert!(!CallError::Refused(reason()).is_passing());
    }
}
