//! The suite that runs on the rig. A test is a function in the file of its group; a row in [`TESTS`] makes it run, in this
//! order.

mod adopt;
mod agree;
mod bad_input;
mod canary;
mod connections;
mod databases;
mod diagnose;
mod drift;
mod firewall;
mod flow;
mod hello;
mod hostile;
mod hosts;
pub mod images;
mod kill;
mod line;
mod local;
mod lock;
pub mod matrix;
mod new_step;
mod plan;
mod probe;
mod prune;
mod rig;
mod rotate;
mod secrets;
mod shells;
mod sites;
mod sources;
mod ssh_causes;
mod sshd;
mod tls;
mod visitor;

use std::cell::OnceCell;

use anyhow::{Context as _, Result};

use crate::bench::Bench;
use crate::rig::Rig;
use matrix::Lanes;

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
    ("secrets_dotenv", secrets::dotenv),
    ("bad_input_inventories", bad_input::inventories),
    ("ssh_causes_name", ssh_causes::name),
    ("ssh_causes_port", ssh_causes::port),
    ("ssh_causes_timeout", ssh_causes::timeout),
    ("ssh_causes_key_unknown", ssh_causes::key_unknown),
    ("ssh_causes_key_changed", ssh_causes::key_changed),
    ("ssh_causes_throttled", ssh_causes::throttled),
    ("ssh_causes_jump", ssh_causes::jump),
    ("ssh_causes_forwarding", ssh_causes::forwarding),
    ("ssh_causes_no_key", ssh_causes::no_key),
    ("ssh_causes_agent_empty", ssh_causes::agent_empty),
    ("ssh_causes_key_refused", ssh_causes::key_refused),
    ("ssh_causes_key_locked", ssh_causes::key_locked),
    ("ssh_causes_too_many", ssh_causes::too_many),
    ("ssh_causes_account", ssh_causes::account),
    ("ssh_causes_nologin", ssh_causes::nologin),
    ("ssh_causes_password_expired", ssh_causes::password_expired),
    ("ssh_causes_password_wanted", ssh_causes::password_wanted),
    ("ssh_causes_password", ssh_causes::password),
    ("ssh_causes_sudoers", ssh_causes::sudoers),
    ("ssh_causes_requiretty", ssh_causes::requiretty),
    ("ssh_causes_disk_full", ssh_causes::disk_full),
    ("new_step", new_step::new_step),
    ("bad_input_first_meeting", bad_input::first_meeting),
    ("bad_input_artifact_truncated", bad_input::truncated),
    ("bad_input_artifact_altered", bad_input::altered),
    ("hosts_shells", shells::shells),
    ("hostile_host", hostile::hostile),
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
    ("drift_colleague", drift::colleague),
    ("drift_uninstalled", drift::uninstalled),
    ("drift_tls_secret", drift::tls_secret),
    ("lock_two", lock::two),
    ("lock_killed", lock::killed),
    ("lock_silent", lock::silent),
    ("hosts_cut", line::cut),
    ("hosts_full", line::full),
    ("hosts_readonly", line::readonly),
    ("hosts_connections", connections::counted),
    ("secrets_live", secrets::live),
    ("images_push", images::push),
    ("images_faults", images::faults),
    ("prune", prune::prune),
    ("plan_release", plan::release),
    ("secrets_rotate_jwt", rotate::jwt),
    ("images_sources", sources::sources),
    ("images_containerd16", images::old),
    ("matrix_kill", matrix::kill),
    ("matrix_cut", matrix::cut),
    ("matrix_silent", matrix::silent),
    ("matrix_reboot", matrix::reboot),
    ("tls_promote", tls::promote),
    ("tls_ca_moody", tls::moody),
    ("tls_renew", tls::renew),
    ("tls_orders", tls::orders),
    ("tls_ca_refused", tls::refused),
    ("tls_sites", sites::sites),
    ("tls_diagnose_default_deny", diagnose::default_deny),
    ("tls_diagnose_wrong_a", diagnose::wrong_a),
    ("tls_diagnose_dead_aaaa", diagnose::dead_aaaa),
    ("tls_diagnose_wrong_class", diagnose::wrong_class),
    ("tls_diagnose_two_certificates", diagnose::two_certificates),
    ("tls_diagnose_quota", diagnose::quota),
    ("tls_diagnose_limit_range", diagnose::limit_range),
    ("tls_diagnose_webhook", diagnose::webhook),
    ("tls_diagnose_ca_down", diagnose::ca_down),
    ("tls_diagnose_email", diagnose::email),
    ("tls_diagnose_port_closed", diagnose::port_closed),
    ("tls_diagnose_other_server", diagnose::other_server),
    ("tls_diagnose_cured", diagnose::cured),
    ("tls_probe_other_server", probe::other_server),
    ("tls_probe_caa", probe::caa),
    ("tls_probe_policy", probe::policy),
    ("tls_probe_killed", probe::killed),
    ("tls_probe_verify", probe::verify),
    ("tls_firewall", firewall::firewall),
    ("sshd", sshd::sshd),
    ("secrets_postgres", databases::postgres),
    ("secrets_mariadb", databases::mariadb),
    ("secrets_two", databases::two),
    ("fake_agrees", agree::fake),
    ("fresh_hello", hello::fresh_hello),
    ("adopt", adopt::adopt),
    ("hosts_local", local::local),
    ("secrets_encryption", secrets::encryption),
    ("images_gc", images::gc),
    // These take the first host away from whoever shares it.
    ("hosts_three", hosts::three),
    ("kill", kill::kill),
    ("secrets_canary", canary::shows_nowhere),
];

