//! The host processes under test, seen from outside.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

use crate::Result;
use crate::args::RunArgs;
use crate::tally::{Counts, SETTLED, VIOLATION, add, counts_of};

/// The addresses of the proxies, for the hosts.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    pub(crate) database: String,
    pub(crate) redis: String,
    pub(crate) queue: String,
    pub(crate) queue_url: String,
    pub(crate) history: String,
}

/// What a host process has reported.
#[derive(Debug, Default)]
struct Reported {
    counts: Counts,
    violations: Vec<String>,
    is_settled: bool,
}

/// One host process at a time, with the counters of all earlier ones.
#[derive(Debug)]
pub(crate) struct Host {
    number: u16,
    program: PathBuf,
    arguments: Vec<String>,
    acks: PathBuf,
    running: Option<Running>,
    /// The counters of the ended processes.
    before: Counts,
    violations: Vec<String>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    orders: ChildStdin,
    reported: Arc<Mutex<Reported>>,
    reading: JoinHandle<()>,
}

impl Host {
    pub(crate) fn new(
        number: u16,
        args: &RunArgs,
        addresses: &Addresses,
        acks: PathBuf,
    ) -> Result<Self> {
        let mut arguments = vec!["host".to_owned()];
        let mut give = |name: &str, value: String| {
            arguments.push(format!("--{name}"));
            arguments.push(value);
        };
        give("host", number.to_string());
        give("database", addresses.database.clone());
        give("redis", addresses.redis.clone());
        give("queue", addresses.queue.clone());
        give("queue-url", addresses.queue_url.clone());
        give("history", addresses.history.clone());
        give("acks", acks.display().to_string());
        give("callers", args.callers.to_string());
        give("tick-ms", args.tick_ms.to_string());
        Ok(Self {
            number,
            program: args.program()?,
            arguments,
            acks,
            running: None,
            before: Counts::new(),
            violations: Vec::new(),
        })
    }

    pub(crate) const fn number(&self) -> u16 {
        self.number
    }

    pub(crate) const fn acks(&self) -> &PathBuf {
        &self.acks
    }

    pub(crate) fn start(&mut self) -> Result<()> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let orders = child.stdin.take().ok_or("a way to give orders")?;
        let lines = child.stdout.take().ok_or("a pipe from the host")?;
        let reported = Arc::new(Mutex::new(Reported::default()));
        let reading = tokio::spawn(read(lines, Arc::clone(&reported)));
        self.running = Some(Running {
            child,
            orders,
            reported,
            reading,
        });
        Ok(())
    }

    /// Kills the process at once; what it has reported counts.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        if let Some(mut running) = self.running.take() {
            // The process may have ended already.
            let _ = running.child.kill().await;
            self.bury(running).await;
        }
        Ok(())
    }

    async fn bury(&mut self, running: Running) {
        let _ = running.reading.await;
        let reported = lock(&running.reported);
        add(&mut self.before, &reported.counts);
        self.violations.extend(reported.violations.iter().cloned());
    }

    /// Sends it a signal.
    pub(crate) async fn signal(&self, signal: &str) -> Result<()> {
        let number = self.running.as_ref().and_then(|running| running.child.id());
        let number = number.ok_or("no process")?.to_string();
        let sent = Command::new("kill")
            .args([signal, &number])
            .status()
            .await?;
        if sent.success() {
            Ok(())
        } else {
            Err(format!("kill {signal} {number}").into())
        }
    }

    pub(crate) async fn order(&mut self, order: &str) -> Result<()> {
        let running = self.running.as_mut().ok_or("no process")?;
        Ok(running
            .orders
            .write_all(format!("{order}\n").as_bytes())
            .await?)
    }

    /// Lets accounts run ahead of the clock, now and after every restart.
    pub(crate) async fn raise_max_ahead(&mut self) -> Result<()> {
        let argument = "--ahead".to_owned();
        if !self.arguments.contains(&argument) {
            self.arguments.push(argument);
        }
        if self.running.is_some() {
            self.order("ahead").await?;
        }
        Ok(())
    }

    /// Whether every caller has its answer after the order to settle.
    pub(crate) fn is_settled(&self) -> bool {
        self.running
            .as_ref()
            .is_some_and(|running| lock(&running.reported).is_settled)
    }

    /// Waits until the process has ended; it must have exited with 0.
    pub(crate) async fn ended(&mut self) -> Result<()> {
        let mut running = self.running.take().ok_or("no process")?;
        let status = running.child.wait().await?;
        self.bury(running).await;
        if status.success() {
            Ok(())
        } else {
            Err(format!("host {}: {status}", self.number).into())
        }
    }

    /// Whether the process has ended without an order.
    pub(crate) fn has_died(&mut self) -> Result<bool> {
        let Some(running) = &mut self.running else {
            return Ok(false);
        };
        Ok(running.child.try_wait()?.is_some())
    }

    /// The counters of this process and the earlier ones.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = self.before.clone();
        if let Some(running) = &self.running {
            add(&mut counts, &lock(&running.reported).counts);
        }
        counts
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        let mut all = self.violations.clone();
        if let Some(running) = &self.running {
            all.extend(lock(&running.reported).violations.iter().cloned());
        }
        all
    }
}

fn lock(reported: &Mutex<Reported>) -> MutexGuard<'_, Reported> {
    reported.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn read(lines: ChildStdout, reported: Arc<Mutex<Reported>>) {
    let mut lines = BufReader::new(lines).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut reported = lock(&reported);
        if let Some(counts) = counts_of(&line) {
            reported.counts = counts;
        } else if let Some(violation) = line.strip_prefix(VIOLATION) {
            reported.violations.push(violation.trim().to_owned());
        } else if line == SETTLED {
            reported.is_settled = true;
        }
    }
}
