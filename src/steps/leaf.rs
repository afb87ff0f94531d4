//! The leaf certificate in a TLS Secret.

use sha2::{Digest, Sha256};
use x509_parser::extensions::GeneralName;
use x509_parser::pem::parse_x509_pem;

use crate::model::{LiveSecret, TLS_CHAIN};

/// A leaf, and which issuer wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The annotation `cert-manager.io/issuer-name` (contract §4.4); empty if there is none.
    pub issuer: String,
    /// DNS names.
    pub names: Vec<String>,
    /// Seconds since the epoch.
    pub not_after: i64,
    /// SHA-256 of its DER, lower-case hex.
    pub sha256: String,
}

impl Leaf {
    /// Reads the first certificate of `tls.crt`; `None` if there is none that parses.
    pub fn of(secret: &LiveSecret) -> Option<Self> {
        let (_, pem) = parse_x509_pem(secret.data.get(TLS_CHAIN)?.expose()).ok()?;
        let certificate = pem.parse_x509().ok()?;
        let names = certificate.subject_alternative_name().ok()?.map(|extension| {
            let names = extension.value.general_names.iter();
            names.filter_map(|name| if let GeneralName::DNSName(name) = name { Some((*name).to_owned()) } else { None }).collect()
        });
        Some(Self {
            issuer: secret.annotations.get("cert-manager.io/issuer-name").cloned().unwrap_or_default(),
            names: names.unwrap_or_default(),
            not_after: certificate.validity().not_after.timestamp(),
            sha256: format!("{:x}", Sha256::digest(&pem.contents)),
        })
    }

    /// Whether it is for `name`. HTTP-01 gives no wildcards.
    pub fn covers(&self, name: &str) -> bool {
        self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;

    #[test]
    fn a_leaf_is_read_with_its_names_and_digest() {
        let key = rcgen::KeyPair::generate().unwrap();
        let names = vec!["shop.example".to_owned(), "www.shop.example".to_owned()];
        let mut params = rcgen::CertificateParams::new(names.clone()).unwrap();
        params.not_after = rcgen::date_time_ymd(2030, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        let secret = LiveSecret {
            resource_version: "1".into(),
            kind: "kubernetes.io/tls".into(),
            created: 0,
            labels: Default::default(),
            annotations: [("cert-manager.io/issuer-name".to_owned(), "letsencrypt-staging".to_owned())].into(),
            data: [("tls.crt".to_owned(), Secret::new(certificate.pem()))].into(),
        };
        let leaf = Leaf::of(&secret).unwrap();
        assert_eq!((leaf.issuer.as_str(), leaf.names.clone(), leaf.not_after), ("letsencrypt-staging", names, 1_893_456_000));
        assert_eq!(leaf.sha256, format!("{:x}", Sha256::digest(certificate.der())));
        assert!(leaf.covers("WWW.shop.example") && !leaf.covers("api.shop.example"));
    }

    #[test]
    fn no_certificate_is_no_leaf() {
        let data = [("tls.crt".to_owned(), Secret::new("nothing"))].into();
        let secret = LiveSecret {
            resource_version: "1".into(),
            kind: String::new(),
            created: 0,
            labels: Default::default(),
            annotations: Default::default(),
            data,
        };
        assert_eq!(Leaf::of(&secret), None);
    }
}
