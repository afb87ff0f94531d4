//! Ask, plan, perform, ask again, until nothing acts.

mod converge;
mod course;
mod ground;
mod lane;
mod live;
mod patience;
mod survey;

pub use converge::{Outcome, converge};
pub use ground::Ground;
pub use live::Live;
pub use survey::{Survey, Verdict, survey};
