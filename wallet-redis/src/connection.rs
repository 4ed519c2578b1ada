//! One connection, to a server or to a cluster.

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::{Cmd, RedisResult, Value};

use crate::script::Script;

/// The commands of one round trip.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Plain(Cmd),
    /// A script call by hash. It is repeated with the full script if the server does not
    /// know the hash.
    Script {
        script: &'static Script,
        by_hash: Cmd,
    },
}

/// Cheap to clone. Clones share the requests in flight.
#[derive(Clone)]
pub(crate) enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    pub(crate) async fn ask(&mut self, request: &Request) -> RedisResult<Value> {
        match request {
            Request::Plain(command) => self.send(command).await,
            Request::Script { script, by_hash } => match self.send(by_hash).await {
                Err(error) if error.code() == Some("NOSCRIPT") => {
                    // The script cache was flushed, or the server is new. This call loads
                    // the script again.
                    self.send(&script.whole(by_hash)).await
                }
                answer => answer,
            },
        }
    }

    async fn send(&mut self, command: &Cmd) -> RedisResult<Value> {
        let answer = match self {
            Self::Single(connection) => connection.req_packed_command(command).await,
            Self::Cluster(connection) => connection.req_packed_command(command).await,
        };
        answer?.extract_error()
    }
}
