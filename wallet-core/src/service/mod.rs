//! The service that a host holds.
