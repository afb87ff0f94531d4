//! Which roots count as production and which as staging.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::model::{Exit, Failure};

/// PEM files of roots beside the system's own.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// `acme.production.roots`: believed as the system's roots are.
    pub production: Vec<PathBuf>,
    /// `acme.staging.roots`: believed in the staging phase. No root is built in: without a file nothing counts as staging.
    pub staging: Vec<PathBuf>,
}

/// The system's roots and those of `files`. Roots of the system that can't be parsed are left out, as every TLS client does.
pub fn production(files: &[PathBuf]) -> Result<Arc<RootCertStore>, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    with_files(roots, files, "acme.production.roots")
}

/// The roots of `files` alone.
pub fn staging(files: &[PathBuf]) -> Result<Arc<RootCertStore>, Failure> {
    with_files(RootCertStore::empty(), files, "acme.staging.roots")
}

/// The roots of a PEM text alone.
pub fn only(pem: &[u8]) -> Result<Arc<RootCertStore>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in parsed(pem)? {
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    Ok(Arc::new(roots))
}

fn with_files(mut roots: RootCertStore, files: &[PathBuf], key: &str) -> Result<Arc<RootCertStore>, Failure> {
    for file in files {
        let failure = |seen: String| {
            let cure = format!("let `{key}` name a PEM file of root certificates");
            Failure::new(format!("read the roots in {}", file.display()), seen, cure).exiting(Exit::BadInventory)
        };
        for certificate in certificates(file).map_err(failure)? {
            roots.add(certificate).map_err(|error| failure(error.to_string()))?;
        }
    }
    Ok(Arc::new(roots))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    parsed(&std::fs::read(file).map_err(|error| error.to_string())?)
}

fn parsed(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    if found.is_empty() { Err("it holds no certificate".into()) } else { Ok(found) }
}
