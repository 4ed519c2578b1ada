//! Numbers as scripts take and answer them: eight bytes each, the highest first.
//! To a script that is one argument, whatever it holds, and no text to read.
//! Scripts reckon with 53 bits.

pub(crate) fn pack(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let numbers = numbers.into_iter();
    let mut packed = Vec::with_capacity(numbers.size_hint().0.saturating_mul(8));
    for number in numbers {
        packed.extend_from_slice(&number.to_be_bytes());
    }
    packed
}

/// None where a part of a number is left over, or one has more than 63 bits.
pub(crate) fn unpack(packed: &[u8]) -> Option<Vec<i64>> {
    let (numbers, []) = packed.as_chunks() else {
        return None;
    };
    let number = |bytes: &[u8; 8]| i64::try_from(u64::from_be_bytes(*bytes)).ok();
    numbers.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        assert_eq!(unpack(&pack([])), Some(vec![]));
        let two = pack([0, 9_007_199_254_740_992]);
        assert_eq!(unpack(&two), Some(vec![0, 9_007_199_254_740_992]));
    }

    #[test]
    fn what_is_no_number_is_none() {
        assert_eq!(unpack(&[0; 7]), None);
        assert_eq!(unpack(&[0; 9]), None);
        assert_eq!(unpack(&[0xff; 8]), None);
    }
}
