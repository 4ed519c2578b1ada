//! Stores with planted bugs.
