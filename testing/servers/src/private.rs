use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::install::{base, wait};
use crate::port::free_port;
use crate::signal::{number, signal};
use crate::{ADMIN, Kind, USER, clock, tls, url};

/// Kills the server when its test ends: the test's end of the pipe is then closed,
/// however the test ended.
pub(crate) const GUARD: &str = r#"
"$@" &
server=$!
cat >/dev/null
kill -9 $server 2>/dev/null
wait $server
"#;

/// A server for one test, killed and removed when dropped or when the test's
/// process ends.
#[derive(Debug)]
pub struct Private {
    kind: Kind,
    folder: PathBuf,
    port: u16,
    more: Vec<String>,
    has_clock: bool,
    guard: Option<Child>,
}

impl Private {
    /// Starts a server.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start(kind: Kind) -> Self {
        Self::start_with(kind, &[])
    }

    /// Starts a server with more options.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[must_use]
    pub fn start_with(kind: Kind, options: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{}-{number}", kind.name(), std::process::id());
        Self::start_in(kind, &base().join(name), options)
    }

    /// The same with a clock that can be [set](Self::set_clock).
    ///
    /// # Panics
    /// As [`Self::start`], and if libfaketime is not installed.
    #[must_use]
    pub fn start_with_clock(kind: Kind, options: &[&str]) -> Self {
        let mut server = Self::start_with(kind, options);
        server.has_clock = true;
        server.set_clock(0);
        server.restart();
        server
    }

    /// Sets the server's clock to this many seconds after or before the machine's.
    ///
    /// # Panics
    /// If the server has no own clock.
    pub fn set_clock(&self, seconds: i64) {
        assert!(self.has_clock, "a server with a clock of its own");
        let (new, file) = (self.folder.join("clock.new"), self.folder.join("clock"));
        fs::write(&new, format!("{seconds:+}\n")).expect("the server's clock");
        fs::rename(new, file).expect("the server's clock");
    }

    /// Starts a server with all its data in `folder`, which is created anew.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[must_use]
    pub fn start_in(kind: Kind, folder: &Path, options: &[&str]) -> Self {
        let folder = folder.to_owned();
        let _ = fs::remove_dir_all(&folder);
        kind.prepare(&folder);
        let mut server = Self {
            kind,
            folder,
            port: free_port(),
            more: options.iter().map(|option| (*option).to_owned()).collect(),
            has_clock: false,
            guard: None,
        };
        server.restart();
        server
    }

    /// The URL for a user who owns every database named `wallet_...`.
    #[must_use]
    pub fn url(&self) -> String {
        url(USER, self.port)
    }

    /// The URL for the user with all rights.
    #[must_use]
    pub fn admin_url(&self) -> String {
        url(ADMIN, self.port)
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of its issuer, as PEM.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        tls::ca(&self.folder)
    }

    /// The folder with its data and log.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its process id.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn process(&self) -> u32 {
        number(&self.folder.join("pid"))
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

    /// Kills the process at once; written data stays. Does nothing if it does not run.
    pub fn kill(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
        let _ = fs::remove_file(self.folder.join("pid"));
    }

    /// Restarts it on the same data and port.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.kill();
        let mut command = Vec::new();
        if self.has_clock {
            command.push("env".to_owned());
            command.extend(clock::variables(&self.folder.join("clock")));
        }
        command.extend(self.kind.command(&self.folder, self.port));
        command.extend(self.more.iter().cloned());
        let guard = Command::new("sh")
            .args(["-c", GUARD, "sh"])
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.guard = Some(guard.expect("a shell"));
        wait(&self.folder, self.port);
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
