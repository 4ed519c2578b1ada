//! The JSON of events, as consumers receive it.

mod bad;
mod golden;
mod samples;
mod schemas;
