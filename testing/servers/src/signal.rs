use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs a program and writes its process id into a file, the first argument.
pub(crate) const NUMBERED: &str = r#"echo $$ >"$1"; shift; exec "$@""#;

/// The process id in this file.
pub(crate) fn number(file: &Path) -> u32 {
    let text = fs::read_to_string(file).expect("the number of a process");
    text.trim().parse().expect("the number of a process")
}

/// Sends a signal, `-STOP` or `-CONT`, to the process with the id in this file.
pub(crate) fn signal(file: &Path, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &number(file).to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()), "kill {signal}");
}
