//! The figures for programs.

use serde::Serialize;

use crate::args::Load;
use crate::baseline::Way;
use crate::load::{Measured, Report};
use crate::pattern::Pattern;
use crate::report::ratios;
use crate::store::StoreKind;
use crate::{Result, measure};

/// The file: what ran, then what it did.
#[derive(Debug, Serialize)]
struct Document {
    store: StoreKind,
    pattern: Pattern,
    callers: u32,
    seconds: u32,
    accounts: u32,
    /// Of the wallet.
    #[serde(flatten)]
    wallet: Row,
    /// What `bytes_per_transfer` is the growth of; null where nothing grows.
    bytes_of: Option<&'static str>,
    /// Requests in one transaction of the wallet's, on average.
    requests_per_batch: f64,
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
struct Naive {
    #[serde(flatten)]
    row: Row,
    /// With how many callers it did most.
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
        wallet: Row::new(&report.wallet),
        bytes_of: load.store.has_files().then_some("files"),
        requests_per_batch: report.batch,
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
