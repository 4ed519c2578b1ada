//! The server process: start, kill, restart and stop.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};

use clap::Parser;
use serde_json::Value;
use wallet_core::SystemClock;
use wallet_core::runtime::Clock;

use crate::support::{Client, Response, transfer};

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

#[test]
fn what_was_acknowledged_survives_kill_9_and_replays_the_same() {
    let folder = tempfile::tempdir().unwrap();
    survives_kill_9(&sqlite(&folder.path().join("wallet.db")));
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

    #[test]
    fn what_was_acknowledged_survives_kill_9_on_mysql() {
        let (_server, store) = database(Kind::MySql);
        super::survives_kill_9(&store);
    }

    #[test]
    fn what_was_acknowledged_survives_kill_9_on_mariadb() {
        let (_server, store) = database(Kind::MariaDb);
        super::survives_kill_9(&store);
    }
}

/// Kills the server under load, asks another one, and the operator's command.
fn survives_kill_9(store: &str) {
    let mut server = Process::start_on(store);
    let client = server.client;
    let ada = client.open_with("ada", "1000000.00");
    let bob = client.open("bob");
    let body = transfer(&ada, &bob, "0.01");

    let acknowledged: Mutex<Vec<(String, Response)>> = Mutex::default();
    let count = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (acknowledged, count, body) = (&acknowledged, &count, &body);
            scope.spawn(move || {
                for index in 0_u32.. {
                    let key = format!("w{worker}-{index}");
                    // An error: the server is gone, and the outcome is unknown.
                    let Ok(answer) = client.try_post("/v1/transfers", &key, body) else {
                        break;
                    };
                    assert_eq!(answer.status, 201, "{answer:?}");
                    acknowledged.lock().unwrap().push((key, answer));
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while count.load(Ordering::Relaxed) < 100 {
            std::thread::yield_now();
        }
        server.kill();
    });

    let mut server = Process::start_on(store);
    let client = server.client;
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() >= 100);
    let cents = |id: &str| client.posted(id).replace('.', "").parse::<usize>().unwrap();
    let moved = cents(&bob);
    // At most the requests in flight are there in addition.
    assert!(
        (acknowledged.len()..acknowledged.len().saturating_add(5)).contains(&moved),
        "{moved}"
    );
    assert_eq!(cents(&ada).saturating_add(moved), 100_000_000);
    for (key, answer) in &acknowledged {
        let again = client.post("/v1/transfers", key, &body);
        assert!(again.is_replayed());
        assert_eq!((again.status, &again.body), (answer.status, &answer.body));
    }
    assert_eq!(cents(&bob), moved);
    server.kill();
    let verify = ["verify", "--nothing-delivered", "--store", store];
    assert_eq!(command_wallet(&verify), 0, "the books are sound");
}

#[test]
fn new_books_are_said_in_the_log_and_old_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wallet.db");
    for (is_new, count) in [(true, 1), (false, 0)] {
        assert_eq!(file.exists(), !is_new);
        let mut server = Process::start(&file);
        server.terminate();
        let created = |line: &Value| {
            let message = line["fields"]["message"].as_str().unwrap_or_default();
            message.starts_with("new books were created")
        };
        assert_eq!(
            server.lines().iter().filter(|line| created(line)).count(),
            count
        );
    }
}

#[test]
fn the_log_names_each_request_and_no_money() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Process::start(&folder.path().join("wallet.db"));
    let ada = server.client.open("ada");
    let answer = server.client.deposit(&ada, "secret-key", "12345.67");
    let id = answer
        .expect(201)
        .header("x-request-id")
        .unwrap()
        .to_owned();
    let made = "GET /v1/accounts/7 HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: mine-7\r\n\r\n";
    server.client.raw(made.as_bytes()).expect(400);
    assert_eq!(server.client.raw(b"no HTTP\r\n\r\n").status, 400);
    let malformed = "wallet_http_connections_failed_total{reason=\"malformed\"} ";
    while server.admin.metric(malformed) == 0 {
        std::thread::yield_now();
    }
    server.kill();
    let lines = server.lines();
    let of = |id: &str| {
        let mut lines = lines.iter();
        let line = lines.find(|line| line["span"]["request_id"] == id);
        line.unwrap_or_else(|| panic!("no line about {id}: {lines:?}"))
    };
    let line = of(&id);
    assert_eq!(line["fields"]["status"], 201);
    assert_eq!(line["span"]["method"], "POST");
    assert_eq!(line["span"]["path"], format!("/v1/accounts/{ada}/deposits"));
    assert!(line["fields"]["took_us"].is_u64());
    assert_eq!(of("mine-7")["fields"]["status"], 400);
    let said = |message: &str| {
        lines
            .iter()
            .find(|line| line["fields"]["message"] == message)
    };
    let malformed = said("a request is no HTTP").unwrap();
    assert!(malformed["fields"]["error"].is_string() && malformed["fields"]["peer"].is_string());
    // Nothing publishes the events of these books.
    let unpublished = lines.iter().find(|line| line["fields"]["rows"] == 0);
    let unpublished = unpublished.unwrap()["fields"]["message"].to_string();
    assert!(unpublished.contains("--events-queue"), "{unpublished}");
    let all = format!("{lines:?}");
    assert!(
        !all.contains("12345.67") && !all.contains("secret-key"),
        "{all}"
    );
}

