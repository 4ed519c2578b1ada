//! The kit by which an adapter proves itself (feature `testkit`).
