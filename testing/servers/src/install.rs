use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{ADMIN, PASSWORD, USER, tls};

/// The kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// MariaDB, as the system's package.
    MariaDb,
    /// Oracle's MySQL, which `scripts/setup-servers` unpacks.
    MySql,
}

/// Options for both: durable as in production, small, quick to start.
const OPTIONS: [&str; 13] = [
    "--no-defaults",
    "--bind-address=127.0.0.1",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_bin",
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-buffer-pool-size=64M",
    "--max-connections=300",
    "--max-allowed-packet=16M",
    "--performance-schema=OFF",
    "--table-open-cache=4000",
    "--open-files-limit=8000",
];

impl Kind {
    /// The name in paths.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::MariaDb => "mariadb",
            Self::MySql => "mysql",
        }
    }

    /// The variable that names another server instead.
    pub(crate) const fn variable(self) -> &'static str {
        match self {
            Self::MariaDb => "WALLET_TEST_MARIADB_URL",
            Self::MySql => "WALLET_TEST_MYSQL_URL",
        }
    }

    /// The program and its first arguments.
    fn program(self) -> Vec<String> {
        match self {
            Self::MariaDb => vec!["/usr/sbin/mariadbd".to_owned()],
            Self::MySql => {
                let root = mysql_root();
                let at = |path: &str| root.join(path).display().to_string();
                vec![
                    at("usr/lib64/ld-linux-x86-64.so.2"),
                    "--library-path".to_owned(),
                    at("usr/lib/x86_64-linux-gnu"),
                    at("usr/sbin/mysqld"),
                ]
            }
        }
    }

    /// The command that runs a server on `folder` and `port`.
    pub(crate) fn command(self, folder: &Path, port: u16) -> Vec<String> {
        let mut command = self.program();
        command.extend(OPTIONS.map(str::to_owned));
        let at = |path: &str| folder.join(path).display().to_string();
        command.push(format!("--datadir={}", at("data")));
        // A starting server deletes all temporary tables in its tmpdir, also those of other
        // servers, and MariaDB crashes then. So each server has its own.
        command.push(format!("--tmpdir={}", at("tmp")));
        command.push(format!("--socket={}", at("socket")));
        command.push(format!("--pid-file={}", at("pid")));
        command.push(format!("--init-file={}", at("init.sql")));
        command.push(format!("--log-error={}", at("log")));
        command.push(format!("--port={port}"));
        command.extend(tls::options(folder));
        command.extend(self.own_options());
        command
    }

    fn own_options(self) -> Vec<String> {
        let mut options: Vec<String> = match self {
            Self::MariaDb => vec!["--innodb-log-file-size=32M".to_owned()],
            Self::MySql => {
                let root = mysql_root();
                let at = |path: &str| root.join(path).display().to_string();
                vec![
                    format!("--basedir={}", at("usr")),
                    format!("--lc-messages-dir={}", at("usr/share/mysql")),
                    "--secure-file-priv=".to_owned(),
                    "--mysqlx=OFF".to_owned(),
                    "--innodb-redo-log-capacity=32M".to_owned(),
                ]
            }
        };
        // Servers refuse to run as root unless a user is named.
        options.push("--user=root".to_owned());
        options
    }

    /// Prepares `folder` for [`command`](Self::command): copies the data folder from a
    /// template that is made once.
    pub(crate) fn prepare(self, folder: &Path) {
        let template = base().join(format!("{}-template", self.name()));
        fs::create_dir_all(base()).expect("a folder for servers");
        let lock = base().join(format!("{}-template.lock", self.name()));
        let lock = fs::File::create(lock).expect("a file to lock");
        lock.lock().expect("the lock for the template");
        if !template.join("made").exists() {
            let _ = fs::remove_dir_all(&template);
            fs::create_dir_all(&template).expect("a folder for the template");
            self.initialise(&template.join("data"));
            fs::write(template.join("made"), "").expect("the template's mark");
        }
        drop(lock);
        fs::create_dir_all(folder.join("tmp")).expect("a folder for the server");
        tls::issue(folder);
        fs::write(folder.join("init.sql"), users()).expect("the statements for the start");
        let copied = Command::new("cp")
            .arg("--archive")
            .args([template.join("data"), folder.join("data")])
            .status();
        assert!(copied.is_ok_and(|status| status.success()), "copying data");
        // A replica follows only servers with another server id.
        let _ = fs::remove_file(folder.join("data/auto.cnf"));
    }

    fn initialise(self, data: &Path) {
        let into = format!("--datadir={}", data.display());
        let command: Vec<String> = match self {
            Self::MariaDb => ["mariadb-install-db", "--no-defaults"]
                .map(str::to_owned)
                .into_iter()
                .chain(["--skip-test-db", "--user=root"].map(str::to_owned))
                .chain([into])
                .collect(),
            Self::MySql => {
                let mut command = self.program();
                command.extend(["--no-defaults", "--initialize-insecure"].map(str::to_owned));
                command.push(into);
                command.extend(self.own_options());
                command
            }
        };
        let (program, arguments) = command.split_first().expect("a program");
        let output = Command::new(program)
            .args(arguments)
            .env("TMPDIR", data.parent().expect("the template's folder"))
            .stdin(Stdio::null())
            .output();
        let output = output.unwrap_or_else(|error| {
            panic!("{program}: {error}; scripts/setup-servers installs the servers")
        });
        assert!(
            output.status.success(),
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Runs at every start, so it must be idempotent.
fn users() -> String {
    format!(
        "CREATE USER IF NOT EXISTS '{ADMIN}'@'%' IDENTIFIED BY '{PASSWORD}';\n\
         GRANT ALL ON *.* TO '{ADMIN}'@'%' WITH GRANT OPTION;\n\
         CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n\
         GRANT ALL ON `wallet\\_%`.* TO '{USER}'@'%';\n"
    )
}

fn mysql_root() -> PathBuf {
    if let Some(root) = std::env::var_os("WALLET_MYSQL_ROOT") {
        return root.into();
    }
    cache().join("mysql")
}

/// Where `scripts/setup-servers` installs software that is not a package of the system.
pub(crate) fn cache() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || Path::new(&std::env::var_os("HOME").expect("a home")).join(".cache");
    cache.unwrap_or_else(home).join("wallet-servers")
}

/// The cache folder of this workspace's servers.
pub(crate) fn base() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    target.unwrap_or_else(own).join("test-servers")
}

/// Waits until the server of `folder` accepts connections on `port`.
#[allow(
    clippy::disallowed_methods,
    reason = "waiting for a process that does not signal when it is ready"
)]
pub(crate) fn wait(folder: &Path, port: u16) {
    for _ in 0..1_200 {
        // The file is written once the server is ready.
        let is_ready = folder.join("pid").exists();
        if is_ready && std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
    panic!("the server did not start; its log: {log}");
}
