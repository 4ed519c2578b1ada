//! Tests of the simulation: it passes with stores that are right, and finds every
//! planted bug.

mod ledger;
mod model_proof;
mod whole;
