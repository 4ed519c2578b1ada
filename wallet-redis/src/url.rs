//! Addresses: one server, sentinels, or a cluster.

use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

/// The kind of deployment at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Single,
    Sentinel,
    Cluster,
}

/// The parts of an address.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) shape: Shape,
    pub(crate) is_tls: bool,
    /// `user:password`, as written in the address.
    credentials: String,
    /// `host:port`, as written in the address.
    hosts: Vec<String>,
    /// The sentinels' name of the server.
    pub(crate) name: String,
    db: String,
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("no scheme"))?;
        let (is_tls, shape) = match scheme {
            "redis" => (false, Shape::Single),
            "rediss" => (true, Shape::Single),
            "redis+sentinel" => (false, Shape::Sentinel),
            "rediss+sentinel" => (true, Shape::Sentinel),
            "redis+cluster" => (false, Shape::Cluster),
            "rediss+cluster" => (true, Shape::Cluster),
            _ => return Err(bad("a scheme that is not known")),
        };
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((credentials, rest)) => (credentials, rest),
            None => ("", rest),
        };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let hosts: Vec<String> = hosts.split(',').map(str::to_owned).collect();
        if hosts.iter().any(String::is_empty) {
            return Err(bad("a host is missing"));
        }
        let (name, db) = match shape {
            Shape::Single => ("", path),
            Shape::Sentinel => path.split_once('/').unwrap_or((path, "")),
            Shape::Cluster => ("", ""),
        };
        match shape {
            Shape::Single if hosts.len() > 1 => return Err(bad("more than one host")),
            Shape::Sentinel if name.is_empty() => return Err(bad("no name of a server")),
            Shape::Cluster if !path.is_empty() => return Err(bad("a cluster has one database")),
            Shape::Single | Shape::Sentinel | Shape::Cluster => {}
        }
        if !db.is_empty() && db.parse::<u16>().is_err() {
            return Err(bad("a database is a number"));
        }
        Ok(Self {
            shape,
            is_tls,
            credentials: credentials.to_owned(),
            hosts,
            name: name.to_owned(),
            db: db.to_owned(),
        })
    }

    /// Whether the address contains a user or a password.
    pub(crate) fn has_credentials(&self) -> bool {
        !self.credentials.is_empty()
    }

    /// One address for each host.
    pub(crate) fn each(&self) -> Vec<String> {
        self.hosts.iter().map(|host| self.at(host)).collect()
    }

    /// The addresses of the sentinels. Sentinels need no user and have no database.
    pub(crate) fn sentinels(&self) -> Vec<String> {
        let scheme = self.scheme();
        let each = self.hosts.iter();
        each.map(|host| format!("{scheme}://{host}")).collect()
    }

    /// The address of a server at `host`.
    pub(crate) fn at(&self, host: &str) -> String {
        let (scheme, credentials, db) = (self.scheme(), &self.credentials, &self.db);
        let at = if credentials.is_empty() { "" } else { "@" };
        format!("{scheme}://{credentials}{at}{host}/{db}")
    }

    const fn scheme(&self) -> &'static str {
        if self.is_tls { "rediss" } else { "redis" }
    }
}

fn bad(what: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Internal, format!("the address: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let one = Address::parse("rediss://u:p@host:1/3").unwrap();
        assert_eq!((one.shape, one.is_tls), (Shape::Single, true));
        assert_eq!(one.each(), ["rediss://u:p@host:1/3"]);
        let sentinel = Address::parse("redis+sentinel://:p@a:1,b:2/main/4").unwrap();
        assert_eq!(sentinel.sentinels(), ["redis://a:1", "redis://b:2"]);
        assert_eq!(sentinel.name, "main");
        assert_eq!(sentinel.at("c:3"), "redis://:p@c:3/4");
        let cluster = Address::parse("redis+cluster://a:1,b:2").unwrap();
        assert_eq!(cluster.each(), ["redis://a:1/", "redis://b:2/"]);
    }

    #[test]
    fn bad_addresses_are_refused() {
        for url in [
            "host:1",
            "http://host",
            "redis://",
            "redis://a,b",
            "redis://a/x",
            "redis+sentinel://a:1",
            "redis+cluster://a/1",
            "redis+cluster://a,,b",
        ] {
            let error = Address::parse(url).err().expect(url);
            assert_eq!(error.kind(), StoreErrorKind::Internal, "{url}");
        }
    }
}
