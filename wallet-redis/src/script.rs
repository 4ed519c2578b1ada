//! Scripts, known by their hashes.

use std::sync::LazyLock;

/// A script and its hash.
#[derive(Debug)]
pub(crate) struct Script {
    source: &'static str,
    hash: LazyLock<String, fn() -> String>,
}

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        $($(#[$doc])* pub(crate) static $name: Script = Script {
            source: include_str!($file),
            hash: LazyLock::new(|| hash_of(include_str!($file))),
        };)*
    };
}

scripts! {
    /// Keeps balances that are newer.
    PUT = "scripts/put.lua";
    /// Takes from limits.
    TAKE = "scripts/take.lua";
    /// Lends a lock.
    ACQUIRE = "scripts/acquire.lua";
    /// Extends or ends a lease.
    EXTEND = "scripts/extend.lua";
    /// All about sessions.
    SESSIONS = "scripts/sessions.lua";
}

impl Script {
    pub(crate) const fn source(&self) -> &'static str {
        self.source
    }

    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }
}

fn hash_of(source: &str) -> String {
    redis::Script::new(source).get_hash().to_owned()
}
