//! The processor time of the server and of this process.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::Result;
use crate::clock::now;
use crate::measure::{per, per_sec};

/// Processor time at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    at: Instant,
    server: u64,
    client: u64,
}

impl Meter {
    /// Reads the clocks of the server with this process number and of this process.
    pub(crate) fn read(server: u32) -> Result<Self> {
        Ok(Self {
            at: now(),
            server: ticks(&server.to_string())?,
            client: ticks("self")?,
        })
    }
}

/// Processor time between two moments, in hundredths of a second: the unit of Linux on
/// all common platforms (`USER_HZ`, see `proc(5)`).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Work {
    server: u64,
    client: u64,
    passed: Duration,
}

/// The same per transfer.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Each {
    /// Microseconds of the server's processor time.
    pub(crate) server_micros: f64,
    /// Microseconds of this process's processor time.
    pub(crate) client_micros: f64,
    /// How many cores both kept busy.
    pub(crate) busy_cores: f64,
}

impl Work {
    /// Adds what was done from `begin` to `end`.
    pub(crate) fn add(&mut self, begin: Meter, end: Meter) {
        let (server, client) = (end.server, end.client);
        let server = server.saturating_sub(begin.server);
        let client = client.saturating_sub(begin.client);
        let passed = end.at.saturating_duration_since(begin.at);
        self.server = self.server.saturating_add(server);
        self.client = self.client.saturating_add(client);
        self.passed = self.passed.saturating_add(passed);
    }

    pub(crate) fn each(self, transfers: u64) -> Each {
        let micros = |ticks: u64| ticks.saturating_mul(10_000);
        let both = micros(self.server.saturating_add(self.client));
        Each {
            server_micros: per(micros(self.server), transfers),
            client_micros: per(micros(self.client), transfers),
            busy_cores: per_sec(both, self.passed.saturating_mul(1_000_000)),
        }
    }
}

/// The processor time of a process so far, without its children.
fn ticks(process: &str) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    parse(&stat).ok_or_else(|| format!("/proc/{process}/stat is not as proc(5) says").into())
}

fn parse(stat: &str) -> Option<u64> {
    // The program's name is in parentheses and may itself contain parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strange_name_hides_no_field() {
        let stat = "7 (a) R 1 2) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20";
        assert_eq!(parse(stat), Some(175));
        assert_eq!(parse("7 (a"), None);
    }

    #[test]
    fn work_is_reported_per_transfer() {
        let begin = Meter {
            at: now(),
            server: 100,
            client: 10,
        };
        let end = Meter {
            at: begin.at + Duration::from_secs(2),
            server: 400,
            client: 20,
        };
        let mut work = Work::default();
        work.add(begin, end);
        let each = work.each(1_000);
        let text = format!(
            "{:.1} {:.1} {:.2}",
            each.server_micros, each.client_micros, each.busy_cores
        );
        assert_eq!(text, "3000.0 100.0 1.55");
    }
}
