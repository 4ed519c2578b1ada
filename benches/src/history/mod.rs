//! History and audit log: the cost of a projection compared with bare calls, the cost of
//! a past balance in histories of different length, the speed of audit log verification.

mod audit;
mod emulator;
mod memory;
mod past;
mod projection;

use std::fmt::Write;

use serde::Serialize;
use tokio::runtime::Runtime;

use crate::Result;
use crate::args::HistoryLoad;
use audit::Verified;
use past::Past;
use projection::Projection;

/// The figures.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    projection: Option<Projection>,
    past: Vec<Past>,
    audit: Option<Verified>,
}

/// Runs the requested measurements, one after the other.
pub(crate) fn run(load: &HistoryLoad, runtime: &Runtime) -> Result<Report> {
    runtime.block_on(async {
        // This one is first, while the process is small.
        let projection = match load.entries {
            0 => None,
            _ => Some(projection::measure(load).await?),
        };
        let past = match load.long {
            0 => Vec::new(),
            _ => past::measure(load.long).await?,
        };
        let audit = match load.records {
            0 => None,
            records => Some(audit::measure(records).await?),
        };
        Ok(Report {
            projection,
            past,
            audit,
        })
    })
}

impl Report {
    /// Whether all results are correct.
    pub(crate) fn is_verified(&self) -> bool {
        self.projection.as_ref().is_none_or(Projection::is_whole)
            && self.past.iter().all(Past::is_one_request)
            && self.audit.as_ref().is_none_or(|audit| audit.is_sound)
    }

    pub(crate) fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// The figures as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from("\n");
        if let Some(projection) = &self.projection {
            text.push_str(&projection.text());
        }
        for past in &self.past {
            let _ = writeln!(
                text,
                "a past balance among {} entries: {:.2} requests, p50 {:.2} ms, p99 {:.2} ms",
                past.entries, past.requests_each, past.p50_ms, past.p99_ms
            );
        }
        if let Some(audit) = &self.audit {
            let verdict = if audit.is_sound { "yes" } else { "NO" };
            let _ = writeln!(
                text,
                "{} audit records verified in {:.2} s; sound: {verdict}",
                audit.records, audit.secs
            );
        }
        text
    }
}
