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

/// The variable that puts another endpoint in the place of a private one.
const VARIABLE: &str = "WALLET_TEST_DYNAMO_ENDPOINT";

/// An emulator of Amazon DynamoDB for one test, killed when dropped or when the
/// test's process ends. What it holds is lost with it. It starts within
/// milliseconds, so that each test has its own.
#[derive(Debug)]
pub struct PrivateDynamo {
    endpoint: String,
    folder: PathBuf,
    guard: Option<Child>,
}

impl PrivateDynamo {
    /// Starts one; or takes the endpoint that the environment names, where tests
    /// keep apart by names of tables.
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

    /// The address of its endpoint, over HTTP. Any key, any secret and any region
    /// will do.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Stops it as it stands: it keeps its connections and answers nothing.
    ///
    /// # Panics
    /// When the environment named it.
    pub fn pause(&self) {
        signal(&self.folder.join("pid"), "-STOP");
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// When the environment named it.
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

/// Waits until somebody listens on `port`: it listens once it can answer.
#[allow(
    clippy::disallowed_methods,
    reason = "waiting for a process that tells nobody when it is ready"
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
