//! The guarantees of the service for any store, any callers and any clock.

mod bulk;
mod cache;
mod cache_race;
mod callers;
mod clock;
mod conflicts;
mod deadline;
mod ensure;
mod epochs;
mod errors;
mod failures;
mod fate;
mod foreign_locks;
mod history;
mod history_same;
mod isolation;
mod limits;
mod reads;
mod retention;
mod scope;
mod scripted;
mod settings;
mod shutdown;
mod sweep_lock;
mod sweeping;
mod world;
