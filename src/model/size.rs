//! How much something is.

use std::fmt;

/// Bytes, as people read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            size @ 0..1_000 => write!(f, "{size} B"),
            size @ 1_000..1_000_000 => write!(f, "{} kB", size / 1_000),
            size => write!(f, "{}.{} MB", size / 1_000_000, size % 1_000_000 / 100_000),
        }
    }
}
