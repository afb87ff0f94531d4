//! The core flow's order, on one screen. A new kind of step is its file in this folder and its word in this list.

mod acme_site;
mod adoption;
mod artifact;
mod attempt;
mod autoscaler;
mod carrier;
mod changes;
mod diagnosis;
mod difference;
mod drift;
mod file;
mod hidden;
mod leaf;
mod moment;
mod object;
mod ours;
mod problem;
mod ratchet;
mod rendered;
mod renewal;
mod rollout;
mod traefik;
mod traffic;
mod upgrade;

pub use databases::rotate_database;
pub use diagnosis::diagnosis;
pub use prune::bounded;
pub use responder::probe;
pub use rotation::{Leave, rotate};

use crate::inventory::Inventory;
use crate::model::Step;

/// Declares each step's module and lists their constructors in the order of the flow.
macro_rules! flow {
    ($($kind:ident),* $(,)?) => {
        $(mod $kind;)*
        const FLOW: &[fn(&Inventory) -> Vec<Box<dyn Step>>] = &[$($kind::steps),*];
    };
}

flow![
    preflight,
    firewall,
    sshd,
    pins,
    helm,
    k3s,
    node,
    encryption,
    agents,
    kubeconfig,
    images,
    namespaces,
    secrets,
    jwt_keys,
    tls_secret,
    cert_manager,
    issuers,
    solver_policy,
    challenge_probe,
    responder,
    release,
    workloads,
    rotation,
    key_mounts,
    plays,
    consumers,
    certificate,
    redirects,
    scale,
    site,
    doors,
    databases,
    prune,
];

/// All steps of the core flow, in order, as this inventory wants them.
#[must_use]
pub fn flow(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    FLOW.iter().flat_map(|steps| steps(inventory)).collect()
}
