use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::Name;
use thiserror::Error;
use tower_service::Service;

use super::Addresses;

/// Resolves a name to the addresses that webhooks may go to.
///
/// The client connects only to these addresses and never resolves again. A name that is
/// public during the check and private a moment later (DNS rebinding) reaches nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolver {
    pub(super) addresses: Addresses,
}

#[derive(Debug, Error)]
pub(super) enum ResolveError {
    #[error("the name cannot be resolved: {0}")]
    Name(#[from] io::Error),
    #[error("the name stands for no public address")]
    NotPublic,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = ResolveError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let addresses = self.addresses;
        Box::pin(async move {
            // The client sets the port.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed = found.filter(|found| addresses.allow(found.ip()));
            let allowed: Vec<_> = allowed.collect();
            if allowed.is_empty() {
                return Err(ResolveError::NotPublic);
            }
            Ok(allowed.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_for_the_host_itself_is_resolved_to_nothing() {
        let resolve = |addresses| {
            let name = "localhost".parse().unwrap();
            Resolver { addresses }.call(name)
        };
        let refused = resolve(Addresses::Public).await;
        assert!(matches!(refused, Err(ResolveError::NotPublic)));
        let mut found = resolve(Addresses::Any).await.unwrap();
        assert!(found.all(|found| found.ip().is_loopback()));
    }
}
