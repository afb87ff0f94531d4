use rcgen::{CertificateParams, KeyPair};

use super::*;

fn kubeconfig(authority: &str, certificate: &str, key: &str) -> Secret {
    let [authority, certificate, key] = [authority, certificate, key].map(|pem| STANDARD.encode(pem));
    Secret::new(format!(
        "apiVersion: v1
kind: Config
clusters:
- name: default
  cluster: {{ certificate-authority-data: {authority}, server: 'https://127.0.0.1:6443' }}
users:
- name: default
  user: {{ client-certificate-data: {certificate}, client-key-data: {key} }}
"
    ))
}

fn refused(kubeconfig: &Secret) -> String {
    client_config(kubeconfig).expect_err("it should be refused")
}

#[test]
fn inline_certificates_are_taken() {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["admin".into()]).unwrap().self_signed(&key).unwrap().pem();
    client_config(&kubeconfig(&certificate, &certificate, &key.serialize_pem())).unwrap();
    assert_eq!(refused(&kubeconfig("nothing", &certificate, &key.serialize_pem())), "certificate-authority-data holds no certificate");
    assert_eq!(refused(&kubeconfig(&certificate, &certificate, "hunter2")), "client-key-data holds no private key");
    let other = KeyPair::generate().unwrap().serialize_pem();
    assert!(refused(&kubeconfig(&certificate, &certificate, &other)).starts_with("client-certificate-data and client-key-data: "));
}

/// A host must not make the operator's machine run a program or read a file.
#[test]
fn plugins_and_paths_are_not_followed() {
    let said = refused(&Secret::new(
        "clusters: [{ cluster: { certificate-authority: /etc/passwd } }]\nusers: [{ user: { exec: { command: hunter2 } } }]\n",
    ));
    assert_eq!(said, "it lacks inline certificate data of a cluster or a user");
}
