//! Bedplate turns bare hosts into k3s clusters that serve verified HTTPS. The rooms, in the order in which a run passes through them:
//! `inventory` (what the user writes) → `steps` (what must be) → `engine` (ask, plan, perform, repeat) → `report` (what the user reads);
//! `remote`, `kube`, `images`, `artifacts` and `outside` are the ways to the world, `model` the words that all share; `jwk` knows keys by their ids.

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
