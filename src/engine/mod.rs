//! Ask, plan, perform, ask again, until nothing acts.

mod ground;

pub use ground::Ground;
