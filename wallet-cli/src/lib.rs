//! The command `wallet`: what those who run a store do with it. `wallet --help`
//! lists it; [`Arguments`] runs it from a program.

/// Prints a line, as `println!` does, and fails where nobody reads it any more.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::say_line(format_args!($($words)*))
    };
}

mod arguments;
mod audit;
mod backup;
mod bar;
mod error;
mod events;
mod history;
mod manifest;
mod outcome;
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

/// A text from the books, fit for a terminal: what users wrote must not move
/// its cursor.
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
