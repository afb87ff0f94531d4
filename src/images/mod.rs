//! Images on the operator's side: what an archive holds, and what it is called.

mod archive;
mod reference;

pub use archive::read;
pub use reference::full;
