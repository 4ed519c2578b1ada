use thiserror::Error;

use super::Amount;

/// The whole in basis points: 10,000.
const WHOLE: u32 = 10_000;

/// Splits `total` by shares in basis points (1 ..= 10,000, adding up to 10,000)
/// with the largest remainder method. The parts always add up to `total`. Among
/// equal remainders, the earlier share gets the unit. A part may be zero.
///
/// ```
/// use wallet_core::Amount;
/// use wallet_core::ledger::split_amount;
/// assert_eq!(split_amount(Amount::new(100)?, &[3333, 3333, 3334])?, [33, 33, 34]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`SplitError`] when a share is zero or the shares do not add up.
pub fn split_amount(total: Amount, shares_bp: &[u32]) -> Result<Vec<i128>, SplitError> {
    let sum = shares_bp
        .iter()
        .try_fold(0_u32, |sum, share| sum.checked_add(*share));
    if sum != Some(WHOLE) || shares_bp.contains(&0) {
        return Err(SplitError::BadShares);
    }
    let whole = i128::from(WHOLE);
    let mut parts = Vec::with_capacity(shares_bp.len());
    let mut remainders = Vec::with_capacity(shares_bp.len());
    let mut left = total.minor();
    for (index, share) in shares_bp.iter().enumerate() {
        // 10^28 * 10^4 stays far below i128::MAX.
        let product = total.minor().checked_mul(i128::from(*share));
        let product = product.ok_or(SplitError::BadShares)?;
        let part = product.div_euclid(whole);
        left = left.saturating_sub(part);
        parts.push(part);
        remainders.push((product.rem_euclid(whole), index));
    }
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, index) in remainders {
        if left == 0 {
            break;
        }
        if let Some(part) = parts.get_mut(index) {
            *part = part.saturating_add(1);
            left = left.saturating_sub(1);
        }
    }
    Ok(parts)
}

/// The reason why a list of shares is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SplitError {
    /// A share is zero, or the sum is not 10,000 basis points.
    #[error("shares must each be at least 1 and add up to 10,000 basis points")]
    BadShares,
}
