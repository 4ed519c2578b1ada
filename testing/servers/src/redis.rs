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

/// Where Debian's package puts it.
const PROGRAM: &str = "/usr/bin/redis-server";

/// A Redis for one test, killed and removed when dropped or when the test's
/// process ends. It keeps nothing on disk: started again it is empty.
#[derive(Debug)]
pub struct PrivateRedis {
    folder: PathBuf,
    port: u16,
    tls_port: u16,
    guard: Option<Child>,
}

impl PrivateRedis {
    /// Starts one.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with more lines of configuration. `sentinel` as the first of
    /// them makes it one.
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

    /// Its address without TLS.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where it listens without TLS.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens with TLS.
    #[must_use]
    pub const fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// The certificate that its own is issued by, as PEM.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        tls::ca(&self.folder)
    }

    /// What it answers to a command: the first line of it, and of a text the
    /// whole.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn ask(&self, command: &str) -> String {
        ask(self.port, command).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// The same where an error is one.
    ///
    /// # Panics
    /// When it refuses the command.
    pub fn tell(&self, command: &str) {
        let answer = self.ask(command);
        assert!(!answer.starts_with('-'), "{command}: {answer}");
    }

    /// Stops it as it stands: it keeps its connections and answers nothing.
    pub fn pause(&self) {
        signal(&self.folder.join("pid"), "-STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        signal(&self.folder.join("pid"), "-CONT");
    }

    /// Kills it at once. Nothing happens when it does not run.
    pub fn kill(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
        let _ = fs::remove_file(self.folder.join("pid"));
    }

    /// Starts it again on the same port, empty.
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
    /// Starts one.
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
            node.tell(&format!("CLUSTER ADDSLOTSRANGE {slots}"));
            nodes.push(node);
            buses.push(bus);
        }
        let cluster = Self { nodes };
        for (node, bus) in cluster.nodes.iter().zip(&buses) {
            let meet = format!("CLUSTER MEET 127.0.0.1 {} {bus}", node.port());
            cluster.nodes.iter().for_each(|other| other.tell(&meet));
        }
        cluster.wait();
        cluster
    }

    /// Waits until every node knows every slot.
    #[allow(
        clippy::disallowed_methods,
        reason = "waiting for processes that tell nobody when they are ready"
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

    /// Its address: all of its nodes.
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

    /// Its nodes, to be killed.
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
