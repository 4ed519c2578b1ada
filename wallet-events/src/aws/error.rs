use std::error::Error;

use thiserror::Error;
#[cfg(feature = "sqs")]
use wallet_core::messaging::QueueError;
use wallet_core::messaging::{PublishError, Published};

/// A queue or topic that keeps no order: the name of a FIFO one ends in `.fifo`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{name} is not FIFO: its name does not end in .fifo")]
pub struct NotFifo {
    name: String,
}

/// The name of a queue or topic, if it is FIFO.
pub(super) fn fifo(name: impl Into<String>) -> Result<String, NotFifo> {
    let name = name.into();
    if is_fifo(&name) {
        Ok(name)
    } else {
        Err(NotFifo { name })
    }
}

/// Whether a queue or topic keeps order, by its URL or ARN.
pub(super) fn is_fifo(name: &str) -> bool {
    name.strip_suffix(".fifo").is_some()
}

/// Why a call with several messages came to nothing.
#[derive(Debug)]
pub(super) enum CallError {
    /// One of its messages never will be published as it is.
    Refused { reason: String },
    /// Its fate is unknown, or it was not accepted for what no message can help.
    Failed(PublishError),
}

/// Whose fault an error is, by its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The message's own: it is refused at every attempt.
    Message,
    /// The queue's or topic's, its settings', ours or nobody's.
    Elsewhere,
    /// A code that is not known here.
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
        // Of the key that the queue or topic is encrypted with.
        code if code.to_ascii_lowercase().starts_with("kms") => Fault::Elsewhere,
        _ => Fault::Unknown,
    }
}

/// A code without what protocols put before it:
/// `AWS.SimpleQueueService.NonExistentQueue`, `com.amazonaws.sqs#OverLimit`.
pub(super) fn bare(code: &str) -> &str {
    code.rsplit(['#', '.']).next().unwrap_or(code)
}

/// What became of an entry of a call that the service names as failed.
///
/// `sender_fault` is the service's word that sending it again does not help; a
/// missing permission or key counts as the sender's, and is no fault of the
/// message's.
pub(super) fn entry(sender_fault: bool, code: &str, text: Option<&str>) -> Published {
    let reason = reason(code, text);
    match fault(code) {
        Fault::Message | Fault::Unknown if sender_fault => Published::Refused { reason },
        Fault::Message | Fault::Unknown | Fault::Elsewhere => Published::Failed { reason },
    }
}

/// What a service said of a whole call that it did not carry out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Answer<'a> {
    /// None where it did not answer, or not in words of its own.
    pub(super) code: Option<&'a str>,
    pub(super) text: Option<&'a str>,
    /// The status of the HTTP response.
    pub(super) status: Option<u16>,
}

/// The status by which whatever stands before a service turns away a request
/// that is too large for it to look at: without a code.
const TOO_LARGE: u16 = 413;

/// Why a whole call was not answered with what became of its messages.
pub(super) fn call(
    answer: Answer<'_>,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> CallError {
    let Some(code) = answer.code else {
        if answer.status == Some(TOO_LARGE) {
            let reason = "too large for the service to look at".to_owned();
            return CallError::Refused { reason };
        }
        return CallError::Failed(PublishError::new("no answer").with_source(source));
    };
    let reason = reason(code, answer.text);
    match fault(code) {
        Fault::Message => CallError::Refused { reason },
        Fault::Elsewhere | Fault::Unknown => {
            CallError::Failed(PublishError::new(reason).with_source(source))
        }
    }
}

/// Why a call to a queue failed.
#[cfg(feature = "sqs")]
pub(super) fn queue(
    doing: &str,
    code: Option<&str>,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> QueueError {
    let context = match code {
        Some(code) if is_stale(code) => {
            format!("{doing}: the message is no longer in the caller's hands ({code})")
        }
        Some(code) => format!("{doing}: {code}"),
        None => format!("{doing}: no answer"),
    };
    QueueError::new(context).with_source(source)
}

/// Whether a code means that a receipt no longer holds a message. FIFO queues
/// say of an expired one that the parameter's value is invalid.
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

    /// Code, refused as an entry by the sender's fault, refused as a call.
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
    fn codes_tell_what_is_refused_for_good() {
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
        let told = reason("com.amazonaws.sqs#OverLimit", Some("too many"));
        assert_eq!(told, "OverLimit: too many");
        assert_eq!(reason("OverLimit", None), "OverLimit");
    }

    #[test]
    fn a_name_tells_whether_a_queue_is_fifo() {
        assert!(fifo("https://sqs.eu-central-1.amazonaws.com/1/events.fifo").is_ok());
        let error = fifo("events").unwrap_err();
        assert_eq!(
            error.to_string(),
            "events is not FIFO: its name does not end in .fifo"
        );
    }

    #[cfg(feature = "sqs")]
    #[test]
    fn a_stale_receipt_is_told_by_its_code() {
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
