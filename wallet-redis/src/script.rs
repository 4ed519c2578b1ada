//! Lua scripts, called by their hashes. Each runs atomically.

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
    /// Stores balances that are newer.
    PUT = "scripts/put.lua";
    /// Charges limits.
    TAKE = "scripts/take.lua";
    /// Acquires a lock.
    ACQUIRE = "scripts/acquire.lua";
    /// Extends or ends a lease.
    EXTEND = "scripts/extend.lua";
    /// Runs every operation on sessions.
    SESSIONS = "scripts/sessions.lua";
}

impl Script {
    /// A call with this number of keys. The caller adds the keys and the arguments.
    pub(crate) fn call(&self, keys: usize) -> Cmd {
        let mut command = cmd("EVALSHA");
        command.arg(self.hash.as_str()).arg(keys);
        command
    }

    /// The same call with the full script.
    pub(crate) fn whole(&self, by_hash: &Cmd) -> Cmd {
        let mut command = cmd("EVAL");
        command.arg(self.source);
        // Copies the arguments after the command's name and the hash.
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
