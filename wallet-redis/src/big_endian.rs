//! Big-endian numbers for scripts: eight bytes each. A script gets any count of numbers as
//! one argument and parses no text. Scripts calculate with 53 bits.

pub(crate) fn pack(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let numbers = numbers.into_iter();
    let mut packed = Vec::with_capacity(numbers.size_hint().0.saturating_mul(8));
    for number in numbers {
        packed.extend_from_slice(&number.to_be_bytes());
    }
    packed
}

/// Returns `None` if bytes are left over, or if a number has more than 63 bits.
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
