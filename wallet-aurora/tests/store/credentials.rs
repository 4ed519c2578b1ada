//! Passwords that change, and connections that verify the server.

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Connection, Executor, MySqlConnection};
use wallet_aurora::{AuroraSettings, AuroraStore, Credentials, Endpoint};
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_test_servers::{Kind, PASSWORD, Private};

use crate::support::books::{assert_sound, set_up};
use crate::support::on_both;

on_both! {
    a_password_that_changes_is_asked_for_at_every_connection
    the_server_is_verified_by_the_bundle_that_is_given
    a_fixed_password_that_is_refused_is_a_wrong_setting
}

/// A source of passwords that counts its calls.
#[derive(Debug, Default)]
struct Rotating(Mutex<(Option<String>, u32)>);

impl Rotating {
    fn set(&self, password: Option<&str>) {
        self.0.lock().unwrap().0 = password.map(str::to_owned);
    }

    fn asked(&self) -> u32 {
        self.0.lock().unwrap().1
    }
}

#[async_trait]
impl Credentials for Rotating {
    async fn password(&self, endpoint: &Endpoint) -> Result<String, Box<dyn Error + Send + Sync>> {
        assert_eq!(endpoint.user, "wallet");
        assert_eq!(endpoint.host, "127.0.0.1");
        let mut held = self.0.lock().unwrap();
        held.1 += 1;
        held.0.clone().ok_or_else(|| "the vault is sealed".into())
    }
}

async fn admin(server: &Private) -> MySqlConnection {
    let url = format!("{}?ssl-mode=DISABLED", server.admin_url());
    MySqlConnection::connect(&url).await.unwrap()
}

async fn a_password_that_changes_is_asked_for_at_every_connection(kind: Kind) {
    let server = Private::start(kind);
    let mut admin = admin(&server).await;
    admin.execute("CREATE DATABASE wallet_shop").await.unwrap();
    let rotating = Arc::new(Rotating::default());
    let address = format!(
        "mysql://wallet:never-this@127.0.0.1:{}/wallet_shop?ssl-mode=REQUIRED",
        server.port()
    );
    let settings = AuroraSettings {
        // Every use opens a new connection.
        lifetime: Duration::ZERO,
        credentials: Some(Arc::<Rotating>::clone(&rotating)),
        ..AuroraSettings::new(address)
    };
    assert!(!format!("{settings:?}").contains("never-this"));
    let sealed = AuroraStore::open(&settings).await.unwrap_err();
    assert_eq!(sealed.kind(), StoreErrorKind::Unavailable);
    rotating.set(Some(PASSWORD));
    let store = AuroraStore::open(&settings).await.unwrap();
    let before = rotating.asked();
    set_up(&store, 100).await;
    let rotate = "ALTER USER wallet@'%' IDENTIFIED BY 'another-one'";
    admin.execute(rotate).await.unwrap();
    let stale = store.ledgers().await.unwrap_err();
    // The next password may be right: a refused password is being rotated.
    assert_eq!(stale.kind(), StoreErrorKind::Unavailable);
    rotating.set(Some("another-one"));
    assert_sound(&store).await;
    assert!(rotating.asked() > before);
}

async fn the_server_is_verified_by_the_bundle_that_is_given(kind: Kind) {
    let server = Private::start(kind);
    let other = tempfile::tempdir().unwrap();
    let stranger = other.path().join("stranger.pem");
    admin(&server)
        .await
        .execute("CREATE DATABASE wallet_shop")
        .await
        .unwrap();
    wallet_test_servers::write_ca(&stranger);
    let open = async |host: &str, ca: &std::path::Path| {
        let url = server.url().replace("127.0.0.1", host);
        let ca = ca.display();
        let url = format!("{url}/wallet_shop?ssl-mode=VERIFY_IDENTITY&ssl-ca={ca}");
        AuroraStore::open(&AuroraSettings::new(url)).await
    };
    let store = open("127.0.0.1", &server.ca()).await.unwrap();
    set_up(&store, 100).await;
    assert_sound(&store).await;
    open("localhost", &server.ca()).await.unwrap();
    // The certificate is for another address, or from another issuer.
    assert!(open("127.0.0.2", &server.ca()).await.is_err());
    assert!(open("127.0.0.1", &stranger).await.is_err());
}

async fn a_fixed_password_that_is_refused_is_a_wrong_setting(kind: Kind) {
    let shared = wallet_test_servers::shared(kind);
    let (_, rest) = shared.url().split_once('@').unwrap();
    let url = format!("mysql://wallet:wrong@{rest}/wallet_any");
    let refused = AuroraStore::open(&AuroraSettings::new(url)).await;
    assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Internal);
}
