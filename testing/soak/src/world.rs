//! The servers, each behind a proxy, and the hosts.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::timeout;
use wallet_aurora::sqlx::{Connection, Executor, MySqlConnection};
use wallet_aurora::{AuroraInbox, AuroraSettings, AuroraStore};
use wallet_core::service::Answer;
use wallet_core::{Request, Wallet};
use wallet_test_servers::{Private, PrivateAws, PrivateDynamo, PrivateRedis};

use crate::args::RunArgs;
use crate::host::effects;
use crate::hosts::{Addresses, Host};
use crate::proxy::Proxy;
use crate::{Result, clients, plan};

/// The database's name.
const NAME: &str = "wallet_soak";
/// A buffer pool large enough that random inserts do not wait for the disk.
const OPTIONS: [&str; 1] = ["--innodb-buffer-pool-size=512M"];

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) args: RunArgs,
    pub(crate) database: Private,
    pub(crate) redis: PrivateRedis,
    pub(crate) queue: PrivateAws,
    pub(crate) history: PrivateDynamo,
    pub(crate) to_database: Proxy,
    pub(crate) to_redis: Proxy,
    pub(crate) to_queue: Proxy,
    pub(crate) to_history: Proxy,
    pub(crate) hosts: Vec<Host>,
    folder: PathBuf,
}

fn port_of(endpoint: &str) -> Result<u16> {
    let (_, port) = endpoint.rsplit_once(':').ok_or("an endpoint has a port")?;
    Ok(port.parse()?)
}

impl World {
    pub(crate) async fn start(args: RunArgs) -> Result<Self> {
        let kind = args.database.kind();
        let own = format!("wallet-soak-{}", std::process::id());
        let folder = args.folder.clone();
        let folder = folder.unwrap_or_else(|| std::env::temp_dir().join(own));
        std::fs::create_dir_all(&folder)?;
        let started = tokio::task::spawn_blocking(move || {
            (
                Private::start_with_clock(kind, &OPTIONS),
                PrivateRedis::start(),
                PrivateAws::start(),
                PrivateDynamo::start(),
            )
        });
        let (database, redis, queue, history) = started.await?;
        let mut world = Self {
            to_database: Proxy::start(database.port()).await?,
            to_redis: Proxy::start(redis.port()).await?,
            to_queue: Proxy::start(port_of(&queue.endpoint())?).await?,
            to_history: Proxy::start(port_of(history.endpoint())?).await?,
            args,
            database,
            redis,
            queue,
            history,
            hosts: Vec::new(),
            folder,
        };
        world.set_up().await?;
        Ok(world)
    }

    async fn set_up(&mut self) -> Result<()> {
        let mut connection = MySqlConnection::connect(&self.database.url()).await?;
        connection
            .execute(format!("CREATE DATABASE {NAME}").as_str())
            .await?;
        let settings = AuroraSettings::new(self.database_url());
        let store = std::sync::Arc::new(AuroraStore::open(&settings).await?);
        AuroraInbox::open(&settings).await?;
        let mut own = MySqlConnection::connect(&self.database_url()).await?;
        own.execute(effects::TABLE).await?;
        clients::create_table(self.history.endpoint()).await?;
        let queue_url = clients::create_queue(&self.queue.endpoint()).await?;
        let wallet = Wallet::builder(store).spawn()?;
        submit(&wallet, plan::opening()?).await?;
        wallet.shutdown().await;
        let through = |proxy: &Proxy| format!("http://127.0.0.1:{}", proxy.port());
        let by_proxy = self.to_database.port();
        let addresses = Addresses {
            database: at(&self.database.url(), by_proxy),
            redis: format!("redis://127.0.0.1:{}", self.to_redis.port()),
            queue: through(&self.to_queue),
            queue_url,
            history: through(&self.to_history),
        };
        for number in 0..self.args.hosts {
            let acks = self.folder.join(format!("acks-{number}"));
            if acks.exists() {
                return Err(format!("{}: is there already", acks.display()).into());
            }
            let mut host = Host::new(number, &self.args, &addresses, acks)?;
            host.start()?;
            self.hosts.push(host);
        }
        Ok(())
    }

    /// The database, directly.
    pub(crate) fn database_url(&self) -> String {
        at(&self.database.url(), self.database.port())
    }

    /// Runs a statement as the user with all rights.
    pub(crate) async fn administer(&self, sql: &str) -> Result<()> {
        let run = async {
            let mut connection = MySqlConnection::connect(&self.database.admin_url()).await?;
            connection.execute(sql).await?;
            Ok::<(), crate::Error>(())
        };
        timeout(Duration::from_secs(10), run).await?
    }

    /// Kills and restarts a server; blocking.
    pub(crate) fn restart_database(&mut self) {
        tokio::task::block_in_place(|| self.database.restart());
    }

    /// The emulated queue restarts empty; a real queue would not.
    pub(crate) async fn restart_queue(&mut self) -> Result<()> {
        tokio::task::block_in_place(|| self.queue.restart());
        clients::create_queue(&self.queue.endpoint()).await?;
        Ok(())
    }

    /// Whether the run was asked to end early: a file `stop` lies beside the files of
    /// answers.
    pub(crate) fn is_to_stop(&self) -> bool {
        self.folder.join("stop").exists()
    }

    /// Removes the files of answers after a successful run.
    pub(crate) fn clean(&self) -> Result<()> {
        Ok(std::fs::remove_dir_all(&self.folder)?)
    }
}

/// The database's address with another port.
fn at(url: &str, port: u16) -> String {
    let user = url.rsplit_once('@').map_or(url, |(user, _)| user);
    format!("{user}@127.0.0.1:{port}/{NAME}?ssl-mode=disabled")
}

/// Submits a request that must be accepted.
pub(crate) async fn submit(wallet: &Wallet, requests: Vec<Request>) -> Result<Vec<Answer>> {
    let mut answers = Vec::new();
    for answer in wallet.submit_all_raw(requests).await {
        let answer = answer?;
        answer.accepted()?;
        answers.push(answer);
    }
    Ok(answers)
}
