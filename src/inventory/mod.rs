//! What the user writes: text -> `Inventory`, with every problem at once, each with its line and a cure.

mod schema;

pub use schema::{
    Access, Acme, AcmeServer, Check, Connection, Host, Inventory, JwtKeys, K3s, Kubeconfig, Registries, Release, Role, SecretSource, Site,
    Tls, Versions,
};
