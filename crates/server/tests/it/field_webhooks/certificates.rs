//! Receivers whose certificates do not hold, each in its own way, and an authority of one's own.

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use recado::config::Settings;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::delivered;
use crate::{
    gateway::{Bed, Left},
    hook::Hook,
    log::Log,
};

mod known {
    use super::*;

    on_both! {
        with = super::super::AUTHORITY.settings.as_str();
        faults_are_told_apart,
        an_authority_of_ones_own_is_believed,
    }
}

on_both! { an_unknown_issuer_is_named_and_is_no_error }

/// An authority that a bed may be told of, by a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    settings: String,
}

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
    let issuer = authority("Recado's tests");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("authority-{}.pem", std::process::id()));
    std::fs::write(&file, issuer.pem()).expect("a file");
    Authority {
        settings: format!("egress.ca_file = {:?}\n", file.display().to_string()),
        issuer,
    }
});

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("an authority")
}

/// For 127.0.0.1, until somebody changes that.
fn for_us() -> CertificateParams {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("an address");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2099, 1, 1);
    params
}

/// A receiver with that certificate, which answers 200 to whatever comes.
async fn receiver(params: CertificateParams, issuer: &CertifiedIssuer<'static, KeyPair>) -> String {
    let key = KeyPair::generate().expect("a key");
    let signed = params.signed_by(&key, &**issuer).expect("a certificate");
    serve(signed.der().clone(), &key).await
}

async fn serve(certificate: CertificateDer<'static>, key: &KeyPair) -> String {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate with its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!(
        "https://{}/hook",
        listener.local_addr().expect("an address")
    );
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // Whoever does not believe the certificate breaks off.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut some = [0; 16 * 1024];
                let _ = stream.read(&mut some).await;
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    url
}

async fn told(bed: &Bed, url: &str) -> String {
    let made = bed.create(&bed.a, json!({"name": "Hooks"})).await;
    bed.subscribe_at(&bed.a, &made, url, json!("All")).await;
    let row = delivered(bed, &made).await;
    assert_eq!(
        (row.state.as_str(), row.attempts),
        ("pending", 1),
        "{row:?}"
    );
    row.last_error.expect("an error")
}

async fn faults_are_told_apart(bed: &mut Bed) {
    bed.leaves(Left::Deliveries);
    let known = &AUTHORITY.issuer;
    let mut expired = for_us();
    expired.not_after = date_time_ymd(2021, 1, 1);
    let mut early = for_us();
    early.not_before = date_time_ymd(2098, 1, 1);
    let other = CertificateParams::new(vec!["hooks.example.com".to_owned()]);
    let other = other.expect("a name");
    for (params, issuer, what) in [
        (expired, known, "certificate has expired"),
        (early, known, "not valid yet"),
        (other, known, "for another name"),
        (for_us(), &authority("Another"), "unknown issuer"),
    ] {
        let url = receiver(params, issuer).await;
        let told = told(bed, &url).await;
        assert!(told.contains(what), "{what}: {told}");
    }
    // A port that speaks no TLS.
    let (_hook, url) = Hook::start(&[]).await;
    let told = told(bed, &url.replace("http://", "https://")).await;
    assert!(told.contains("does not speak TLS"), "{told}");
}

async fn an_authority_of_ones_own_is_believed(bed: &mut Bed) {
    let url = receiver(for_us(), &AUTHORITY.issuer).await;
    let made = bed.create(&bed.a, json!({"name": "Hooks"})).await;
    bed.subscribe_at(&bed.a, &made, &url, json!("All")).await;
    let row = delivered(bed, &made).await;
    assert_eq!(row.state.as_str(), "delivered", "{row:?}");
}

async fn an_unknown_issuer_is_named_and_is_no_error(bed: &mut Bed) {
    bed.leaves(Left::Deliveries);
    let log = Log::of_process();
    let url = receiver(for_us(), &authority("Nobody's")).await;
    let said = told(bed, &url).await;
    assert!(
        said.contains("unknown issuer") && said.contains("egress.ca_file"),
        "{said}"
    );
    // What `openssl req -x509` makes: an authority's own, in place of a server's.
    let mut own = for_us();
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let signed = own.self_signed(&key).expect("a certificate");
    let url = serve(signed.der().clone(), &key).await;
    let said = told(bed, &url).await;
    assert!(
        said.contains("unknown issuer") && said.contains("self-signed"),
        "{said}"
    );
    let said = log.text();
    assert!(said.contains("a delivery was not taken"), "it is heard");
    // What the program logs when nobody asks for more.
    let usual = ["ERROR", "WARN", "INFO"];
    let loud = said.lines().map(str::trim_start).filter(|line| {
        let level = usual.iter().find(|level| line.starts_with(**level));
        level.is_some_and(|level| *level == "ERROR" || line.contains("certificate"))
    });
    let loud: Vec<_> = loud.collect();
    assert!(loud.is_empty(), "{loud:#?}");
}

#[test]
fn a_file_without_an_authority_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("empty.pem");
    std::fs::write(&file, "nothing in here\n").expect("a file");
    let refused = |path: &std::path::Path| {
        let text = format!("egress.ca_file = {:?}\n", path.display().to_string());
        let error = Settings::from_toml(&text).expect_err("refused");
        format!("{error:#}")
    };
    let told = refused(&file);
    assert!(
        told.contains("egress.ca_file") && told.contains("no certificate"),
        "{told}"
    );
    let told = refused(&folder.path().join("missing.pem"));
    assert!(
        told.contains("egress.ca_file") && told.contains("missing.pem"),
        "{told}"
    );
    Settings::from_toml("egress.ca_file = \"\"\n").expect("none");
}
