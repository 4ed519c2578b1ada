use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing_subscriber::EnvFilter;

/// The format of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// Text, for a terminal.
    Text,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err("expected json or text".to_owned()),
        }
    }
}

/// Sends the log to standard error, as `RUST_LOG` filters it.
pub(crate) fn init(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // It would report its own errors on standard error, and panic if that fails.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    // An error means that the host has installed another subscriber.
    let _ = match format {
        LogFormat::Json => lines.json().with_span_list(false).try_init(),
        LogFormat::Text => lines.with_ansi(false).try_init(),
    };
}

/// An error with its source chain: `what failed: why: why`. A source is left out if its
/// text is already part of the error before it.
pub(crate) struct Chain<'e>(pub(crate) &'e (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = self.0.to_string();
        f.write_str(&last)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            let words = cause.to_string();
            if !last.contains(&words) {
                write!(f, ": {words}")?;
                last = words;
            }
            next = cause.source();
        }
        Ok(())
    }
}

/// Rate limit of a log line: lets one line through per interval, and counts the
/// suppressed ones.
#[derive(Debug)]
pub(crate) struct Seldom {
    every: Duration,
    state: Mutex<(Option<Instant>, u64)>,
}

impl Seldom {
    pub(crate) fn new(every: Duration) -> Self {
        let state = Mutex::default();
        Self { every, state }
    }

    /// The number of lines suppressed since the last one, if this line may be written.
    pub(crate) fn turn(&self) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, untold) = *state;
        let now = Instant::now();
        if last.is_some_and(|last| now.saturating_duration_since(last) < self.every) {
            *state = (last, untold.saturating_add(1));
            return None;
        }
        *state = (Some(now), 0);
        Some(untold)
    }
}

#[cfg(test)]
mod tests {
    use wallet_core::store::StoreErrorKind;
    use wallet_core::{StoreError, WalletError};

    use super::*;

    #[test]
    fn an_error_is_reported_with_all_that_caused_it() {
        let disk = std::io::Error::other("no space left on device");
        let inner = StoreError::new(StoreErrorKind::Unavailable, "writing a page");
        let inner = inner.with_source(disk);
        let outer = StoreError::new(StoreErrorKind::Internal, "committing").with_source(inner);
        let text = Chain(&outer).to_string();
        let expected = "Internal: committing: Unavailable: writing a page: no space left on device";
        assert_eq!(text, expected);

        let disk = std::io::Error::other("no space left on device");
        let error = StoreError::new(StoreErrorKind::Unavailable, "committing").with_source(disk);
        let text = Chain(&WalletError::from(error)).to_string();
        let expected = "the store failed: Unavailable: committing: no space left on device";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_is_kept_back_is_counted_and_reported_by_the_next_line() {
        let seldom = Seldom::new(Duration::from_secs(86_400));
        assert_eq!(seldom.turn(), Some(0));
        assert_eq!((seldom.turn(), seldom.turn()), (None, None));
        seldom.state.lock().unwrap().0 = None;
        assert_eq!(seldom.turn(), Some(2));
        assert_eq!(seldom.turn(), None);
    }
}
