//! The agent token: made on the server once, and given to agents in k3s' full form, which pins the cluster's CA. The server's own token
//! goes to nobody.

use sha2::{Digest as _, Sha256};
use x509_parser::pem::Pem;

use super::files;
use crate::inventory::{Inventory, Role};
use crate::model::{AGENT_TOKEN, FileKind, HostAction, HostQuestion, Missing, Question, Secret, View, Why};
use crate::steps::changes::{Changes, file_questions};

/// What a host has to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// A server without agents.
    Unused,
    /// A server makes it.
    Made,
    /// An agent gets it.
    Given,
}

impl Token {
    /// By the host's role.
    pub fn of(inventory: &Inventory, role: Role) -> Self {
        match role {
            Role::Agent => Self::Given,
            Role::Server if inventory.agents().next().is_some() => Self::Made,
            Role::Server => Self::Unused,
        }
    }

    /// The file that k3s reads at start.
    pub const fn path(self) -> Option<&'static str> {
        match self {
            Self::Unused => None,
            Self::Made | Self::Given => Some(AGENT_TOKEN),
        }
    }

    /// What must be known.
    pub fn questions(self, seen: &View<'_>) -> Vec<Question> {
        match self {
            Self::Unused => Vec::new(),
            // Its content is nothing that the server's step must know.
            Self::Made => vec![seen.ask(HostQuestion::Stat(AGENT_TOKEN.into()))],
            Self::Given => file_questions(seen, AGENT_TOKEN).into_iter().chain(seen.cluster_questions()).collect(),
        }
    }

    /// Makes it, or writes it down.
    ///
    /// # Errors
    /// The file can't be seen; for an agent: the server has made none yet.
    pub fn settle(self, changes: &mut Changes, seen: &View<'_>) -> Result<(), Missing> {
        match self {
            Self::Unused => Ok(()),
            Self::Made => {
                let reason = match seen.stat(AGENT_TOKEN)? {
                    None => format!("{AGENT_TOKEN} is absent"),
                    Some(meta) if meta.kind != FileKind::File || meta.size == 0 => format!("{AGENT_TOKEN} holds no token"),
                    Some(meta) if (meta.mode, meta.uid, meta.gid) != (0o600, 0, 0) => format!("{AGENT_TOKEN} is not root's, mode 0600"),
                    Some(_) => return Ok(()),
                };
                changes.on_host(seen, reason, HostAction::MakeToken { path: AGENT_TOKEN.into() });
                Ok(())
            }
            Self::Given => changes.file(seen, files::token(full(seen)?)),
        }
    }
}

/// `K10<CA hash>::node:<secret>` (contract §2.7).
fn full(seen: &View<'_>) -> Result<Secret, Missing> {
    let cluster = seen.cluster()?;
    let [asked, _] = seen.cluster_questions();
    let unlike = || Missing { question: asked, why: Why::Unreadable(format!("{AGENT_TOKEN} on the server holds no token")) };
    let secret = cluster.token.expose_str().map(str::trim).filter(|secret| !secret.is_empty()).ok_or_else(unlike)?;
    // Sized at once, so that no copy of it stays behind.
    let mut text = String::with_capacity(secret.len() + 80);
    text.push_str("K10");
    text.push_str(&ca_hash(cluster.ca.expose()));
    text.push_str("::node:");
    text.push_str(secret);
    Ok(Secret::new(text))
}

/// As k3s hashes its CA: the bytes of a bundle of one, the root's DER of a longer one (contract §2.7).
fn ca_hash(bundle: &[u8]) -> String {
    let certificates: Vec<Pem> = Pem::iter_from_buffer(bundle).flatten().collect();
    let root =
        certificates.iter().skip(1).find(|pem| pem.parse_x509().is_ok_and(|certificate| certificate.subject() == certificate.issuer()));
    let hashed = root.map_or(bundle, |root| &root.contents);
    format!("{:x}", Sha256::digest(hashed))
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    use super::*;

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    #[test]
    fn a_bundle_of_one_is_hashed_as_it_stands_and_a_longer_one_by_its_root() {
        let (root_key, inner_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let root = params("root").self_signed(&root_key).unwrap();
        let issuer = Issuer::new(params("root"), &root_key);
        let inner = params("inner").signed_by(&inner_key, &issuer).unwrap();
        let hash = |bytes: &[u8]| format!("{:x}", Sha256::digest(bytes));
        assert_eq!(ca_hash(root.pem().as_bytes()), hash(root.pem().as_bytes()));
        let bundle = format!("{}{}", inner.pem(), root.pem());
        assert_eq!(ca_hash(bundle.as_bytes()), hash(root.der()));
    }
}
