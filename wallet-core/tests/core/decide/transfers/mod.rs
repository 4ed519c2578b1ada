//! The effects of transfers, deposits, withdrawals and splits on accounts.

mod greatest;
mod legs;
mod requests;
mod settlements;

use wallet_core::AccountId;

/// Account, version, sequence, posted balance of each effect.
fn steps(posted: &wallet_core::ledger::Posted) -> Vec<(AccountId, i64, i64, i128)> {
    let effects = posted.effects.iter();
    let steps = effects.map(|effect| {
        let sequence = effect.entry.map_or(0, |entry| entry.sequence);
        let balance = effect.counters.posted();
        (effect.account, effect.version, sequence, balance)
    });
    steps.collect()
}
