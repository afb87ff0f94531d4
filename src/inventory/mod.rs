//! What the user writes: text -> `Inventory`, with every problem at once, each with its line and a cure.

mod address;
mod application;
mod consent;
mod database;
mod debug;
mod duration;
pub mod env_file;
mod firewall;
mod form;
mod grammar;
mod image;
mod lint;
mod load;
mod placeholder;
mod problem;
mod resolve;
mod schema;
mod secret_source;
mod shape;
mod sshd;
mod suggest;
mod tree;
mod wording;

pub use address::is_private;
pub use application::{Algorithm, Check, JwtKeys, Release, Site, Tls};
pub use consent::Consent;
pub use database::Database;
pub use duration::duration;
pub use firewall::Firewall;
pub use form::{Form, fault};
pub use image::Image;
pub use load::{Loaded, load, parse};
pub use problem::Problem;
pub use schema::{Access, Acme, AcmeServer, Connection, Host, Inventory, K3s, Kubeconfig, Registries, Role, Versions};
pub use secret_source::{Lack, SecretSource, Typed};
pub use sshd::{RootLogin, Sshd};
