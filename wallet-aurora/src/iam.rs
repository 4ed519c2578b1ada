//! IAM database authentication: signs tokens that serve as passwords. Needs the feature
//! `iam`.

use std::error::Error;
use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use wallet_core::runtime::Clock;

use crate::{Credentials, Endpoint};

/// How long a token can open connections: the service's maximum.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html>
const LIFETIME: Duration = Duration::from_secs(900);

/// IAM database authentication. It signs a token for every new connection with the AWS
/// credentials that the host provides, for example from `aws-config`.
///
/// The server asks for the token in clear text, so the driver sends it over TLS only. The
/// address must say `ssl-mode=REQUIRED` or, better, `VERIFY_IDENTITY`. Needs the feature
/// `iam`.
///
/// ```
/// use std::sync::Arc;
/// use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
/// use wallet_aurora::{AuroraSettings, IamToken};
/// use wallet_core::SystemClock;
///
/// let keys = Credentials::new("AKIDEXAMPLE", "secret", None, None, "vault");
/// let provider = SharedCredentialsProvider::new(keys);
/// let token = IamToken::new(provider, "eu-central-1", Arc::new(SystemClock));
/// let mut settings = AuroraSettings::new(
///     "mysql://shop@writer.example/shop?ssl-mode=VERIFY_IDENTITY&ssl-ca=/etc/rds.pem",
/// );
/// settings.credentials = Some(Arc::new(token));
/// # drop(settings);
/// ```
pub struct IamToken {
    provider: SharedCredentialsProvider,
    region: String,
    clock: Arc<dyn Clock>,
}

impl IamToken {
    /// Creates tokens for databases in `region`.
    #[must_use]
    pub fn new(
        provider: SharedCredentialsProvider,
        region: impl Into<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            provider,
            region: region.into(),
            clock,
        }
    }
}

impl fmt::Debug for IamToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IamToken")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Credentials for IamToken {
    async fn password(&self, endpoint: &Endpoint) -> Result<String, Box<dyn Error + Send + Sync>> {
        let identity = self.provider.provide_credentials().await?.into();
        let mut settings = SigningSettings::default();
        settings.expires_in = Some(LIFETIME);
        settings.signature_location = SignatureLocation::QueryParams;
        let since = u64::try_from(self.clock.now().as_micros())?;
        let now = UNIX_EPOCH.checked_add(Duration::from_micros(since));
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("rds-db")
            .time(now.ok_or("the clock is out of range")?)
            .settings(settings)
            .build()?;
        let Endpoint { host, port, user } = endpoint;
        let user = percent_encoded(user);
        let url = format!("https://{host}:{port}/?Action=connect&DBUser={user}");
        let body = SignableBody::Bytes(&[]);
        let request = SignableRequest::new("GET", &url, std::iter::empty(), body)?;
        let (instructions, _) = sign(request, &params.into())?.into_parts();
        let mut token = format!("{host}:{port}/?Action=connect&DBUser={user}");
        for (name, value) in instructions.params() {
            token.push('&');
            token.push_str(name);
            token.push('=');
            token.push_str(&percent_encoded(value));
        }
        Ok(token)
    }
}

/// Encodes every character except those that RFC 3986 calls unreserved.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wallet_core::Timestamp;

    use super::*;

    #[derive(Debug)]
    struct Noon;

    #[async_trait]
    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            // 2026-11-23T12:00:00Z
            Timestamp::from_micros(1_795_435_200_000_000)
        }

        async fn sleep(&self, _: Duration) {}
    }

    /// The token that botocore's `generate_db_auth_token` gives for the same input.
    const EXPECTED: &str = "db.cluster-x.eu-central-1.rds.amazonaws.com:3306/?Action=connect\
        &DBUser=shop%2Buser&X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKIDEXAMPLE%2F20261123%2Feu-central-1%2Frds-db%2Faws4_request\
        &X-Amz-Date=20261123T120000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host\
        &X-Amz-Security-Token=session%2Ftoken%2B1%3D\
        &X-Amz-Signature=508e18e494a0e0fdbcfd1f780d187453d641267a889fa0bad815bc8c301f12cb";

    #[tokio::test]
    async fn a_token_is_signed_as_aws_signs_it() {
        let keys = aws_credential_types::Credentials::new(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            Some("session/token+1=".to_owned()),
            None,
            "test",
        );
        let provider = SharedCredentialsProvider::new(keys);
        let token = IamToken::new(provider, "eu-central-1", Arc::new(Noon));
        let endpoint = Endpoint {
            host: "db.cluster-x.eu-central-1.rds.amazonaws.com".to_owned(),
            port: 3306,
            user: "shop+user".to_owned(),
        };
        let signed = token.password(&endpoint).await.unwrap();
        let parts =
            |text: &str| -> BTreeSet<String> { text.split('&').map(str::to_owned).collect() };
        assert_eq!(parts(&signed), parts(EXPECTED));
        assert!(signed.starts_with("db.cluster-x"), "{signed}");
    }
}
