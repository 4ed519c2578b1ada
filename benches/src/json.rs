//! The figures for programs.

use serde::Serialize;

use crate::args::Load;
use crate::baseline::Way;
use crate::load::{Measured, Report};
use crate::pattern::Pattern;
use crate::report::{ratios, to_beside};
use crate::store_kind::StoreKind;
use crate::work::Each;
use crate::{Result, measure};

/// The file: what ran, then what it did.
#[derive(Debug, Serialize)]
struct Document {
    store: StoreKind,
    pattern: Pattern,
    callers: u32,
    seconds: u32,
    accounts: u32,
    /// Whether the entries of a sample of accounts only were verified.
    sampled: bool,
    wallets: u32,
    committers: usize,
    busy_committers: usize,
    /// How the server is set up; null where there is none.
    server: Option<String>,
    tls: bool,
    /// The figures of the wallet.
    #[serde(flatten)]
    wallet: Row,
    /// What `bytes_per_transfer` is the growth of; null where nothing grows.
    bytes_of: Option<&'static str>,
    /// Deadlocks while the wallet was measured; null where there can be none.
    deadlocks: Option<u64>,
    /// What a transfer cost in processor time; null without a server.
    processor_time: Option<Each>,
    /// Requests in one transaction of the wallet's, on average.
    requests_per_batch: f64,
    /// The same wallet on tables of another size.
    #[serde(skip_serializing_if = "Option::is_none")]
    beside: Option<Beside>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<Naive>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bulk_limit: Option<Row>,
    /// Throughput of the wallet to that of the baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    /// Median latency of the wallet to that of the baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ratio: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Beside {
    #[serde(flatten)]
    row: Row,
    accounts: u32,
    /// Throughput of the wallet to this.
    ratio: f64,
}

#[derive(Debug, Serialize)]
struct Naive {
    #[serde(flatten)]
    row: Row,
    /// The number of callers with the highest throughput.
    concurrency: u32,
    /// How they reached the store.
    connections: Way,
}

#[derive(Debug, Serialize)]
struct Row {
    transfers_per_sec: f64,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    bytes_per_transfer: Option<f64>,
    verified: bool,
}

impl Row {
    fn new(measured: &Measured) -> Self {
        let measure::Summary {
            transfers_per_sec,
            p50_ms,
            p95_ms,
            p99_ms,
        } = measured.figures.summary();
        Self {
            transfers_per_sec,
            p50_ms,
            p95_ms,
            p99_ms,
            bytes_per_transfer: measured.bytes_per_transfer,
            verified: measured.is_verified(),
        }
    }
}

/// The run's figures as JSON.
///
/// # Errors
/// None that is expected.
pub(crate) fn document(load: &Load, report: &Report) -> Result<String> {
    let baseline = report.baseline.as_ref().zip(report.sweep.as_ref());
    let (ratio, latency_ratio) = ratios(report).unzip();
    let document = Document {
        store: load.store,
        pattern: load.pattern,
        callers: load.callers,
        seconds: load.seconds,
        accounts: load.accounts,
        sampled: load.sampled,
        wallets: load.wallets,
        committers: load.committers(),
        busy_committers: load.busy_committers(),
        server: report.server.clone(),
        tls: load.tls,
        wallet: Row::new(&report.wallet),
        bytes_of: load.store.has_files().then_some("files"),
        deadlocks: report.deadlocks,
        processor_time: report.each,
        requests_per_batch: report.batch,
        beside: beside(load, report),
        baseline: baseline.map(|(measured, sweep)| Naive {
            row: Row::new(measured),
            concurrency: sweep.best.callers,
            connections: sweep.best.way,
        }),
        bulk_limit: report.bulk_limit.as_ref().map(Row::new),
        ratio,
        latency_ratio,
    };
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

fn beside(load: &Load, report: &Report) -> Option<Beside> {
    Some(Beside {
        row: Row::new(report.beside.as_ref()?),
        accounts: load.beside?,
        ratio: to_beside(report)?,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::Value;

    use super::*;
    use crate::args::Cli;
    use crate::baseline::{Shape, Sweep};
    use crate::measure::Figures;

    fn measured(problems: Vec<String>) -> Measured {
        Measured {
            name: "test".to_owned(),
            figures: Figures::new().unwrap(),
            bytes_per_transfer: Some(250.0),
            problems,
        }
    }

    fn sweep() -> Sweep {
        let (callers, way) = (4, Way::Shared);
        Sweep {
            tried: Vec::new(),
            best: Shape { callers, way },
            figures: Figures::new().unwrap(),
        }
    }

    fn written(report: &Report) -> Value {
        let arguments = [
            "wallet-bench",
            "load",
            "--store",
            "sqlite",
            "--pattern",
            "hot",
        ];
        let command = Cli::parse_from(arguments).command;
        let load = command.load();
        serde_json::from_str(&document(load, report).unwrap()).unwrap()
    }

    fn keys(value: &Value) -> Vec<&str> {
        value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect()
    }

    const ROW: [&str; 6] = [
        "bytes_per_transfer",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "transfers_per_sec",
        "verified",
    ];

    #[test]
    fn each_of_those_compared_has_its_own_figures_and_its_own_verdict() {
        let document = written(&Report {
            server: None,
            wallet: measured(Vec::new()),
            beside: None,
            deadlocks: None,
            each: None,
            batch: 2.0,
            baseline: Some(measured(vec!["wrong".to_owned()])),
            sweep: Some(sweep()),
            bulk_limit: Some(measured(Vec::new())),
        });
        let run = [
            "accounts",
            "busy_committers",
            "callers",
            "committers",
            "deadlocks",
            "pattern",
            "sampled",
            "seconds",
            "server",
            "store",
            "tls",
            "wallets",
        ];
        let more = [
            "baseline",
            "bulk_limit",
            "bytes_of",
            "latency_ratio",
            "ratio",
        ];
        let mut all = [
            &ROW[..],
            &run,
            &more,
            &["processor_time", "requests_per_batch"],
        ]
        .concat();
        all.sort_unstable();
        assert_eq!(keys(&document), all);
        assert_eq!(document["verified"], true);
        assert_eq!(document["pattern"], "hot");
        assert_eq!(document["bytes_of"], "files");

        let baseline = &document["baseline"];
        let mut all = [&ROW[..], &["concurrency", "connections"]].concat();
        all.sort_unstable();
        assert_eq!(keys(baseline), all);
        assert_eq!(baseline["verified"], false);
        assert_eq!(baseline["concurrency"], 4);
        assert_eq!(baseline["connections"], "shared");
        assert_eq!(keys(&document["bulk_limit"]), ROW);
    }

    #[test]
    fn what_was_not_asked_for_is_absent() {
        let document = written(&Report {
            server: None,
            wallet: measured(Vec::new()),
            beside: None,
            deadlocks: None,
            each: None,
            batch: 2.0,
            baseline: None,
            sweep: None,
            bulk_limit: None,
        });
        for absent in ["baseline", "bulk_limit", "ratio", "latency_ratio"] {
            assert!(document.get(absent).is_none(), "{document}");
        }
    }
}
