use thiserror::Error;

/// The reason why a publisher, a queue or a handler did not do its work. The effect may or
/// may not have happened: try again.
///
/// ```
/// use wallet_core::messaging::DeliveryError;
/// let error = DeliveryError::new("SNS did not answer").with_source("timeout");
/// assert_eq!(error.to_string(), "delivery failed: SNS did not answer");
/// ```
#[derive(Debug, Error)]
#[error("delivery failed: {context}")]
pub struct DeliveryError {
    context: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl DeliveryError {
    /// An error with this description.
    #[must_use]
    pub fn new(context: impl Into<String>) -> Self {
        let (context, source) = (context.into(), None);
        Self { context, source }
    }

    /// The same error with its cause, such as the driver's error.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }
}
