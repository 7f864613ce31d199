//! Which certificates receivers are judged by, and what is said of one that does not hold.
//!
//! The authorities of the machine count, and those of `egress.ca_file` besides. Not by the library that
//! `reqwest` would take for it: that logs an error for each refusal, and a tenant's certificate is no
//! trouble of ours.

use std::{error::Error as StdError, io, path::Path, sync::Arc};

use recado_model::{Error, Result};
use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};

/// The certificates of a PEM file, at least one. The error says what is wrong with the file.
pub fn authorities(file: &Path) -> std::result::Result<Vec<CertificateDer<'static>>, String> {
    let shown = file.display();
    let found = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|error| format!("{shown} cannot be read as PEM: {error}"))?;
    if found.is_empty() {
        return Err(format!(
            "{shown} holds no certificate: it must be PEM, with -----BEGIN CERTIFICATE-----"
        ));
    }
    let mut roots = RootCertStore::empty();
    for certificate in &found {
        roots
            .add(certificate.clone())
            .map_err(|error| format!("{shown} holds a certificate that cannot be used: {error}"))?;
    }
    Ok(found)
}

/// For calls to receivers: the machine's authorities, and those of `ca_file`.
pub(super) fn config(ca_file: Option<&Path>) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let machine = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(machine.certs);
    if let Some(error) = machine.errors.first() {
        let error = error as &dyn StdError;
        let all = machine.errors.len();
        tracing::warn!(
            error,
            all,
            "some of this machine's certificate authorities cannot be read"
        );
    }
    if let Some(file) = ca_file {
        let own =
            authorities(file).map_err(|why| Error::internal(format!("egress.ca_file: {why}")))?;
        roots.add_parsable_certificates(own);
    }
    if roots.is_empty() {
        tracing::warn!(
            "this machine knows no certificate authorities, so no webhook with https is delivered: install ca-certificates, or set egress.ca_file"
        );
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The fault of TLS below `error`, as a public sentence.
pub(super) fn fault(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(said_of(found));
        }
        // An I/O error does not name the error that it wraps as its source: that is the source of what it wraps.
        let wrapped = error.downcast_ref().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn said_of(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(fault) => said_of_certificate(fault),
        rustls::Error::InvalidMessage(_) => {
            "the receiver does not speak TLS at this port: is it http:// in place of https://?"
        }
        _ => "the receiver and the gateway could not agree on TLS",
    }
}

fn said_of_certificate(fault: &CertificateError) -> &'static str {
    match fault {
        CertificateError::UnknownIssuer => {
            "the receiver's certificate has an unknown issuer: it is self-signed, of a private authority (the operator can add that with egress.ca_file), or comes without its intermediate certificates"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the receiver's certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the receiver's certificate is not valid yet"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the receiver's certificate is for another name than the one in the URL"
        }
        CertificateError::Revoked => "the receiver's certificate has been revoked",
        // A certificate as `openssl req -x509` makes it when nothing else is asked for. No type of the library's
        // names it.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "the receiver's certificate has an unknown issuer: it is self-signed, and an authority's in place of a server's"
        }
        _ => "the receiver's certificate does not hold",
    }
}
