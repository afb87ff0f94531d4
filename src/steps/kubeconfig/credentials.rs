//! The administrator's credentials as k3s wrote them.

use serde_json::Value;

use crate::model::Secret;

/// Inline data alone: an `exec` plugin or a path that a host names must never reach the operator's machine. Without `Debug`: it holds a key.
#[derive(Clone)]
pub struct Credentials {
    /// Base64 of the CA in PEM.
    pub ca: Value,
    /// Base64 of the client's certificate in PEM.
    pub certificate: Value,
    /// Base64 of the client's key in PEM.
    pub key: Value,
}

/// Takes them out of k3s.yaml; none: something lacks.
pub fn read(k3s_yaml: &Secret) -> Option<Credentials> {
    let file: Value = serde_saphyr::from_str(k3s_yaml.expose_str()?).ok()?;
    let text = |pointer: &str| file.pointer(pointer).filter(|value| value.is_string()).cloned();
    Some(Credentials {
        ca: text("/clusters/0/cluster/certificate-authority-data")?,
        certificate: text("/users/0/user/client-certificate-data")?,
        key: text("/users/0/user/client-key-data")?,
    })
}
