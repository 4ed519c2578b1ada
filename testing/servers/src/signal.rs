use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs a program whose number goes into a file, which comes first.
pub(crate) const NUMBERED: &str = r#"echo $$ >"$1"; shift; exec "$@""#;

/// The number of the process whose file this is.
pub(crate) fn number(file: &Path) -> u32 {
    let text = fs::read_to_string(file).expect("the number of a process");
    text.trim().parse().expect("the number of a process")
}

/// Sends a signal, `-STOP` or `-CONT`, to the process whose file this is.
pub(crate) fn signal(file: &Path, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &number(file).to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()), "kill {signal}");
}
