//! Images on the operator's side: what an archive holds, blob by blob, and what it is called.

mod docker;
mod kept;
mod layout;
mod members;
mod oci;
mod reference;
#[cfg(test)]
mod tests;

pub use kept::Kept;
pub use layout::{Layout, open, read};
pub use reference::full;
