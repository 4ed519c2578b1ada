use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::install::{base, wait};
use crate::port::free_port;
use crate::{ADMIN, Kind, USER, url};

/// Ends the server after it was unused for a while. Each user holds a shared lock on
/// `users`; starting and ending take the lock on `start`. The folder belongs to this
/// server alone, so that it may be removed without a lock.
const WATCH: &str = r#"
home=$1; folder=$2; shift 2
"$@" &
server=$!
while sleep 10; do
    kill -0 $server 2>/dev/null || break
    flock "$home/start" flock --nonblock --exclusive "$home/users" \
        sh -c 'rm -f "$1/address"; kill -9 "$2"' sh "$home" $server && break
done
wait $server
rm -rf "$folder"
"#;

/// A server that all test processes share.
#[derive(Debug)]
pub struct Shared {
    url: String,
    admin_url: Option<String>,
    port: u16,
    /// Keeps the server up for as long as this process lives.
    _user: Option<File>,
}

impl Shared {
    /// The URL for a user who owns every database named `wallet_...`, without a database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL for the user with all rights; `None` if the environment named the server.
    #[must_use]
    pub fn admin_url(&self) -> Option<&str> {
        self.admin_url.as_deref()
    }

    /// Its port on this machine; 0 if the environment named the server.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }
}

/// The server of this kind, started if necessary.
///
/// # Panics
/// When it is not installed or does not start.
pub fn shared(kind: Kind) -> &'static Shared {
    static MARIADB: OnceLock<Shared> = OnceLock::new();
    static MYSQL: OnceLock<Shared> = OnceLock::new();
    let place = match kind {
        Kind::MariaDb => &MARIADB,
        Kind::MySql => &MYSQL,
    };
    place.get_or_init(|| find_or_start(kind))
}

fn find_or_start(kind: Kind) -> Shared {
    if let Ok(url) = std::env::var(kind.variable()) {
        return Shared {
            url: url.trim_end_matches('/').to_owned(),
            admin_url: None,
            port: 0,
            _user: None,
        };
    }
    let prepare = |folder: &Path| kind.prepare(folder);
    let command = |folder: &Path, port| kind.command(folder, port);
    share(kind.name(), prepare, command, wait)
}

/// The server of this name: the running one, or a new one. For a new one, `prepare` makes
/// the folder, `command` runs it, and `wait` returns once it answers.
pub(crate) fn share(
    name: &str,
    prepare: impl FnOnce(&Path),
    command: impl FnOnce(&Path, u16) -> Vec<String>,
    wait: impl FnOnce(&Path, u16),
) -> Shared {
    let home = base().join(name);
    fs::create_dir_all(&home).expect("a folder for servers");
    let start = File::create(home.join("start")).expect("a file to lock");
    start.lock().expect("the lock for starting");
    let user = File::create(home.join("users")).expect("a file to lock");
    user.lock_shared().expect("the lock of users");
    let port = running(&home).unwrap_or_else(|| run(&home, prepare, command, wait));
    start.unlock().expect("the lock for starting");
    Shared {
        url: url(USER, port),
        admin_url: Some(url(ADMIN, port)),
        port,
        _user: Some(user),
    }
}

/// The port of the running server, if any.
fn running(home: &Path) -> Option<u16> {
    let address = fs::read_to_string(home.join("address")).ok()?;
    let port = address.trim().parse().ok()?;
    std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    Some(port)
}

#[allow(
    clippy::zombie_processes,
    reason = "it outlives this process, and the next one takes it over"
)]
fn run(
    home: &Path,
    prepare: impl FnOnce(&Path),
    command: impl FnOnce(&Path, u16) -> Vec<String>,
    wait: impl FnOnce(&Path, u16),
) -> u16 {
    let folder = home.join(format!("server-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    prepare(&folder);
    let port = free_port();
    let watch = Command::new("sh")
        .args(["-c", WATCH, "sh"])
        .args([home, &folder])
        .args(command(&folder, port))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // It outlives the test that starts it.
        .process_group(0)
        .spawn();
    watch.expect("a shell");
    wait(&folder, port);
    fs::write(home.join("address"), port.to_string()).expect("the server's address");
    port
}
