//! Histories that are built from events, over stores in memory, on a test clock.

mod events;
mod far;
mod live;
mod place;
mod restore_worlds;
mod restores;
