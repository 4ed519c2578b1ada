//! Scripts, known by their hashes.

use std::sync::LazyLock;

use redis::{Arg, Cmd, cmd};

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
    /// A call with so many keys: they and the arguments are to be added.
    pub(crate) fn call(&self, keys: usize) -> Cmd {
        let mut command = cmd("EVALSHA");
        command.arg(self.hash.as_str()).arg(keys);
        command
    }

    /// The same call with the script itself.
    pub(crate) fn whole(&self, by_hash: &Cmd) -> Cmd {
        let mut command = cmd("EVAL");
        command.arg(self.source);
        // What stands behind the name of the command and the hash.
        for argument in by_hash.args_iter().skip(2) {
            if let Arg::Simple(argument) = argument {
                command.arg(argument);
            }
        }
        command
    }
}

fn hash_of(source: &str) -> String {
    redis::Script::new(source).get_hash().to_owned()
}
