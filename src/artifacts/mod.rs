//! Artifacts: where they come from, what they are pinned to, and the operator's cache of them by digest.

mod cache;
mod fetch;
mod lock;
mod source;

pub use cache::Artifacts;
pub use lock::LockFile;
pub use source::Source;
