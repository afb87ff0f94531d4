//! The real binary: its words and exit codes. No root, no rig.

mod bad_input;
mod endings;
#[path = "../inventories/project.rs"]
mod project;
