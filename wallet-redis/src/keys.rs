//! Names of keys. All keys of one operation share a hash tag, `{...}`, so they are in the
//! same hash slot of a cluster.

use sha2::{Digest, Sha256};
use wallet_core::edge::Charge;
use wallet_core::ledger::{AccountKey, LimitScope, LockName};

/// The greatest hash tag of balances. Balances are spread over 256 hash tags.
const SHARES: u8 = u8::MAX;

/// The hash tag of a balance: 0 to 255, the last byte of the account's id. That byte is
/// random in every version of UUID that the core makes.
pub(crate) fn share(account: AccountKey) -> u8 {
    let [.., last] = *account.id.as_bytes();
    last & SHARES
}

pub(crate) fn balance(prefix: &str, account: AccountKey) -> Vec<u8> {
    let (share, ledger, id) = (share(account), account.ledger, account.id.uuid());
    format!("{{{prefix}:b{share:02x}}}{ledger}:{}", id.simple()).into_bytes()
}

/// The prefix of the keys of a scope's limits.
pub(crate) fn limits(prefix: &str, scope: &LimitScope) -> String {
    format!("{{{prefix}:l{}}}", short_hash(scope.as_str()))
}

pub(crate) fn limit(tag: &str, charge: &Charge) -> Vec<u8> {
    let Charge { limit, quota, .. } = charge;
    let name = limit.as_str().as_bytes();
    let mut key = Vec::with_capacity(tag.len().saturating_add(name.len()).saturating_add(64));
    key.extend_from_slice(tag.as_bytes());
    for number in [
        quota.capacity().into(),
        quota.token_units(),
        quota.flow_units(),
    ] {
        key.extend_from_slice(itoa::Buffer::new().format::<u64>(number).as_bytes());
        key.push(b':');
    }
    key.extend_from_slice(name);
    key
}

pub(crate) fn lock(prefix: &str, name: &LockName) -> Vec<u8> {
    format!("{{{prefix}:k{}}}", short_hash(name.as_str())).into_bytes()
}

pub(crate) fn sessions(prefix: &str, place: [u8; 16]) -> Vec<u8> {
    format!("{{{prefix}:s{}}}", hex(&place)).into_bytes()
}

/// The first 16 bytes of a hash, in hex. A name may contain braces, which would end a hash
/// tag.
fn short_hash(text: &str) -> String {
    let digest = Sha256::digest(text);
    hex(digest.get(..16).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from_digit(u32::from(four), 16).unwrap_or('0');
    let digits = |byte: &u8| [digit(byte >> 4), digit(byte & 15)];
    bytes.iter().flat_map(digits).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wallet_core::edge::Quota;
    use wallet_core::ledger::{InLedger, LimitName};
    use wallet_core::{AccountId, LedgerId};

    use super::*;

    /// Processes of another release use the same keys.
    #[test]
    fn keys_stay_as_they_are() {
        let account = InLedger::new(LedgerId::default(), AccountId::from_bytes([0xa7; 16]));
        let key = String::from_utf8(balance("w", account)).unwrap();
        assert_eq!(key, "{w:ba7}0:a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7");

        let quota = Quota::new(100, 10, Duration::from_secs(1)).unwrap();
        let charge = Charge::new(LimitName::new("calls").unwrap(), quota, 1);
        let scope = LimitScope::new("tenant {1}").unwrap();
        let key = String::from_utf8(limit(&limits("w", &scope), &charge)).unwrap();
        let units = format!("100:{}:{}", quota.token_units(), quota.flow_units());
        assert_eq!(key, format!("{{w:l{TENANT}}}{units}:calls"));

        let name = LockName::new("tenant {1}").unwrap();
        let key = String::from_utf8(lock("w", &name)).unwrap();
        assert_eq!(key, format!("{{w:k{TENANT}}}"));
    }

    /// The first 16 bytes of the SHA-256 of `tenant {1}`.
    const TENANT: &str = "a85e888040f4b07234ad6d0742e5989c";
}
