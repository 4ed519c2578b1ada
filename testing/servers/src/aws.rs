use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::install::{base, cache};
use crate::port::free_port;
use crate::private::GUARD;
use crate::shared::{Shared, share};
use crate::signal::{NUMBERED, signal};

/// The variable that names another endpoint instead of the shared one.
const VARIABLE: &str = "WALLET_TEST_AWS_ENDPOINT";

/// Runs a program with its output in a file, the first argument.
const LOGGED: &str = r#"log=$1; shift; exec "$@" >"$log" 2>&1"#;

/// The URL of the emulator of Amazon SQS and SNS that all test processes share, over
/// HTTP; starts it if necessary. It accepts any key, secret and region. Tests use
/// different names.
///
/// # Panics
/// When it is not installed or does not start.
pub fn shared_aws() -> &'static str {
    static AWS: OnceLock<(String, Option<Shared>)> = OnceLock::new();
    let (endpoint, _user) = AWS.get_or_init(|| {
        if let Ok(endpoint) = std::env::var(VARIABLE) {
            return (endpoint.trim_end_matches('/').to_owned(), None);
        }
        let shared = share("aws", prepare, command, wait);
        (endpoint(shared.port()), Some(shared))
    });
    endpoint
}

/// An emulator of Amazon SQS and SNS for one test. It is killed when dropped or when the
/// test's process ends, and its data is lost.
#[derive(Debug)]
pub struct PrivateAws {
    folder: PathBuf,
    port: u16,
    guard: Option<Child>,
}

impl PrivateAws {
    /// Starts an emulator.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("aws-{}-{number}", std::process::id());
        let mut server = Self {
            folder: base().join(name),
            port: free_port(),
            guard: None,
        };
        prepare(&server.folder);
        server.restart();
        server
    }

    /// Restarts it on the same port, empty.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.kill();
        let guard = Command::new("sh")
            .args(["-c", GUARD, "sh", "sh", "-c", NUMBERED, "sh"])
            .arg(self.folder.join("pid"))
            .args(command(&self.folder, self.port))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.guard = Some(guard.expect("a shell"));
        wait(&self.folder, self.port);
    }

    /// Suspends the process (SIGSTOP): its connections stay open, and it answers nothing.
    ///
    /// # Panics
    /// When it does not run.
    pub fn pause(&self) {
        signal(&self.folder.join("pid"), "-STOP");
    }

    /// Resumes the process.
    ///
    /// # Panics
    /// When it does not run.
    pub fn resume(&self) {
        signal(&self.folder.join("pid"), "-CONT");
    }

    /// The address of its endpoint, over HTTP.
    #[must_use]
    pub fn endpoint(&self) -> String {
        endpoint(self.port)
    }

    /// Kills it at once. Does nothing if it does not run.
    pub fn kill(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
    }
}

impl Drop for PrivateAws {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn prepare(folder: &Path) {
    let program = program();
    assert!(
        program.exists(),
        "{}: not installed; scripts/setup-servers installs the servers",
        program.display()
    );
    fs::create_dir_all(folder).expect("a folder for the server");
}

fn program() -> PathBuf {
    let own = std::env::var_os("WALLET_MINISTACK_ROOT").map(PathBuf::from);
    let root = own.unwrap_or_else(|| cache().join("ministack"));
    root.join("bin/ministack")
}

/// The emulator stays on this machine. By default it listens on all interfaces and looks
/// for containers; both are turned off here.
fn command(folder: &Path, port: u16) -> Vec<String> {
    let log = folder.join("log").display().to_string();
    let mut command: Vec<String> = ["sh", "-c", LOGGED, "sh", &log, "env"]
        .map(str::to_owned)
        .to_vec();
    command.extend([
        "BIND_HOST=127.0.0.1".to_owned(),
        "MINISTACK_HOST=127.0.0.1".to_owned(),
        "DOCKER_HOST=unix:///nonexistent".to_owned(),
        "LOG_LEVEL=WARNING".to_owned(),
        "SERVICES=sqs,sns".to_owned(),
        format!("TMPDIR={}", folder.display()),
        format!("GATEWAY_PORT={port}"),
        program().display().to_string(),
    ]);
    command
}

/// Waits until it answers on `port`.
#[allow(
    clippy::disallowed_methods,
    reason = "waiting for a process that does not signal when it is ready"
)]
fn wait(folder: &Path, port: u16) {
    for _ in 0..1_200 {
        if answers(port).unwrap_or(false) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
    panic!("the emulator did not start; its log: {log}");
}

fn answers(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(std::time::Duration::from_secs(5)))?;
    stream.write_all(b"GET /_ministack/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")?;
    let mut start = [0; 12];
    stream.read_exact(&mut start)?;
    Ok(start.ends_with(b" 200"))
}
