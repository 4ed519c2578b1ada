use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::install::{base, wait};
use crate::port::free_port;
use crate::private::GUARD;
use crate::signal::signal;
use crate::tls;

/// Where Debian's package installs it.
const PROGRAM: &str = "/usr/bin/redis-server";

/// A Redis for one test, killed and removed when dropped or when the test's process ends.
/// It stores nothing on disk: after a restart it is empty.
#[derive(Debug)]
pub struct PrivateRedis {
    folder: PathBuf,
    port: u16,
    tls_port: u16,
    guard: Option<Child>,
}

impl PrivateRedis {
    /// Starts a Redis.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a Redis with more configuration lines. `sentinel` as the first line starts
    /// a Sentinel.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[must_use]
    pub fn start_with(lines: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = base().join(format!("redis-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for the server");
        let mut server = Self {
            folder,
            port: free_port(),
            tls_port: free_port(),
            guard: None,
        };
        server.configure(lines);
        server.restart();
        server
    }

    fn configure(&self, lines: &[&str]) {
        let at = |path: &str| self.folder.join(path).display().to_string();
        let mut text = format!(
            "port {}\nbind 127.0.0.1\ndir {}\npidfile {}\nlogfile {}\n",
            self.port,
            self.folder.display(),
            at("pid"),
            at("log"),
        );
        let is_sentinel = lines.first() == Some(&"sentinel");
        let lines = if is_sentinel {
            fs::write(self.folder.join("sentinel"), "").expect("a mark");
            lines.get(1..).unwrap_or_default()
        } else {
            tls::issue(&self.folder);
            let (cert, key, ca) = (at("tls/cert.pem"), at("tls/key.pem"), at("tls/ca.pem"));
            let _ = write!(
                text,
                "save \"\"\nappendonly no\nrepl-diskless-sync-delay 0\ntls-port {}\n\
                 tls-cert-file {cert}\ntls-key-file {key}\ntls-ca-cert-file {ca}\n\
                 tls-auth-clients no\n",
                self.tls_port
            );
            lines
        };
        for line in lines {
            let _ = writeln!(text, "{line}");
        }
        fs::write(self.folder.join("redis.conf"), text).expect("the configuration");
    }

    /// The URL without TLS.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The port without TLS.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The port with TLS.
    #[must_use]
    pub const fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// The certificate of its issuer, as PEM.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        tls::ca(&self.folder)
    }

    /// The answer to a command: its first line; a text in full.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn ask(&self, command: &str) -> String {
        ask(self.port, command).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// The same, and an error answer is a failure.
    ///
    /// # Panics
    /// If it refuses the command.
    pub fn execute(&self, command: &str) {
        let answer = self.ask(command);
        assert!(!answer.starts_with('-'), "{command}: {answer}");
    }

    /// Suspends the process (SIGSTOP): its connections stay open, and it answers nothing.
    pub fn pause(&self) {
        signal(&self.folder.join("pid"), "-STOP");
    }

    /// Resumes the process.
    pub fn resume(&self) {
        signal(&self.folder.join("pid"), "-CONT");
    }

    /// Kills it at once. Does nothing if it does not run.
    pub fn kill(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
        let _ = fs::remove_file(self.folder.join("pid"));
    }

    /// Restarts it on the same port, empty.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.kill();
        assert!(
            Path::new(PROGRAM).exists(),
            "{PROGRAM}: not installed; scripts/setup-servers installs the servers"
        );
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "sh", PROGRAM]);
        command.arg(self.folder.join("redis.conf"));
        if self.folder.join("sentinel").exists() {
            command.arg("--sentinel");
        }
        let guard = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.guard = Some(guard.expect("a shell"));
        wait(&self.folder, self.port);
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A cluster of three nodes for one test, each with a third of the slots.
#[derive(Debug)]
pub struct PrivateRedisCluster {
    nodes: Vec<PrivateRedis>,
}

impl PrivateRedisCluster {
    /// Starts a cluster.
    ///
    /// # Panics
    /// When Redis is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        let mut nodes = Vec::new();
        let mut buses = Vec::new();
        for slots in ["0 5460", "5461 10922", "10923 16383"] {
            let bus = free_port();
            let node = PrivateRedis::start_with(&[
                "cluster-enabled yes",
                "cluster-require-full-coverage no",
                &format!("cluster-port {bus}"),
                "cluster-node-timeout 2000",
            ]);
            node.execute(&format!("CLUSTER ADDSLOTSRANGE {slots}"));
            nodes.push(node);
            buses.push(bus);
        }
        let cluster = Self { nodes };
        for (node, bus) in cluster.nodes.iter().zip(&buses) {
            let meet = format!("CLUSTER MEET 127.0.0.1 {} {bus}", node.port());
            cluster.nodes.iter().for_each(|other| other.execute(&meet));
        }
        cluster.wait();
        cluster
    }

    /// Waits until every node knows every slot.
    #[allow(
        clippy::disallowed_methods,
        reason = "waiting for processes that do not signal when they are ready"
    )]
    fn wait(&self) {
        for _ in 0..1_200 {
            let is_ready = self.nodes.iter().all(|node| {
                let info = node.ask("CLUSTER INFO");
                info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384")
            });
            if is_ready {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the cluster did not come together");
    }

    /// The URL with all of its nodes.
    #[must_use]
    pub fn url(&self) -> String {
        let each = self.nodes.iter();
        let hosts: Vec<_> = each
            .map(|node| format!("127.0.0.1:{}", node.port()))
            .collect();
        format!("redis+cluster://{}", hosts.join(","))
    }

    /// Its nodes.
    #[must_use]
    pub fn nodes(&self) -> &[PrivateRedis] {
        &self.nodes
    }

    /// Its nodes, for a test that kills them.
    #[must_use]
    pub fn nodes_mut(&mut self) -> &mut [PrivateRedis] {
        &mut self.nodes
    }
}

fn ask(port: u16, command: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let line = line.trim_end().to_owned();
    let length = line.strip_prefix('$').and_then(|text| text.parse().ok());
    let Some(length) = length else {
        return Ok(line);
    };
    let mut text = vec![0; length];
    reader.read_exact(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
