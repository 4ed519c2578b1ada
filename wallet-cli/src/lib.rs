//! The command `wallet`: the operator's tool for a store. `wallet --help` lists its
//! commands; [`Arguments`] runs it from a program.

/// Prints a line as `println!` does, and returns an error if nothing reads the output.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::say_line(format_args!($($words)*))
    };
}

mod arguments;
mod audit;
mod backup;
mod error;
mod events;
mod file;
mod history;
mod manifest;
mod outcome;
mod progress;
mod purge;
mod reconcile;
#[cfg(feature = "aws")]
mod redrive;
mod restore_done;
mod statement;
mod verify;

use std::io::Write;

pub use arguments::Arguments;
pub use error::CliError;

fn say_line(line: std::fmt::Arguments<'_>) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")
}

/// A text from the books, safe for a terminal: control characters of users must not move
/// the cursor.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
    }
    plain
}
