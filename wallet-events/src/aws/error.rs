use std::error::Error;

use thiserror::Error;
#[cfg(feature = "sqs")]
use wallet_core::messaging::{DeliveryError, Published};

/// The queue or topic keeps no order: the name of a FIFO one ends in `.fifo`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{name} is not FIFO: its name does not end in .fifo")]
pub struct NotFifo {
    name: String,
}

/// The name of a FIFO queue or topic; `None` for a standard one.
pub(super) fn fifo(name: impl Into<String>) -> Result<String, NotFifo> {
    let name = name.into();
    if is_fifo(&name) {
        Ok(name)
    } else {
        Err(NotFifo { name })
    }
}

/// Whether the URL or ARN names a FIFO queue or topic.
pub(super) fn is_fifo(name: &str) -> bool {
    name.strip_suffix(".fifo").is_some()
}

/// Why a call with several messages failed as a whole.
#[derive(Debug)]
pub(super) enum CallError {
    /// The service will never accept one of its messages as it is.
    Refused { reason: String },
    /// The result is unknown, or the call failed for a reason that is not in a message.
    Failed(DeliveryError),
}

/// The side that caused an error, by its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The message caused it: every attempt is refused.
    Message,
    /// The queue, the topic, their settings, this client or the network caused it.
    Elsewhere,
    /// A code that this release does not know.
    Unknown,
}

fn fault(code: &str) -> Fault {
    match bare(code) {
        "BatchRequestTooLong"
        | "InvalidMessageContents"
        | "InvalidParameter"
        | "InvalidParameterException"
        | "InvalidParameterValue"
        | "InvalidParameterValueException"
        | "MissingParameter"
        | "ParameterValueInvalid" => Fault::Message,
        "AccessDenied"
        | "AccessDeniedException"
        | "AuthorizationError"
        | "BatchEntryIdsNotDistinct"
        | "EmptyBatchRequest"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InternalError"
        | "InternalFailure"
        | "InvalidAddress"
        | "InvalidBatchEntryId"
        | "InvalidClientTokenId"
        | "InvalidSecurity"
        | "NonExistentQueue"
        | "NotFound"
        | "OverLimit"
        | "QueueDeletedRecently"
        | "QueueDoesNotExist"
        | "RequestExpired"
        | "RequestThrottled"
        | "ServiceUnavailable"
        | "Throttled"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyEntriesInBatchRequest"
        | "UnrecognizedClientException"
        | "UnsupportedOperation" => Fault::Elsewhere,
        // Errors of the key that encrypts the queue or topic.
        code if code.to_ascii_lowercase().starts_with("kms") => Fault::Elsewhere,
        _ => Fault::Unknown,
    }
}

/// A code without its protocol prefix: `AWS.SimpleQueueService.NonExistentQueue`,
/// `com.amazonaws.sqs#OverLimit`.
pub(super) fn bare(code: &str) -> &str {
    code.rsplit(['#', '.']).next().unwrap_or(code)
}

/// The result of an entry that the service lists as failed.
///
/// `sender_fault` means that sending the entry again does not help. The service also sets
/// it for a missing permission or key, which is not the message's fault.
pub(super) fn entry(sender_fault: bool, code: &str, text: Option<&str>) -> Published {
    let reason = reason(code, text);
    match fault(code) {
        Fault::Message | Fault::Unknown if sender_fault => Published::Refused { reason },
        Fault::Message | Fault::Unknown | Fault::Elsewhere => Published::Failed { reason },
    }
}

/// The error answer of a service to a whole call.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Answer<'a> {
    /// The error code; `None` without an answer, or with an answer in another format.
    pub(super) code: Option<&'a str>,
    pub(super) text: Option<&'a str>,
    /// The status of the HTTP response.
    pub(super) status: Option<u16>,
}

/// The status with which a proxy in front of a service refuses a request that is too
/// large. Such an answer has no code.
const TOO_LARGE: u16 = 413;

/// Why a call returned no result for each message.
pub(super) fn call(
    answer: Answer<'_>,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> CallError {
    let Some(code) = answer.code else {
        if answer.status == Some(TOO_LARGE) {
            let reason = "too large for the service to look at".to_owned();
            return CallError::Refused { reason };
        }
        return CallError::Failed(DeliveryError::new("no answer").with_source(source));
    };
    let reason = reason(code, answer.text);
    match fault(code) {
        Fault::Message => CallError::Refused { reason },
        Fault::Elsewhere | Fault::Unknown => {
            CallError::Failed(DeliveryError::new(reason).with_source(source))
        }
    }
}

