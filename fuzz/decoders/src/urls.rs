use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use clap::Parser;
use wallet_aurora::AuroraSettings;
use wallet_core::SystemClock;
use wallet_events::webhook::{Webhook, WebhookClient, WebhookSecret, WebhookSettings};
use wallet_redis::RedisSettings;
use wallet_server::{Config, StoreUrl};

static CLIENT: LazyLock<WebhookClient> =
    LazyLock::new(|| WebhookClient::new(WebhookSettings::default()).unwrap());

/// Addresses of stores, caches and subscribers, and the server's settings.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(StoreUrl::Mysql(url)) = text.parse::<StoreUrl>() {
        assert_eq!(url, text);
    }
    let _ = AuroraSettings::new(text).check();
    let _ = RedisSettings::new(text).check();
    let _ = WebhookSecret::parse(text);
    let secret = || WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let clock = Arc::new(SystemClock);
    let secrets = vec![secret().unwrap()];
    if let Ok(webhook) = Webhook::new(CLIENT.clone(), text, secrets, clock) {
        assert!(text.to_lowercase().starts_with("https:"), "{webhook:?}");
        let inside = address_of(text).filter(|address| is_inside(*address));
        assert_eq!(inside, None, "{text}");
    }
    let mut words = vec!["wallet-server"];
    words.extend(text.split('\n'));
    if let Ok(config) = Config::try_parse_from(words) {
        let _ = config.currency_table();
    }
}

/// The address that stands in a URL instead of a name.
fn address_of(url: &str) -> Option<IpAddr> {
    let (_, rest) = url.split_once("//")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let host = host.rsplit('@').next()?;
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.split(']').next());
    bracketed.or_else(|| host.split(':').next())?.parse().ok()
}

/// Whether it lies inside of a network.
fn is_inside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_loopback() || address.is_private() || address.is_link_local()
        }
        IpAddr::V6(address) => {
            let mapped = address.to_ipv4_mapped();
            address.is_loopback()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || mapped.is_some_and(|address| is_inside(IpAddr::V4(address)))
        }
    }
}
