//! Reads. Each module builds the query for one kind of row and decodes its answer.

mod accounts;
mod currencies;
mod entries;
mod holds;
mod journal;
mod numbers;
mod open;
mod pending_sums;
mod resolve;
mod snapshot;
mod transfers;
mod trial_balance;

pub(crate) use accounts::{
    Locking, Reading, ask_accounts, ask_ledgers, ask_list as ask_account_list, decode_accounts,
    decode_ledgers,
};
pub(crate) use entries::{Bound, ask_page, count, decode_entries};
pub(crate) use holds::{
    ask_expired, ask_holds, ask_list as ask_hold_list, ask_referenced, decode_expired,
    decode_holds, decode_list as decode_hold_list,
};
pub(crate) use journal::{ask_keys_locked, ask_records, decode_records, outcome};
pub(crate) use numbers::Numbers;
pub(crate) use open::open_requests;
pub(crate) use pending_sums::pending_sums;
pub(crate) use resolve::{Resolved, resolve};
pub(crate) use snapshot::Plan;
pub(crate) use transfers::{
    ask_captures, ask_list as ask_transfer_list, ask_transfers, decode_transfers,
};
pub(crate) use trial_balance::trial_balance;