/// Why a call to a queue failed.
#[cfg(feature = "sqs")]
pub(super) fn queue(
    doing: &str,
    code: Option<&str>,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> DeliveryError {
    let context = match code {
        Some(code) if is_stale(code) => {
            format!("{doing}: the message is no longer in the caller's hands ({code})")
        }
        Some(code) => format!("{doing}: {code}"),
        None => format!("{doing}: no answer"),
    };
    DeliveryError::new(context).with_source(source)
}

/// Whether a code means that a receipt is stale. FIFO queues answer an expired receipt
/// with an invalid parameter value.
#[cfg(feature = "sqs")]
fn is_stale(code: &str) -> bool {
    matches!(
        bare(code),
        "InvalidParameterValue" | "MessageNotInflight" | "ReceiptHandleIsInvalid"
    )
}

fn reason(code: &str, text: Option<&str>) -> String {
    let code = bare(code);
    text.map_or_else(|| code.to_owned(), |text| format!("{code}: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row: the code, whether an entry is refused by sender fault, whether a call is
    /// refused.
    const CODES: [(&str, bool, bool); 25] = [
        ("InvalidMessageContents", true, true),
        ("InvalidParameterValue", true, true),
        ("AWS.SimpleQueueService.BatchRequestTooLong", true, true),
        ("com.amazonaws.sqs#BatchRequestTooLong", true, true),
        ("MissingParameter", true, true),
        ("InvalidParameter", true, true),
        ("ParameterValueInvalid", true, true),
        ("SomethingNew", true, false),
        ("AWS.SimpleQueueService.NonExistentQueue", false, false),
        ("QueueDoesNotExist", false, false),
        ("AccessDenied", false, false),
        (
            "com.amazon.coral.service#ExpiredTokenException",
            false,
            false,
        ),
        ("ExpiredToken", false, false),
        ("InvalidClientTokenId", false, false),
        ("RequestExpired", false, false),
        ("UnrecognizedClientException", false, false),
        ("AuthorizationError", false, false),
        ("RequestThrottled", false, false),
        ("ThrottlingException", false, false),
        ("KmsThrottled", false, false),
        ("KMSDisabled", false, false),
        ("KMSAccessDenied", false, false),
        ("InternalError", false, false),
        ("NotFound", false, false),
        ("TooManyEntriesInBatchRequest", false, false),
    ];

    #[test]
    fn codes_show_what_is_refused_for_good() {
        for (code, as_entry, as_call) in CODES {
            let refused = matches!(entry(true, code, None), Published::Refused { .. });
            assert_eq!(refused, as_entry, "{code} as an entry");
            let answer = Answer {
                code: Some(code),
                ..Answer::default()
            };
            let refused = matches!(call(answer, "x"), CallError::Refused { .. });
            assert_eq!(refused, as_call, "{code} as a call");
            let failed = matches!(entry(false, code, None), Published::Failed { .. });
            assert!(failed, "{code} without the sender's fault");
        }
    }

    #[test]
    fn a_service_that_did_not_answer_refused_nothing() {
        let silent = Answer::default();
        assert!(matches!(call(silent, "x"), CallError::Failed(_)));
        let away = Answer {
            status: Some(503),
            ..silent
        };
        assert!(matches!(call(away, "x"), CallError::Failed(_)));
    }

    #[test]
    fn a_request_turned_away_for_its_size_is_refused_without_a_code() {
        let answer = Answer {
            status: Some(413),
            ..Answer::default()
        };
        assert!(matches!(call(answer, "x"), CallError::Refused { .. }));
    }

    #[test]
    fn reasons_name_the_code_and_what_was_said() {
        let text = reason("com.amazonaws.sqs#OverLimit", Some("too many"));
        assert_eq!(text, "OverLimit: too many");
        assert_eq!(reason("OverLimit", None), "OverLimit");
    }

    #[test]
    fn a_name_shows_whether_a_queue_is_fifo() {
        assert!(fifo("https://sqs.eu-central-1.amazonaws.com/1/events.fifo").is_ok());
        let error = fifo("events").unwrap_err();
        assert_eq!(
            error.to_string(),
            "events is not FIFO: its name does not end in .fifo"
        );
    }

    #[cfg(feature = "sqs")]
    #[test]
    fn a_stale_receipt_is_recognized_by_its_code() {
        for code in ["ReceiptHandleIsInvalid", "MessageNotInflight"] {
            assert!(is_stale(code), "{code}");
            assert!(
                is_stale(&format!("AWS.SimpleQueueService.{code}")),
                "{code}"
            );
        }
        assert!(!is_stale("AccessDenied"));
    }
}
