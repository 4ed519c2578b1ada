//! The server process: start, kill, restart and stop.

mod killed;
mod log;
mod settings;
mod signals;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};

use clap::Parser;
use serde_json::Value;
use wallet_core::SystemClock;
use wallet_core::runtime::Clock;

use crate::support::Client;

/// A running server; killed when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) client: Client,
    pub(crate) admin: Client,
    log: Receiver<Value>,
}

impl Process {
    /// Starts it on a file.
    pub(crate) fn start(file: &Path) -> Self {
        Self::start_on(&sqlite(file))
    }

    /// Starts it on a free port, which it reports in its log.
    pub(crate) fn start_on(store: &str) -> Self {
        Self::start_with(&["--store", store], &[])
    }

    /// The same with other arguments and variables.
    pub(crate) fn start_with(arguments: &[&str], variables: &[(&str, String)]) -> Self {
        let listen = [
            ["--listen", "127.0.0.1:0"],
            ["--admin-listen", "127.0.0.1:0"],
            ["--drain-delay-ms", "0"],
        ];
        let listen = listen.concat();
        Self::run(command(&[&*listen, arguments].concat()), variables)
    }

    fn run(mut command: Command, variables: &[(&str, String)]) -> Self {
        let mut child = command
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .env("RUST_LOG", "debug,hyper=off")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let (lines, log_lines) = channel();
        let mut line = String::new();
        let (address, admin) = loop {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "it ended at once");
            let line: Value = serde_json::from_str(&line).unwrap();
            let address = |name: &str| line["fields"][name].as_str().map(str::parse);
            let found = (address("address"), address("admin"));
            lines.send(line).unwrap();
            if let (Some(address), Some(admin)) = found {
                break (address.unwrap(), admin.unwrap());
            }
        };
        // The log must not fill the pipe, and every line is JSON.
        std::thread::spawn(move || {
            for line in log.lines() {
                let line = serde_json::from_str(&line.unwrap()).unwrap();
                if lines.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            client: Client { address },
            admin: Client { address: admin },
            log: log_lines,
        }
    }

    /// Sends the stop signal and waits until it has ended.
    pub(crate) fn terminate(&mut self) {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        assert!(asked.unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }

    /// Limits the size of its files from here on, in bytes.
    pub(crate) fn limit_files(&self, limit: &str) {
        let (id, limit) = (self.child.id().to_string(), format!("--fsize={limit}:"));
        let limited = Command::new("prlimit")
            .args(["--pid", &id, &limit])
            .status();
        assert!(limited.unwrap().success());
    }

    /// Its log, once it has ended.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.log.iter().collect()
    }

    /// The next line of its log with this message, for a minute.
    pub(crate) fn line(&self, message: &str) -> Value {
        let patience = std::time::Duration::from_secs(60);
        let end = SystemClock.now().saturating_add(patience);
        while SystemClock.now() < end {
            let line = self.log.recv_timeout(patience);
            let line = line.unwrap_or_else(|_| panic!("never logged: {message}"));
            if line["fields"]["message"] == message {
                return line;
            }
        }
        panic!("not logged in a minute: {message}");
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Runs the command `wallet`; returns its exit code.
pub(crate) fn command_wallet(arguments: &[&str]) -> u8 {
    let arguments = ["wallet"].iter().chain(arguments);
    let arguments = wallet_cli::Arguments::try_parse_from(arguments).unwrap();
    match arguments.run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("wallet: {error}");
            error.exit_code()
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn sqlite(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// The program with nothing taken from the test's environment.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wallet-server"));
    command.args(arguments).env_clear();
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

#[cfg(feature = "mysql")]
pub(crate) mod on_servers {
    use wallet_aurora::sqlx::{Connection, Executor, MySqlConnection};
    use wallet_test_servers::{Kind, Private};

    /// A server and the address of a fresh database on it.
    pub(crate) fn database(kind: Kind) -> (Private, String) {
        let server = Private::start(kind);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut connection = MySqlConnection::connect(&server.url()).await.unwrap();
            connection
                .execute("CREATE DATABASE wallet_rest")
                .await
                .unwrap();
        });
        let url = format!("{}/wallet_rest", server.url());
        (server, url)
    }
}
