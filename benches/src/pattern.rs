//! Who pays whom: accounts are numbered from 1, the bank is 0.

use std::sync::Arc;

use clap::ValueEnum;
use fastrand::Rng;
use serde::Serialize;

/// The number of the settlement account that deposits come from.
pub(crate) const BANK: u32 = 0;
/// The busy account of the pattern `hot`.
const HOT: u32 = 1;
/// The largest amount of a transfer, in cents.
const CENTS_MAX: u32 = 100;
/// The exponent of the pattern `zipf`.
const SKEW: f64 = 0.99;

/// How payers and payees are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pattern {
    /// Any two accounts, all equally often.
    Uniform,
    /// Both ends skewed: a few accounts take part in most transfers.
    Zipf,
    /// One account is an end of every transfer, payer or payee.
    Hot,
    /// Every transfer is a deposit from the bank to any account.
    Deposits,
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Uniform => "uniform",
            Self::Zipf => "zipf",
            Self::Hot => "hot",
            Self::Deposits => "deposits",
        })
    }
}

/// A transfer to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    /// Debited.
    pub(crate) from: u32,
    /// Credited; never the same.
    pub(crate) to: u32,
    /// How much.
    pub(crate) cents: u32,
}

/// Draws orders; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Picker {
    pattern: Pattern,
    accounts: u32,
    zipf: Arc<Zipf>,
}

impl Picker {
    /// Draws among `accounts` accounts, at least 2.
    pub(crate) fn new(pattern: Pattern, accounts: u32) -> Self {
        let zipf = match pattern {
            Pattern::Zipf => Zipf::new(accounts),
            Pattern::Uniform | Pattern::Hot | Pattern::Deposits => Zipf::default(),
        };
        Self {
            pattern,
            accounts,
            zipf: Arc::new(zipf),
        }
    }

    /// The next transfer.
    pub(crate) fn draw(&self, rng: &mut Rng) -> Order {
        let (from, to) = match self.pattern {
            Pattern::Uniform => two(|| rng.u32(1..=self.accounts)),
            Pattern::Zipf => two(|| self.zipf.draw(rng)),
            Pattern::Hot => {
                let other = rng.u32(HOT.saturating_add(1)..=self.accounts.max(2));
                if rng.bool() {
                    (HOT, other)
                } else {
                    (other, HOT)
                }
            }
            Pattern::Deposits => (BANK, rng.u32(1..=self.accounts)),
        };
        let cents = rng.u32(1..=CENTS_MAX);
        Order { from, to, cents }
    }
}

/// Two different draws.
fn two(mut draw: impl FnMut() -> u32) -> (u32, u32) {
    let first = draw();
    loop {
        let second = draw();
        if second != first {
            return (first, second);
        }
    }
}

/// Draws by Zipf's law: the account of rank `r` with a weight of `r^-s`. Ranks
/// are scattered over the accounts, so that busy ones are no neighbours.
#[derive(Debug, Default)]
struct Zipf {
    /// The sums of the weights up to each rank.
    sums: Vec<u64>,
    accounts: Vec<u32>,
}

impl Zipf {
    #[expect(
        clippy::float_arithmetic,
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "weights are computed once, before anything is measured, and lie below 2^40"
    )]
    fn new(accounts: u32) -> Self {
        let scale = 2_f64.powi(40);
        let mut sum = 0_u64;
        let sums = (1..=accounts).map(|rank| {
            let weight = scale * f64::from(rank).powf(-SKEW);
            sum = sum.saturating_add((weight as u64).max(1));
            sum
        });
        let sums = sums.collect();
        let mut accounts: Vec<u32> = (1..=accounts).collect();
        // The same in every run, for the wallet and the baseline alike.
        Rng::with_seed(7).shuffle(&mut accounts);
        Self { sums, accounts }
    }

    fn draw(&self, rng: &mut Rng) -> u32 {
        let total = self.sums.last().copied().unwrap_or(1);
        let point = rng.u64(..total);
        let rank = self.sums.partition_point(|sum| *sum <= point);
        self.accounts.get(rank).copied().unwrap_or(1)
    }
}

/// A random idempotency key: 32 characters.
pub(crate) fn key(rng: &mut Rng) -> String {
    format!("{:032x}", rng.u128(..))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Pattern; 4] = [
        Pattern::Uniform,
        Pattern::Zipf,
        Pattern::Hot,
        Pattern::Deposits,
    ];

    fn orders(pattern: Pattern, accounts: u32) -> Vec<Order> {
        let picker = Picker::new(pattern, accounts);
        let mut rng = Rng::with_seed(1);
        (0..20_000).map(|_| picker.draw(&mut rng)).collect()
    }

    #[test]
    fn every_pattern_stays_in_range_and_never_pays_itself() {
        for pattern in ALL {
            for accounts in [2, 3, 1_000] {
                for order in orders(pattern, accounts) {
                    assert_ne!(order.from, order.to, "{pattern} of {accounts}");
                    assert!(order.from <= accounts, "{pattern}: {order:?}");
                    assert!((1..=accounts).contains(&order.to), "{pattern}: {order:?}");
                    assert!((1..=CENTS_MAX).contains(&order.cents), "{order:?}");
                    let from_bank = order.from == BANK;
                    assert_eq!(from_bank, pattern == Pattern::Deposits, "{order:?}");
                }
            }
        }
    }

    #[test]
    fn the_hot_account_is_in_every_transfer_on_either_side() {
        let orders = orders(Pattern::Hot, 1_000);
        let pays = orders.iter().filter(|order| order.from == HOT).count();
        let is_paid = orders.iter().filter(|order| order.to == HOT).count();
        assert_eq!(pays + is_paid, orders.len());
        assert!((9_000..=11_000).contains(&pays), "{pays}");
    }

    #[test]
    fn uniform_reaches_all_and_zipf_prefers_few() {
        let busiest = |pattern| {
            let mut times = vec![0_u32; 101];
            for order in orders(pattern, 100) {
                times[usize::try_from(order.to).unwrap()] += 1;
            }
            assert!(times[1..].iter().all(|times| *times > 0), "{pattern}");
            times.into_iter().max().unwrap()
        };
        // The expectation is 200 of 20,000; Zipf's first rank has about 3,800.
        assert!(busiest(Pattern::Uniform) < 300);
        assert!(busiest(Pattern::Zipf) > 2_500);
    }

    #[test]
    fn keys_have_32_characters_and_differ() {
        let mut rng = Rng::with_seed(1);
        let mut keys: Vec<String> = (0..1_000).map(|_| key(&mut rng)).collect();
        assert!(keys.iter().all(|key| key.len() == 32));
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 1_000);
    }
}
