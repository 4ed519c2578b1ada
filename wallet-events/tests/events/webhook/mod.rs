//! Webhooks to receivers on this machine. Queues and pauses use a test clock, so no test
//! waits for them.

mod answers;
mod receiver;
mod retries;
mod route;
mod signatures;
mod tls;
mod wallet;
