//! Images on the operator's side: where they come from, what an archive holds, blob by blob, and what it is called.

mod blob;
mod build;
mod docker;
mod engine;
#[cfg(test)]
mod heal_tests;
mod kept;
mod layout;
mod members;
mod oci;
mod platform;
mod pulled;
mod registry;
mod saved;
mod store;
#[cfg(test)]
mod tests;

pub use build::build;
pub use kept::Kept;
pub use layout::{Layout, digest, open, read};
pub use store::Images;
