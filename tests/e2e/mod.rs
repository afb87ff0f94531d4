//! The suite that runs on the rig. A test is a function in the file of its group; a row in [`TESTS`] makes it run, in this
//! order.

mod adopt;
mod agree;
mod bad_input;
mod canary;
mod drift;
mod flow;
mod hello;
mod kill;
mod line;
mod lock;
mod prune;
mod rig;

use std::cell::OnceCell;

use anyhow::Result;

use crate::bench::Bench;
use crate::rig::Rig;

/// A test's name, and what it does. An error or a panic is a failure, with what was seen.
pub type Test = (&'static str, fn(&Context) -> Result<()>);

/// All tests.
pub const TESTS: &[Test] = &[
    ("rig_bare", rig::bare),
    ("rig_closed", rig::closed),
    ("rig_lies", rig::lies),
    ("rig_mirror", rig::mirror),
    ("rig_neighbours", rig::neighbours),
    ("rig_kill", rig::kill),
    ("bad_input_inventories", bad_input::inventories),
    ("bad_input_ssh_password", bad_input::password),
    ("bad_input_ssh_key_unknown", bad_input::key_unknown),
    ("bad_input_ssh_key_changed", bad_input::key_changed),
    ("bad_input_ssh_port", bad_input::port),
    ("bad_input_ssh_user", bad_input::user),
    ("bad_input_ssh_name", bad_input::name),
    ("bad_input_first_meeting", bad_input::first_meeting),
    ("bad_input_artifact_truncated", bad_input::truncated),
    ("bad_input_artifact_altered", bad_input::altered),
    ("fresh", flow::fresh),
    ("twice", flow::twice),
    ("tunnel", flow::tunnel),
    ("drift_binary", drift::binary),
    ("drift_config", drift::config),
    ("drift_stopped", drift::stopped),
    ("drift_kubeconfig", drift::kubeconfig),
    ("drift_key_added", drift::key_added),
    ("drift_key_removed", drift::key_removed),
    ("drift_solver_policy", drift::solver_policy),
    ("drift_image", drift::image),
    ("drift_issuer", drift::issuer),
    ("drift_scaled", drift::scaled),
    ("drift_uninstalled", drift::uninstalled),
    ("drift_tls_secret", drift::tls_secret),
    ("lock_two", lock::two),
    ("lock_killed", lock::killed),
    ("lock_silent", lock::silent),
    ("hosts_cut", line::cut),
    ("hosts_full", line::full),
    ("hosts_readonly", line::readonly),
    ("prune", prune::prune),
    ("fake_agrees", agree::fake),
    ("fresh_hello", hello::fresh_hello),
    ("adopt", adopt::adopt),
    // These take the first host away from whoever shares it.
    ("kill", kill::kill),
    ("canary", canary::shows_nowhere),
];

/// What tests share.
pub struct Context<'a> {
    /// Hosts, operator and the stand-ins for the internet.
    pub rig: &'a Rig,
    shared: OnceCell<Bench<'a>>,
    converged: OnceCell<()>,
}

impl<'a> Context<'a> {
    /// For one run of the suite.
    pub fn new(rig: &'a Rig) -> Self {
        Self { rig, shared: OnceCell::new(), converged: OnceCell::new() }
    }

    /// The first host and its project, for tests that leave them as they found them. Made by the first one who asks.
    pub fn shared(&self) -> Result<&Bench<'a>> {
        if let Some(bench) = self.shared.get() {
            return Ok(bench);
        }
        let bench = Bench::fresh(self.rig, 1)?;
        Ok(self.shared.get_or_init(|| bench))
    }

    /// The first host after a bootstrap. Made by the first one who asks, so that every test can run alone.
    pub fn converged(&self) -> Result<&Bench<'a>> {
        let bench = self.shared()?;
        if self.converged.get().is_none() {
            flow::ended(&flow::bedplate(bench, &["bootstrap", "inventory.toml"])?, 0)?;
            self.converged.get_or_init(|| ());
        }
        Ok(bench)
    }
}
