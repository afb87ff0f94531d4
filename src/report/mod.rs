//! Events -> what the user reads. Only this room knows of width and colour.

mod verdict;

pub use verdict::verdict;
