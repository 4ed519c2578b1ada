//! The table.

use std::fmt::Write;

use crate::args::Load;
use crate::load::{Measured, Report};
use crate::work::Each;

/// The run's figures as a table, problems last.
pub(crate) fn table(load: &Load, report: &Report) -> String {
    let mut text = format!(
        "\n{}, {}: {} callers, {} accounts, {} s\n\n",
        load.store, load.pattern, load.callers, load.accounts, load.seconds
    );
    if let Some(server) = &report.server {
        let _ = writeln!(text, "the server: {server}\n");
    }
    let mut lines = vec![HEADS.map(str::to_owned)];
    lines.extend(report.all().map(line));
    text.push_str(&align(&lines));
    let _ = writeln!(
        text,
        "\n{:.1} requests shared a transaction of the wallet's, on average",
        report.batch
    );
    if let Some(sweep) = &report.sweep {
        text.push_str("the baseline's throughput by how it is reached:\n");
        for (shape, rate) in &sweep.tried {
            let _ = writeln!(text, "    {shape}: {}/s", thousands(*rate));
        }
    }
    if let Some((ratio, latency)) = ratios(report) {
        let _ = writeln!(
            text,
            "wallet to baseline: {ratio:.2} times the throughput, {latency:.2} times the median latency"
        );
    }
    if let Some(ratio) = to_beside(report) {
        let accounts = load.beside.unwrap_or_default();
        let _ = writeln!(
            text,
            "{ratio:.2} times the throughput with {accounts} accounts"
        );
    }
    if let Some(each) = report.each {
        let Each {
            server_micros,
            client_micros,
            busy_cores,
        } = each;
        let _ = writeln!(
            text,
            "a transfer of the wallet's cost {server_micros:.1} µs of the server's processor time \
             and {client_micros:.1} of the client's; {busy_cores:.2} cores were busy"
        );
    }
    if let Some(deadlocks) = report.deadlocks {
        let _ = writeln!(text, "deadlocks while the wallet was measured: {deadlocks}");
    }
    if load.sampled {
        text.push_str("verified: all balances, the entries of 1,000 accounts\n");
    }
    text
}

/// Throughput of the wallet to that on tables of the other size.
#[expect(clippy::float_arithmetic, reason = "figures for people")]
pub(crate) fn to_beside(report: &Report) -> Option<f64> {
    let wallet = report.wallet.figures.summary();
    let beside = report.beside.as_ref()?.figures.summary();
    Some(wallet.transfers_per_sec / beside.transfers_per_sec)
}

/// Throughput and median latency of the wallet to those of the baseline.
#[expect(clippy::float_arithmetic, reason = "figures for people")]
pub(crate) fn ratios(report: &Report) -> Option<(f64, f64)> {
    let wallet = report.wallet.figures.summary();
    let naive = report.baseline.as_ref()?.figures.summary();
    let ratio = wallet.transfers_per_sec / naive.transfers_per_sec;
    Some((ratio, wallet.p50_ms / naive.p50_ms))
}

const HEADS: [&str; 7] = [
    "",
    "transfers/s",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "bytes/transfer",
    "verified",
];

fn line(measured: &Measured) -> [String; 7] {
    let summary = measured.figures.summary();
    let bytes = measured.bytes_per_transfer;
    [
        measured.name.clone(),
        thousands(summary.transfers_per_sec),
        format!("{:.3}", summary.p50_ms),
        format!("{:.3}", summary.p95_ms),
        format!("{:.3}", summary.p99_ms),
        bytes.map_or_else(|| "-".to_owned(), |bytes| format!("{bytes:.0}")),
        if measured.is_verified() { "yes" } else { "NO" }.to_owned(),
    ]
}

/// The first column to the left, the others to the right.
fn align(lines: &[[String; 7]]) -> String {
    let mut widths = [0; 7];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for line in lines {
        for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
            let _ = match column {
                0 => write!(text, "{cell:<width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        text.push('\n');
    }
    text
}

/// A rate without decimals, its thousands apart.
fn thousands(rate: f64) -> String {
    let digits = format!("{rate:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(index);
        if index > 0 && left.checked_rem(3) == Some(0) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        assert_eq!(thousands(0.4), "0");
        assert_eq!(thousands(999.0), "999");
        assert_eq!(thousands(1_000.0), "1,000");
        assert_eq!(thousands(1_234_567.6), "1,234,568");
    }

    #[test]
    fn columns_are_aligned() {
        let cells = |first: &str, rest: &str| {
            let mut line = HEADS.map(|_| rest.to_owned());
            first.clone_into(&mut line[0]);
            line
        };
        let text = align(&[cells("a", "1"), cells("bbb", "22")]);
        let mut lines = text.lines();
        assert_eq!(lines.next().unwrap(), "a     1   1   1   1   1   1");
        assert_eq!(lines.next().unwrap(), "bbb  22  22  22  22  22  22");
    }
}