#[test]
fn a_log_that_nobody_takes_any_more_ends_no_request() {
    let listen = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let mut child = command(&[&listen[..], &["--store", "memory"]].concat())
        .env("RUST_LOG", "debug,hyper=off")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    let address = loop {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "it ended at once");
        let line: Value = serde_json::from_str(&line).unwrap();
        if let Some(address) = line["fields"]["address"].as_str() {
            break address.parse().unwrap();
        }
    };
    drop(log);
    let client = Client { address };
    let ada = client.open_with("ada", "1.00");
    assert_eq!(client.posted(&ada), "1.00");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn sigterm_and_sigint_end_it_well() {
    for signal in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Process::start(&folder.path().join("wallet.db"));
        server.client.open("ada");
        // An idle connection does not delay the stop.
        let _idle = std::net::TcpStream::connect(server.client.address).unwrap();
        let id = server.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(server.child.wait().unwrap().code(), Some(0), "{signal}");
    }
}

#[test]
fn after_sigterm_a_copy_of_the_one_file_holds_everything_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wallet.db");
    let mut server = Process::start(&file);
    let client = server.client;
    let ada = client.open_with("ada", "1000.00");
    let bob = client.open("bob");
    for index in 0..100 {
        let body = transfer(&ada, &bob, "0.01");
        client
            .post("/v1/transfers", &format!("t{index}"), &body)
            .expect(201);
    }
    server.terminate();
    for ending in ["-wal", "-shm"] {
        let log = folder.path().join(format!("wallet.db{ending}"));
        assert!(!log.exists(), "{ending}");
    }
    let copy = folder.path().join("copy.db");
    std::fs::copy(&file, &copy).unwrap();
    let restored = Process::start(&copy);
    assert_eq!(restored.client.posted(&ada), "999.00");
    assert_eq!(restored.client.posted(&bob), "1.00");
}

#[test]
fn a_bad_setting_is_reported_and_ends_with_2() {
    let cases: [(&[&str], &str); 16] = [
        (&["--listen", "nowhere"], "--listen"),
        (&["--store", "postgres:x"], "sqlite:PATH, memory"),
        (&["--store", "sqlite:"], "sqlite:PATH, memory"),
        (&["--store", "sqlite::memory:"], "--store memory"),
        (&["--store", "sqlite:w.db?mode=ro"], "no options"),
        (&["--store", "sqlite:file:w.db"], "no options"),
        (&["--head-timeout-ms", "0"], "--head-timeout-ms"),
        (&["--currencies", "BTC"], "CODE:DECIMALS"),
        (&["--currencies", "EUR:3"], "another exponent"),
        (&["--queue", "0"], "at least 1"),
        (&["--admin-listen", "nowhere"], "ADDRESS:PORT or off"),
        (&["--trusted-proxies", "10.0.0.0/33"], "ADDRESS/BITS"),
        (&["--hosts", "a.example:80"], "without a port"),
        (&["--header-max", "100"], "at least 8192"),
        (&["--log-format", "xml"], "json or text"),
        (&["--colour", "red"], "--colour"),
    ];
    for (arguments, words) in cases {
        let output = run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
    }
}

#[test]
fn decimals_that_are_not_those_of_the_books_end_the_start_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(&folder.path().join("wallet.db"));
    let with = |currencies| ["--store", &store, "--currencies", currencies].map(str::to_owned);
    let arguments = with("BTC:8,POINTS:0");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut server = Process::start_with(&arguments, &[]);
    let body = serde_json::json!({ "owner": "ada", "currency": "BTC" });
    server
        .client
        .post("/v1/accounts", "open", &body)
        .expect(201);
    server.terminate();
    let arguments = with("POINTS:2,BTC:6");
    let listen = ["--listen", "127.0.0.1:0", "--admin-listen", "off"].map(str::to_owned);
    let arguments: Vec<&str> = listen
        .iter()
        .chain(&arguments)
        .map(String::as_str)
        .collect();
    let output = run(&arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    let words = "the books hold BTC with 8 decimals, the settings say 6";
    assert!(stderr.contains(words), "{stderr}");
    // No amount was ever stored in points, so their decimals can change.
    let arguments = with("POINTS:2,BTC:8");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Process::start_with(&arguments, &[]).terminate();
}

#[test]
fn a_store_or_an_address_that_cannot_be_had_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = format!(
        "sqlite:{}",
        folder.path().join("no/such/wallet.db").display()
    );
    let output = run(&[
        "--listen",
        "127.0.0.1:0",
        "--admin-listen",
        "off",
        "--store",
        &nowhere,
    ]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("store"), "{stderr}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&["--listen", &address, "--store", "memory"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(&address), "{stderr}");
}
