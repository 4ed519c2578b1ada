//! A short slice of the long run, which `scripts/soak` makes: everything is
//! started, broken, mended and verified.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails says so by panicking"
)]

use std::process::Command;

/// Runs for this many seconds; returns the output of a successful run.
fn run(database: &str, seed: &str, seconds: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_wallet-soak"))
        .args(["run", "--database", database, "--seed", seed])
        // A slow machine takes longer to show as much.
        .args(["--transfers", "600"])
        .args([
            "--seconds",
            seconds,
            "--pause-ms",
            "1000",
            "--callers",
            "16",
        ])
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}\n{errors}");
    stdout
}

/// A number of the report by its name.
fn figure(report: &str, name: &str) -> u64 {
    let line = report
        .lines()
        .find(|line| line.ends_with(&format!("  {name}")));
    let line = line.unwrap_or_else(|| panic!("no figure {name}: {report}"));
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn faults_lose_nothing(database: &str, seed: &str) {
    let report = run(database, seed, "15");
    assert!(figure(&report, "acknowledged transfers") > 500, "{report}");
    assert!(
        figure(&report, "effects of events, each once") > 50,
        "{report}"
    );
    assert_eq!(figure(&report, "acknowledged answers lost"), 0);
    assert_eq!(figure(&report, "acknowledged transfers doubled"), 0);
    assert_eq!(figure(&report, "books: sum of EUR, to be zero"), 0);
    assert!(report.ends_with("violations: 0\n"), "{report}");
}

#[test]
fn faults_on_mariadb_lose_nothing_and_double_nothing() {
    faults_lose_nothing("mariadb", "7");
}

#[test]
fn faults_on_mysql_lose_nothing_and_double_nothing() {
    faults_lose_nothing("mysql", "5");
}
