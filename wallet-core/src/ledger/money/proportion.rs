//! Splits an amount in proportion to the remaining amounts of several parts.

/// The number of bits of the amount that are multiplied at a time. The dividend
/// stays below 2^128 while the remaining total stays below 2^104. The total of 500
/// legs of the largest amount is below 2^102.
const CHUNK_BITS: u32 = 24;
const RADIX: u128 = 1 << CHUNK_BITS;
/// An amount of up to 96 bits; the largest has 94.
const CHUNKS: u32 = 4;

/// Splits `amount` in proportion to `left`. Each part is rounded down. The
/// remaining units go to the largest remainders; among equal remainders, to the
/// earlier part. The parts add up to `amount`, and no part exceeds its entry in
/// `left`.
///
/// `None` when `amount` exceeds the sum of `left`, or a number is out of range.
pub(crate) fn cut_in_proportion(amount: i128, left: &[i128]) -> Option<Vec<i128>> {
    let total = left
        .iter()
        .try_fold(0_i128, |sum, part| sum.checked_add(*part))?;
    if amount > total {
        return None;
    }
    let (amount, whole) = (u128::try_from(amount).ok()?, u128::try_from(total).ok()?);
    let mut parts = Vec::with_capacity(left.len());
    let mut remainders = Vec::with_capacity(left.len());
    let mut rest = amount;
    for (index, part) in left.iter().enumerate() {
        let (share, remainder) = divided_product(amount, u128::try_from(*part).ok()?, whole)?;
        rest = rest.checked_sub(share)?;
        parts.push(share);
        remainders.push((remainder, index));
    }
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    // Fewer units remain than there are remainders above zero. So no part gets more
    // than its entry in `left`.
    for (_, index) in remainders {
        if rest == 0 {
            break;
        }
        let part = parts.get_mut(index)?;
        *part = part.checked_add(1)?;
        rest = rest.checked_sub(1)?;
    }
    let parts = parts.into_iter();
    parts.map(|part| i128::try_from(part).ok()).collect()
}

/// Quotient and remainder of `a * b / whole`, where `a * b` may exceed 128 bits. It
/// uses long division, one chunk of `a` at a time, the most significant chunk
/// first.
pub(super) fn divided_product(a: u128, b: u128, whole: u128) -> Option<(u128, u128)> {
    let (mut quotient, mut remainder) = (0_u128, 0_u128);
    for chunk in (0..CHUNKS).rev() {
        let digit = a
            .checked_shr(chunk.checked_mul(CHUNK_BITS)?)?
            .checked_rem(RADIX)?;
        let next = remainder
            .checked_mul(RADIX)?
            .checked_add(digit.checked_mul(b)?)?;
        quotient = quotient
            .checked_mul(RADIX)?
            .checked_add(next.checked_div(whole)?)?;
        remainder = next.checked_rem(whole)?;
    }
    let above = a.checked_shr(CHUNKS.checked_mul(CHUNK_BITS)?)?;
    (above == 0).then_some((quotient, remainder))
}

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "a sum that overflows fails the test"
)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::Amount;

    const MAX: i128 = Amount::MAX.minor();

    /// `a * b / whole` by doubling and adding, one bit of `a` at a time.
    fn slowly(a: i128, b: i128, whole: i128) -> (i128, i128) {
        let (mut quotient, mut remainder) = (0, 0);
        for bit in (0..127).rev() {
            quotient *= 2;
            remainder *= 2;
            if a >> bit & 1 == 1 {
                remainder += b;
            }
            quotient += remainder / whole;
            remainder %= whole;
        }
        (quotient, remainder)
    }

    #[test]
    fn a_split_sale_is_refunded_by_the_worked_example() {
        let mut left = [84, 10, 7];
        for (amount, expected) in [(33, [28, 3, 2]), (33, [27, 3, 3]), (35, [29, 4, 2])] {
            let parts = cut_in_proportion(amount, &left).unwrap();
            assert_eq!(parts, expected);
            left.iter_mut()
                .zip(parts)
                .for_each(|(left, part)| *left -= part);
        }
        assert_eq!(left, [0; 3]);
    }

    #[test]
    fn equal_remainders_go_to_the_earlier_part() {
        assert_eq!(cut_in_proportion(1, &[5, 5]), Some(vec![1, 0]));
        assert_eq!(cut_in_proportion(2, &[5, 5, 5]), Some(vec![1, 1, 0]));
        assert_eq!(cut_in_proportion(1, &[0, 5]), Some(vec![0, 1]));
    }

    #[test]
    fn more_than_is_left_and_nothing_left_cut_nothing() {
        assert_eq!(cut_in_proportion(3, &[1, 1]), None);
        assert_eq!(cut_in_proportion(1, &[]), None);
        assert_eq!(cut_in_proportion(1, &[0, 0]), None);
        assert_eq!(cut_in_proportion(-1, &[1]), None);
        assert_eq!(cut_in_proportion(1, &[-1, 5]), None);
    }

    #[test]
    fn five_hundred_legs_of_the_largest_amount_are_cut() {
        let left = vec![MAX; 500];
        let parts = cut_in_proportion(MAX, &left).unwrap();
        assert_eq!(parts.iter().sum::<i128>(), MAX);
        let share = MAX / 500;
        assert!(parts.iter().all(|part| [share, share + 1].contains(part)));
    }

    proptest! {
        #[test]
        fn long_division_is_exact(a in 0..=MAX, b in 0..=MAX, more in 0..MAX * 499) {
            let whole = b + more + 1;
            let unsigned = |number: i128| u128::try_from(number).unwrap();
            let found = divided_product(unsigned(a), unsigned(b), unsigned(whole));
            let (quotient, remainder) = slowly(a, b, whole);
            prop_assert_eq!(found, Some((unsigned(quotient), unsigned(remainder))));
        }

        #[test]
        fn parts_add_up_and_none_exceeds_what_is_left(
            left in vec(prop_oneof![0..20_i128, 0..=MAX], 1..12),
            share in 0..=10_000_i128,
        ) {
            let total: i128 = left.iter().sum();
            let amount = (total / 10_000 * share).clamp(0, MAX);
            if let Some(parts) = cut_in_proportion(amount, &left).filter(|_| total > 0) {
                prop_assert_eq!(parts.iter().sum::<i128>(), amount);
                for (part, left) in parts.iter().zip(&left) {
                    prop_assert!((0..=*left).contains(part));
                    let (down, _) = slowly(amount, *left, total);
                    prop_assert!([down, down + 1].contains(part));
                }
            } else {
                prop_assert_eq!(total, 0);
            }
        }
    }
}
