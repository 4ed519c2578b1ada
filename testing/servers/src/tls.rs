use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// The certificate of a server's issuer, which clients trust.
pub(crate) fn ca(folder: &Path) -> PathBuf {
    folder.join("tls/ca.pem")
}

/// The options that make a server use what [`issue`] wrote.
pub(crate) fn options(folder: &Path) -> [String; 3] {
    let at = |path: &str| folder.join("tls").join(path).display().to_string();
    [
        format!("--ssl-ca={}", at("ca.pem")),
        format!("--ssl-cert={}", at("cert.pem")),
        format!("--ssl-key={}", at("key.pem")),
    ]
}

/// Issues a certificate for a local server, with its own issuer.
pub(crate) fn issue(folder: &Path) {
    let into = folder.join("tls");
    fs::create_dir_all(&into).expect("a folder for certificates");
    let issuer_key = KeyPair::generate().expect("a key");
    let mut params = named("wallet tests");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = params.self_signed(&issuer_key).expect("an issuer");
    let issuer = Issuer::new(params, issuer_key);
    let key = KeyPair::generate().expect("a key");
    let mut params = named("wallet test server");
    let names = ["127.0.0.1", "localhost"].map(str::to_owned);
    let names = CertificateParams::new(names).expect("valid names");
    params.subject_alt_names = names.subject_alt_names;
    let cert = params.signed_by(&key, &issuer).expect("a certificate");
    for (name, text) in [
        ("ca.pem", ca.pem()),
        ("cert.pem", cert.pem()),
        ("key.pem", key.serialize_pem()),
    ] {
        fs::write(into.join(name), text).expect("a file for a certificate");
    }
}

/// Writes the certificate of an issuer that issued no other certificate.
///
/// # Panics
/// When the file cannot be written.
pub fn write_ca(path: &Path) {
    let key = KeyPair::generate().expect("a key");
    let mut params = named("a stranger");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = params.self_signed(&key).expect("an issuer");
    fs::write(path, ca.pem()).expect("a file for a certificate");
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
