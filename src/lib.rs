//! Bedplate turns bare hosts into k3s clusters that serve verified HTTPS. The rooms, in the order in which a run passes through them:
//! `inventory` (what the user writes) → `steps` (what must be) → `engine` (ask, plan, perform, repeat) → `report` (what the user reads);
//! `remote`, `kube`, `outside`, `operator`, `artifacts` and `images` are the ways to the world, `model` the words that all share. `cli` is the command
//! line, `playbook` adds ready-made tables to an inventory, `template` renders every file that is written, `jwk` knows keys by their ids.

pub mod artifacts;
pub mod cli;
pub mod engine;
pub mod images;
pub mod inventory;
pub mod jwk;
pub mod kube;
pub mod model;
pub mod operator;
pub mod outside;
pub mod playbook;
pub mod remote;
pub mod report;
pub mod steps;
pub mod template;
#[cfg(test)]
mod test_program;
