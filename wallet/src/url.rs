//! The URL of a store.

use std::path::PathBuf;

use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

/// What a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    Memory,
    Sqlite(PathBuf),
    Mysql(String),
}

/// Reads `memory:`, `sqlite:PATH` (also `sqlite://PATH`) or `mysql://...`. MariaDB and Aurora
/// are `mysql`, too.
///
/// # Errors
/// `Invalid`: another URL. The text may hold a password, so the error does not repeat it.
pub(crate) fn parse(url: &str) -> Result<StoreUrl, StoreError> {
    let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
    match scheme {
        "memory" if rest.is_empty() => Ok(StoreUrl::Memory),
        "sqlite" => match rest.strip_prefix("//").unwrap_or(rest) {
            "" => Err(no_store()),
            path => Ok(StoreUrl::Sqlite(PathBuf::from(path))),
        },
        "mysql" if rest.starts_with("//") => Ok(StoreUrl::Mysql(url.to_owned())),
        _ => Err(no_store()),
    }
}

fn no_store() -> StoreError {
    let context = "the URL of a store is memory:, sqlite:PATH or \
                   mysql://USER:PASSWORD@HOST/DATABASE";
    StoreError::new(StoreErrorKind::Invalid, context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_one_store_or_is_refused_without_its_password() {
        let sqlite = |path: &str| StoreUrl::Sqlite(PathBuf::from(path));
        for (url, expected) in [
            ("memory:", StoreUrl::Memory),
            ("sqlite:shop.db", sqlite("shop.db")),
            ("sqlite:/var/lib/shop.db", sqlite("/var/lib/shop.db")),
            ("sqlite://shop.db", sqlite("shop.db")),
            ("sqlite:///var/lib/shop.db", sqlite("/var/lib/shop.db")),
            (
                "mysql://u:p@h/d",
                StoreUrl::Mysql("mysql://u:p@h/d".to_owned()),
            ),
        ] {
            assert_eq!(parse(url).unwrap(), expected, "{url}");
        }
        for url in [
            "",
            "shop.db",
            "sqlite:",
            "sqlite://",
            "memory:x",
            "mysql:u:secret@h/d",
            "postgres://u:secret@h/d",
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Invalid, "{url}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
