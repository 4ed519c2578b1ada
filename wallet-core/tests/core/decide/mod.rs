//! The rules, decided without a store.

mod accounts;
mod batches;
mod cost;
mod holds;
mod precedence;
mod proportion;
mod rejections;
mod reversals;
mod system;
mod tables;
mod time;
mod totality;
mod transfers;
