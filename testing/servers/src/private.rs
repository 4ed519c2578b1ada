use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::install::{base, wait};
use crate::port::free_port;
use crate::signal::{number, signal};
use crate::{ADMIN, Kind, USER, clock, tls, url};

/// Kills the server when the test that started it ends: its end of the pipe is
/// closed then, however it ended.
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
    /// Starts one.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start(kind: Kind) -> Self {
        Self::start_with(kind, &[])
    }

    /// Starts one with more options of its own.
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

    /// The same, whose clock can be [set](Self::set_clock).
    ///
    /// # Panics
    /// As [`Self::start`], and where libfaketime is not installed.
    #[must_use]
    pub fn start_with_clock(kind: Kind, options: &[&str]) -> Self {
        let mut server = Self::start_with(kind, options);
        server.has_clock = true;
        server.set_clock(0);
        server.restart();
        server
    }

    /// Sets the server's clock to so many seconds after the machine's, or before it.
    ///
    /// # Panics
    /// When the server has no clock of its own.
    pub fn set_clock(&self, seconds: i64) {
        assert!(self.has_clock, "a server with a clock of its own");
        let (new, file) = (self.folder.join("clock.new"), self.folder.join("clock"));
        fs::write(&new, format!("{seconds:+}\n")).expect("the server's clock");
        fs::rename(new, file).expect("the server's clock");
    }

    /// Starts one that keeps everything in `folder`, which is made anew.
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

    /// Its address for a user who owns every database named `wallet_...`.
    #[must_use]
    pub fn url(&self) -> String {
        url(USER, self.port)
    }

    /// Its address for a user who may do everything.
    #[must_use]
    pub fn admin_url(&self) -> String {
        url(ADMIN, self.port)
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The certificate that its own is issued by, as PEM.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        tls::ca(&self.folder)
    }

    /// Its data folder and log.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The number of its process.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn process(&self) -> u32 {
        number(&self.folder.join("pid"))
    }

    /// Stops it as it stands: it keeps its connections and answers nothing.
    ///
    /// # Panics
    /// When it does not run.
    pub fn pause(&self) {
        signal(&self.folder.join("pid"), "-STOP");
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn resume(&self) {
        signal(&self.folder.join("pid"), "-CONT");
    }

    /// Kills it at once, as a loss of power of the process would; what it has
    /// written stays. Nothing happens when it does not run.
    pub fn kill(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
        let _ = fs::remove_file(self.folder.join("pid"));
    }

    /// Starts it again on the same data and port.
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
