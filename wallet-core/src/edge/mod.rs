//! Ports for the edge of a host: rate limits ([`RateLimiter`], [`GuardedLimiter`]),
//! sessions ([`SessionStore`]) and secrets ([`SecretSource`]).

mod guarded_limiter;
mod quota;
mod rate_limiter;
mod secret_source;
mod session;
mod session_store;

pub use guarded_limiter::{Admission, GuardedLimiter, OnFailure};
pub use quota::{Bucket, Quota, QuotaError};
pub use rate_limiter::{Charge, LimitState, RateLimiter, Verdict};
pub use secret_source::{OsSecrets, SecretSource};
pub use session::{SessionId, SessionIdError};
pub use session_store::{Session, SessionError, SessionLife, SessionStore};
