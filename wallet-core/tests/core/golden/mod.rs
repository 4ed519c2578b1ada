//! Golden files: one `name hex` per line. Blank lines and lines with `#` are
//! ignored.
//!
//! Each line is in the format of a release, and databases contain such bytes. Lines
//! are added, never edited.

use std::fmt::Write as _;

/// The lines of a golden file.
pub(crate) fn lines(file: &'static str) -> Vec<(&'static str, Vec<u8>)> {
    file.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, digits) = line.split_once(' ').expect("a name and a value");
            (name, unhex(digits.trim()))
        })
        .collect()
}

/// Compares the current output of the code with the golden file: the same names in
/// the same order with the same bytes.
pub(crate) fn check(file: &'static str, now: &[(&str, Vec<u8>)]) {
    let mut missing = String::new();
    let golden = lines(file);
    for (name, bytes) in now {
        match golden.iter().find(|(golden, _)| golden == name) {
            Some((_, expected)) => assert_eq!(
                hex(expected),
                hex(bytes),
                "{name} has changed, so stored data would no longer match"
            ),
            None => writeln!(missing, "{name} {}", hex(bytes)).expect("a string"),
        }
    }
    assert!(missing.is_empty(), "to be added to the file:\n{missing}");
    assert_eq!(golden.len(), now.len(), "the file has lines of no value");
}

/// Lower-case digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string");
        text
    })
}

fn unhex(digits: &str) -> Vec<u8> {
    assert!(digits.len().is_multiple_of(2), "half a byte in {digits}");
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex digits"))
        .collect()
}