/// What tests share.
pub struct Context<'a> {
    /// Hosts, operator and the stand-ins for the internet.
    pub rig: &'a Rig,
    shared: OnceCell<Bench<'a>>,
    converged: OnceCell<tls::First>,
    moody: OnceCell<()>,
    renewal: OnceCell<tls::Renewal>,
    lanes: OnceCell<Lanes<'a>>,
    standing: OnceCell<()>,
    stuck: OnceCell<diagnose::Stuck>,
    databases: OnceCell<databases::Scene>,
}

impl<'a> Context<'a> {
    /// For one run of the suite.
    pub fn new(rig: &'a Rig) -> Self {
        Self {
            rig,
            shared: OnceCell::new(),
            converged: OnceCell::new(),
            moody: OnceCell::new(),
            renewal: OnceCell::new(),
            lanes: OnceCell::new(),
            standing: OnceCell::new(),
            stuck: OnceCell::new(),
            databases: OnceCell::new(),
        }
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
            let first = tls::first(bench)?;
            self.converged.get_or_init(|| first);
        }
        Ok(bench)
    }

    /// What that bootstrap took, and what a visitor saw of it.
    pub fn first(&self) -> Result<&tls::First> {
        self.converged()?;
        self.converged.get().context("it has converged")
    }

    /// That host with a site beside the shop whose CA is moody. Made by the first one who asks; `renewal` takes it away.
    pub fn moody(&self) -> Result<&Bench<'a>> {
        let bench = self.converged()?;
        if self.moody.get().is_none() {
            tls::site(bench)?;
            self.moody.get_or_init(|| ());
        }
        Ok(bench)
    }

    /// The renewal of that site's certificate, and ten runs meanwhile. Watched by the first one who asks.
    pub fn renewal(&self) -> Result<&tls::Renewal> {
        if let Some(renewal) = self.renewal.get() {
            return Ok(renewal);
        }
        let renewal = tls::renewal(self.moody()?)?;
        Ok(self.renewal.get_or_init(|| renewal))
    }

    /// The first host after a bootstrap, and two beside it. Made by the first one who asks.
    pub fn lanes(&self) -> Result<&Lanes<'a>> {
        if let Some(lanes) = self.lanes.get() {
            return Ok(lanes);
        }
        let lanes = Lanes::beside(self.converged()?)?;
        Ok(self.lanes.get_or_init(|| lanes))
    }

    /// That host beside sites whose certificates are stuck. Put up by the first one who asks; `cured` takes them away.
    pub fn beside_stuck(&self) -> Result<&Bench<'a>> {
        let bench = self.converged()?;
        if self.standing.get().is_none() {
            diagnose::stand(self.rig, bench)?;
            self.standing.get_or_init(|| ());
        }
        Ok(bench)
    }

    /// What is said of those sites. Heard by the first one who asks.
    pub fn stuck(&self) -> Result<&diagnose::Stuck> {
        if let Some(stuck) = self.stuck.get() {
            return Ok(stuck);
        }
        let stuck = diagnose::Stuck::heard(self.beside_stuck()?)?;
        Ok(self.stuck.get_or_init(|| stuck))
    }

    /// Databases on that host, with an application each. Made by the first one who asks; `two` takes them away.
    pub fn databases(&self) -> Result<&databases::Scene> {
        if let Some(scene) = self.databases.get() {
            return Ok(scene);
        }
        let scene = databases::Scene::make(self.converged()?)?;
        Ok(self.databases.get_or_init(|| scene))
    }
}
