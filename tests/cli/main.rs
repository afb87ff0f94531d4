//! The real binary: its words and exit codes. No root, no rig.

mod allowed;
mod bad_input;
mod endings;
mod narrowed;
#[path = "../inventories/project.rs"]
mod project;
mod terminal;
#[path = "../../src/test_program.rs"]
mod test_program;
mod typed;
