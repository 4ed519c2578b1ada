//! Names of keys. What one operation touches has one hash tag, `{...}`, so that
//! it lies on one server of a cluster.

use sha2::{Digest, Sha256};
use wallet_core::{AccountKey, Charge, LimitScope, LockName};

/// Over how many hash tags balances are spread.
const SHARES: u8 = u8::MAX;

/// Which hash tag a balance has: 0 ..= 255, the last byte of its id, which is
/// random in every version of UUID that the core makes.
pub(crate) fn share(account: AccountKey) -> u8 {
    let [.., last] = *account.id.as_bytes();
    last & SHARES
}

pub(crate) fn balance(prefix: &str, account: AccountKey) -> Vec<u8> {
    let (share, ledger, id) = (share(account), account.ledger, account.id.uuid());
    format!("{{{prefix}:b{share:02x}}}{ledger}:{}", id.simple()).into_bytes()
}

pub(crate) fn limit(prefix: &str, scope: &LimitScope, charge: &Charge) -> Vec<u8> {
    let scope = short_hash(scope.as_str());
    let (token, flow) = (charge.quota.token_units(), charge.quota.flow_units());
    let (capacity, name) = (charge.quota.capacity(), &charge.limit);
    format!("{{{prefix}:l{scope}}}{capacity}:{token}:{flow}:{name}").into_bytes()
}

pub(crate) fn lock(prefix: &str, name: &LockName) -> Vec<u8> {
    format!("{{{prefix}:k{}}}", short_hash(name.as_str())).into_bytes()
}

pub(crate) fn sessions(prefix: &str, place: [u8; 16]) -> Vec<u8> {
    format!("{{{prefix}:s{}}}", hex(&place)).into_bytes()
}

/// 16 bytes of a hash: names may hold braces, which would end a tag.
fn short_hash(text: &str) -> String {
    let digest = Sha256::digest(text);
    hex(digest.get(..16).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
