//! One connection, to a server or to a cluster.

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::{Cmd, RedisResult, Value};

use crate::script::Script;

/// What is asked in one round trip.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Plain(Cmd),
    /// By its hash, and once more whole where the server does not know it.
    Script {
        script: &'static Script,
        by_hash: Cmd,
    },
}

/// Cheap to clone: clones share what is under way.
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
                    // It was flushed, or this server is a new one. From here on
                    // it knows it.
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
