//! The program as a user runs it: short runs without a judgement of the figures.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const FIGURES: [&str; 5] = [
    "transfers_per_sec",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "bytes_per_transfer",
];

/// A folder for this test, on the disk of the target folder.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn run(command: &str, folder: &Path, arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_wallet-bench"));
    program.arg(command).arg("--folder").arg(folder);
    program.args(arguments).output().unwrap()
}

fn load(folder: &Path, arguments: &[&str]) -> Output {
    run("load", folder, arguments)
}

/// Runs a load that must succeed; returns its JSON.
fn figures(folder: &Path, arguments: &[&str]) -> Value {
    let path: PathBuf = folder.join("figures.json");
    let mut all = vec!["--json", path.to_str().unwrap()];
    all.extend(arguments);
    let output = load(folder, &all);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    assert!(errors.is_empty(), "no bar without a terminal: {errors}");
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(table.contains("transfers/s"), "{table}");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn assert_figures(row: &Value, has_files: bool) {
    assert_eq!(row["verified"], true, "{row}");
    for name in FIGURES {
        if name == "bytes_per_transfer" && !has_files {
            assert!(row[name].is_null(), "{row}");
        } else {
            assert!(row[name].as_f64().unwrap() > 0.0, "{name}: {row}");
        }
    }
}

fn compare_all(store: &str, has_files: bool) {
    let folder = folder();
    let arguments = ["--store", store, "--callers", "8", "--seconds", "1"];
    let more = ["--accounts", "50", "--baseline", "--bulk-limit"];
    let chart = folder.path().join("chart.svg");
    let chart = ["--chart", chart.to_str().unwrap()];
    let document = figures(folder.path(), &[&arguments[..], &more, &chart].concat());

    assert_figures(&document, has_files);
    assert_figures(&document["baseline"], has_files);
    assert_figures(&document["bulk_limit"], has_files);
    assert_eq!(document["store"], store);
    assert_eq!(document["pattern"], "uniform");
    assert_eq!(document["callers"], 8);
    assert_eq!(document["seconds"], 1);
    assert_eq!(document["accounts"], 50);
    let concurrency = document["baseline"]["concurrency"].as_u64().unwrap();
    assert!((1..=8).contains(&concurrency), "{document}");
    assert!(document["ratio"].as_f64().unwrap() > 0.0, "{document}");
    assert!(
        document["latency_ratio"].as_f64().unwrap() > 0.0,
        "{document}"
    );

    let svg = std::fs::read_to_string(folder.path().join("chart.svg")).unwrap();
    assert!(
        svg.starts_with("<svg") && svg.contains("bulk limit"),
        "{svg}"
    );
    // The stores are removed: only the chart and the figures are left.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn memory_beside_its_baseline_and_limit_is_verified() {
    compare_all("memory", false);
}

#[test]
fn sqlite_beside_its_baseline_and_limit_is_verified() {
    compare_all("sqlite", true);
}

#[test]
fn mysql_beside_its_baseline_and_limit_is_verified() {
    compare_all("mysql", true);
}

#[test]
fn mariadb_beside_its_baseline_and_limit_is_verified() {
    compare_all("mariadb", true);
}

#[test]
fn a_server_over_tls_is_verified() {
    for store in ["mysql", "mariadb"] {
        let folder = folder();
        let arguments = [
            "--store",
            store,
            "--callers",
            "4",
            "--seconds",
            "1",
            "--tls",
        ];
        let accounts = ["--accounts", "20", "--wallets", "2"];
        let more = [&accounts[..], &["--committers", "1", "--baseline"]].concat();
        let document = figures(folder.path(), &[&arguments[..], &more].concat());
        assert_eq!(document["wallets"], 2);
        assert_figures(&document, true);
        assert_figures(&document["baseline"], true);
        assert_eq!(document["tls"], true);
        assert_eq!(document["committers"], 1);
        assert_eq!(document["busy_committers"], 1);
        assert_eq!(document["deadlocks"], 0);
    }
}

#[test]
fn tables_of_two_sizes_are_measured_in_one_run_and_verified_by_sample() {
    let folder = folder();
    let arguments = ["--store", "mariadb", "--callers", "4", "--seconds", "1"];
    let sizes = ["--accounts", "300", "--beside", "20"];
    let more = ["--sampled", "--buffer-pool", "1"];
    let document = figures(folder.path(), &[&arguments[..], &sizes, &more].concat());
    assert_figures(&document, true);
    assert_figures(&document["beside"], true);
    assert_eq!(document["sampled"], true);
    assert_eq!(document["accounts"], 300);
    assert_eq!(document["beside"]["accounts"], 20);
    assert!(document["beside"]["ratio"].as_f64().unwrap() > 0.0);
    let server = document["server"].as_str().unwrap();
    assert!(server.contains("buffer pool 1 GB"), "{server}");
}

#[test]
fn every_pattern_is_verified_and_alone_where_nothing_else_is_asked_for() {
    for pattern in ["zipf", "hot", "deposits"] {
        let folder = folder();
        let arguments = ["--store", "sqlite", "--callers", "4", "--seconds", "1"];
        let more = ["--accounts", "20", "--pattern", pattern];
        let document = figures(folder.path(), &[&arguments[..], &more].concat());
        assert_figures(&document, true);
        assert_eq!(document["pattern"], pattern);
        for absent in ["baseline", "bulk_limit", "ratio", "latency_ratio"] {
            assert!(document.get(absent).is_none(), "{document}");
        }
    }
}

#[test]
fn bad_arguments_are_refused_with_exit_code_2() {
    let folder = folder();
    let cases: [&[&str]; 14] = [
        &[],
        &["--store", "paper"],
        &["--store", "memory", "--pattern", "circular"],
        &["--store", "memory", "--callers", "0"],
        &["--store", "memory", "--seconds", "0"],
        &["--store", "memory", "--accounts", "1"],
        &["--store", "memory", "--tls"],
        &["--store", "sqlite", "--tls"],
        &["--store", "mariadb", "--skip-log-bin"],
        &["--store", "mysql", "--committers", "0"],
        &["--store", "sqlite", "--wallets", "2"],
        &["--store", "sqlite", "--buffer-pool", "2"],
        &["--store", "sqlite", "--accounts", "7", "--beside", "7"],
        &["--store", "sqlite", "--folder", "/dev/null/none"],
    ];
    for arguments in cases {
        let output = load(folder.path(), arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.starts_with("error: "), "{arguments:?}: {errors}");
    }
}

fn relay(store: &str) {
    let folder = folder();
    let path: PathBuf = folder.path().join("figures.json");
    let json = ["--json", path.to_str().unwrap()];
    let arguments = ["--store", store, "--callers", "8", "--seconds", "1"];
    let more = ["--accounts", "50"];
    let output = run(
        "relay",
        folder.path(),
        &[&json[..], &arguments, &more].concat(),
    );
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let figures: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(figures["verified"], true, "{figures}");
    assert_eq!(figures["published"], figures["due"], "{figures}");
    // Funding, and transfers made one by one, have their own events.
    assert!(figures["due"].as_u64().unwrap() > 1_000, "{figures}");
    for name in ["drained_per_sec", "published_per_sec", "p99_ms"] {
        assert!(figures[name].as_f64().unwrap() > 0.0, "{name}: {figures}");
    }
}

#[test]
fn the_relay_publishes_every_event_of_the_memory_store() {
    relay("memory");
}

#[test]
fn the_relay_publishes_every_event_of_sqlite() {
    relay("sqlite");
}

#[test]
fn the_relay_publishes_every_event_of_mariadb() {
    relay("mariadb");
}

#[test]
fn a_cache_is_measured_beside_the_memory_store() {
    let folder = folder();
    let path: PathBuf = folder.path().join("figures.json");
    let json = ["--json", path.to_str().unwrap()];
    let arguments = ["--store", "memory", "--callers", "8", "--seconds", "1"];
    let more = ["--accounts", "50"];
    let output = run(
        "cache",
        folder.path(),
        &[&json[..], &arguments, &more].concat(),
    );
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let figures: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(
        figures["problems"].as_array().unwrap().len(),
        0,
        "{figures}"
    );
    for name in ["store_reads_per_sec", "cached_reads_per_sec", "hit_ratio"] {
        assert!(figures[name].as_f64().unwrap() > 0.0, "{name}: {figures}");
    }
    let transfers = figures["transfers"].as_array().unwrap();
    let conditions: Vec<_> = transfers.iter().map(|one| &one["redis"]).collect();
    let all = [
        "no_cache", "well", "flushed", "paused", "killed", "full", "replica",
    ];
    assert_eq!(conditions, all);
    for one in transfers {
        assert!(one["per_sec"].as_f64().unwrap() > 0.0, "{one}");
    }
    assert!(figures["round_trips"]["ping_micros"].as_f64().unwrap() > 0.0);
}
