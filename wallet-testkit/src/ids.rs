use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use wallet_core::runtime::IdGenerator;

/// Ids shaped like UUID version 7 that a seed reproduces: ascending, and different
/// from those of any other seed.
#[derive(Debug)]
pub struct SeededIds {
    seed: u64,
    made: AtomicU64,
}

impl SeededIds {
    /// The ids of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            made: AtomicU64::new(0),
        }
    }
}

impl IdGenerator for SeededIds {
    fn new_id(&self) -> Uuid {
        let index = self.made.fetch_add(1, Ordering::Relaxed);
        let millis = 1_735_689_600_000_u64.wrapping_add(index);
        let high = mix(self.seed ^ mix(index));
        let low = mix(high ^ self.seed.rotate_left(32));
        let mut random = [0; 10];
        let bytes = high.to_be_bytes().into_iter().chain(low.to_be_bytes());
        random
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = from);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

/// The finaliser of splitmix64.
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_reproduces_ascending_ids_of_version_7() {
        let make = |seed| {
            let ids = SeededIds::new(seed);
            (0..100).map(|_| ids.new_id()).collect::<Vec<_>>()
        };
        let ids = make(7);
        assert_eq!(ids, make(7));
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
        assert!(make(8).iter().all(|other| !ids.contains(other)));
    }
}
