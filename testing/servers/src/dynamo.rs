use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::install::{base, cache};
use crate::port::free_port;
use crate::private::GUARD;
use crate::signal::{NUMBERED, signal};

/// The variable that names another endpoint instead of a private one.
const VARIABLE: &str = "WALLET_TEST_DYNAMO_ENDPOINT";

/// An emulator of Amazon DynamoDB for one test. It is killed when dropped or when the
/// test's process ends, and its data is lost. It starts within milliseconds, so that each
/// test has its own.
#[derive(Debug)]
pub struct PrivateDynamo {
    endpoint: String,
    folder: PathBuf,
    guard: Option<Child>,
}

impl PrivateDynamo {
    /// Starts an emulator, or uses the endpoint in the environment. There tests use
    /// different table names.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = base().join(format!("dynamo-{}-{number}", std::process::id()));
        if let Ok(endpoint) = std::env::var(VARIABLE) {
            let endpoint = endpoint.trim_end_matches('/').to_owned();
            return Self {
                endpoint,
                folder,
                guard: None,
            };
        }
        let program = program();
        assert!(
            program.exists(),
            "{}: not installed; scripts/setup-servers installs the servers",
            program.display()
        );
        fs::create_dir_all(&folder).expect("a folder for the server");
        let port = free_port();
        let guard = Command::new("sh")
            .args(["-c", GUARD, "sh", "sh", "-c", NUMBERED, "sh"])
            .arg(folder.join("pid"))
            .arg(program)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let guard = Some(guard.expect("a shell"));
        wait(port);
        Self {
            endpoint: format!("http://127.0.0.1:{port}"),
            folder,
            guard,
        }
    }

    /// The URL of its endpoint, over HTTP. It accepts any key, secret and region.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Suspends the process (SIGSTOP): its connections stay open, and it answers nothing.
    ///
    /// # Panics
    /// If the environment named the endpoint.
    pub fn pause(&self) {
        signal(&self.folder.join("pid"), "-STOP");
    }

    /// Resumes the process.
    ///
    /// # Panics
    /// If the environment named the endpoint.
    pub fn resume(&self) {
        signal(&self.folder.join("pid"), "-CONT");
    }
}

impl Drop for PrivateDynamo {
    fn drop(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn program() -> PathBuf {
    let own = std::env::var_os("WALLET_DYNOXIDE_ROOT").map(PathBuf::from);
    let root = own.unwrap_or_else(|| cache().join("dynoxide"));
    root.join("dynoxide")
}

/// Waits until `port` accepts connections: the emulator listens once it can answer.
#[allow(
    clippy::disallowed_methods,
    reason = "waiting for a process that does not signal when it is ready"
)]
fn wait(port: u16) {
    for _ in 0..6_000 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the emulator of DynamoDB did not start");
}
