//! Connection targets, and how connections are opened.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, RedisError, RedisResult, TlsCertificates, Value, cmd,
};
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::RedisSettings;
use crate::connection::{Connection, Request};
use crate::credentials::SignIn;
use crate::error::store_error;
use crate::url::{Address, Shape};

/// How many requests the client queues before callers have to wait.
const LINED_UP: usize = 1_024;

pub(crate) struct Connector {
    address: Address,
    ca: Option<Arc<[u8]>>,
    sign_in: Option<SignIn>,
    connect_wait: Duration,
    budget: Duration,
    cluster: Option<ClusterClient>,
}

impl RedisSettings {
    /// Checks the address and the settings without connecting. A host calls it when it
    /// reads its settings long before it uses them.
    ///
    /// # Errors
    /// As [`Redis::open`](crate::Redis::open).
    pub fn check(&self) -> Result<(), StoreError> {
        if let Some(problem) = self.problem() {
            return Err(StoreError::new(StoreErrorKind::Internal, problem));
        }
        Connector::new(self).map(drop)
    }
}

impl Connector {
    pub(crate) fn new(settings: &RedisSettings) -> Result<Self, StoreError> {
        let address = Address::parse(&settings.url)?;
        let sign_in = settings.credentials.clone().map(|provider| SignIn {
            provider,
            age: settings.sign_in_age,
            pause: settings.reconnect.longest.max(settings.reconnect.first),
        });
        if sign_in.is_some() && address.has_credentials() {
            let problem = "credentials both in the address and from a provider";
            return Err(StoreError::new(StoreErrorKind::Internal, problem));
        }
        if address.is_tls && rustls::crypto::CryptoProvider::get_default().is_none() {
            // The client uses the provider of the process. The first caller sets it.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut connector = Self {
            address,
            ca: settings.ca.clone(),
            sign_in,
            connect_wait: settings.connect_wait,
            budget: settings.budget,
            cluster: None,
        };
        let context = "the address";
        match connector.address.shape {
            Shape::Cluster => {
                let cluster = connector.cluster_client();
                connector.cluster = Some(cluster.map_err(|error| store_error(error, context))?);
            }
            Shape::Single | Shape::Sentinel => {
                for url in connector.address.each() {
                    let client = connector.client(&url);
                    client.map_err(|error| store_error(error, context))?;
                }
            }
        }
        Ok(connector)
    }

    /// Whether keys are spread over hash slots of a cluster.
    pub(crate) const fn is_cluster(&self) -> bool {
        self.cluster.is_some()
    }

    /// Opens a connection that has answered and accepts writes.
    pub(crate) async fn open(&self) -> RedisResult<Connection> {
        let mut connection = match (&self.cluster, self.address.shape) {
            (Some(cluster), _) => Connection::Cluster(cluster.get_async_connection().await?),
            (None, Shape::Sentinel) => Connection::Single(self.ask_sentinels().await?),
            (None, _) => {
                let url = self.address.each().into_iter().next().unwrap_or_default();
                Connection::Single(self.writable(&url).await?)
            }
        };
        // A connection that is slower than the deadline of a call is useless.
        let mut echo = cmd("ECHO");
        echo.arg("wallet");
        let request = Request::Plain(echo);
        let probe = tokio::time::timeout(self.budget, connection.ask(&request));
        probe.await.map_err(|_| too_slow())??;
        Ok(connection)
    }

    fn certificates(&self) -> TlsCertificates {
        TlsCertificates {
            client_tls: None,
            root_cert: self.ca.as_ref().map(|ca| ca.to_vec()),
        }
    }

    fn client(&self, url: &str) -> RedisResult<Client> {
        if self.address.is_tls {
            Client::build_with_tls(url, self.certificates())
        } else {
            Client::open(url)
        }
    }

    fn cluster_client(&self) -> RedisResult<ClusterClient> {
        let mut builder = ClusterClientBuilder::new(self.address.each())
            .connection_timeout(self.connect_wait)
            .response_timeout(self.budget)
            .retries(2)
            .min_retry_wait(1)
            .max_retry_wait(5);
        if self.address.is_tls {
            builder = builder.certs(self.certificates());
        }
        if let Some(sign_in) = &self.sign_in {
            builder = builder.set_credentials_provider(sign_in.clone());
        }
        builder.build()
    }

    async fn connect(
        &self,
        url: &str,
        sign_in: Option<&SignIn>,
    ) -> RedisResult<MultiplexedConnection> {
        let mut config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_wait))
            // Every call has its own deadline.
            .set_response_timeout(None)
            .set_pipeline_buffer_size(LINED_UP);
        if let Some(sign_in) = sign_in {
            config = config.set_credentials_provider(sign_in.clone());
        }
        let client = self.client(url)?;
        client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    /// A connection to a server that is not a replica.
    async fn writable(&self, url: &str) -> RedisResult<MultiplexedConnection> {
        let mut connection = self.connect(url, self.sign_in.as_ref()).await?;
        match cmd("ROLE").query_async::<Vec<Value>>(&mut connection).await {
            Ok(role) => match role.first() {
                Some(Value::BulkString(role)) if role == b"slave" => Err(is_replica()),
                _ => Ok(connection),
            },
            // The user may lack the right to ask. Then the first write shows whether writes
            // are allowed.
            Err(error) if error.code() == Some("NOPERM") => Ok(connection),
            Err(error) => Err(error),
        }
    }

    /// A connection to the master that the sentinels name.
    async fn ask_sentinels(&self) -> RedisResult<MultiplexedConnection> {
        let mut last = RedisError::from((ErrorKind::Io, "no sentinel"));
        for sentinel in self.address.sentinels() {
            match self.ask_sentinel(&sentinel).await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn ask_sentinel(&self, sentinel: &str) -> RedisResult<MultiplexedConnection> {
        let mut connection = self.connect(sentinel, None).await?;
        let mut question = cmd("SENTINEL");
        question
            .arg("GET-MASTER-ADDR-BY-NAME")
            .arg(&self.address.name);
        let (host, port): (String, u16) = question.query_async(&mut connection).await?;
        self.writable(&self.address.at(&format!("{host}:{port}")))
            .await
    }
}

/// Leaves the address out, because it contains a password.
impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("shape", &self.address.shape)
            .field("is_tls", &self.address.is_tls)
            .finish_non_exhaustive()
    }
}

fn too_slow() -> RedisError {
    let error = std::io::Error::from(std::io::ErrorKind::TimedOut);
    RedisError::from(error)
}

fn is_replica() -> RedisError {
    RedisError::from((ErrorKind::Io, "the server is a replica"))
}
