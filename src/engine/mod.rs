//! Ask, plan, perform, ask again, until nothing acts.

mod converge;
mod ground;
mod live;
mod patience;
mod survey;

pub use converge::converge;
pub use ground::Ground;
pub use live::Live;
pub use survey::{Survey, Verdict, survey};
