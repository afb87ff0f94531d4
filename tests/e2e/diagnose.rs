//! Certificates that are stuck, each for another cause: `bedplate diagnose` names it, and once it is cured they come. All stand side by side
//! on the converged host, in namespaces of their own; the site that is served there is not touched.

mod alike;
mod causes;
mod golden;
mod scene;

use anyhow::{Context as _, Result, ensure};

pub use scene::{Stuck, records, stand};

use super::Context;
use super::flow::served;

/// A default-deny policy, and none for the solver.
pub fn default_deny(context: &Context) -> Result<()> {
    context.stuck()?.is_told("shut")?;
    context.stuck()?.is_as_golden(&context.converged()?.host, "shut", "default-deny")
}

/// The name leads to an address that nobody has.
pub fn wrong_a(context: &Context) -> Result<()> {
    context.stuck()?.is_told("elsewhere")
}

/// Its IPv6 address leads nowhere, and the CA tries that one.
pub fn dead_aaaa(context: &Context) -> Result<()> {
    context.stuck()?.is_told("six")
}

/// The issuer's solver is of an ingress class that nobody serves.
pub fn wrong_class(context: &Context) -> Result<()> {
    context.stuck()?.is_told("class")
}

/// Two Certificates write one Secret.
pub fn two_certificates(context: &Context) -> Result<()> {
    context.stuck()?.is_told("rivals")
}

/// A quota leaves no room for the solver's pod.
pub fn quota(context: &Context) -> Result<()> {
    context.stuck()?.is_told("full")?;
    context.stuck()?.is_as_golden(&context.converged()?.host, "full", "pod-quota")
}

/// A limit range does not fit the solver's pod.
pub fn limit_range(context: &Context) -> Result<()> {
    context.stuck()?.is_told("limits")?;
    context.stuck()?.is_as_golden(&context.converged()?.host, "limits", "pod-limit-range")
}

/// The API server must ask a webhook that nothing runs behind.
pub fn webhook(context: &Context) -> Result<()> {
    context.stuck()?.is_told("webhook")
}

/// Nobody is at home where the issuer's CA should be.
pub fn ca_down(context: &Context) -> Result<()> {
    context.stuck()?.is_told("nobody")
}

/// The CA refuses the e-mail address of the issuer's account.
pub fn email(context: &Context) -> Result<()> {
    context.stuck()?.is_told("mail")
}

/// A firewall drops what comes to port 80.
pub fn port_closed(context: &Context) -> Result<()> {
    context.stuck()?.is_told("closed")
}

/// Another web server has port 80.
pub fn other_server(context: &Context) -> Result<()> {
    context.stuck()?.is_told("other")
}

/// The stated cures let all of them come; then nothing is stuck, and nothing is left behind.
pub fn cured(context: &Context) -> Result<()> {
    let stuck = context.stuck()?;
    let bench = context.converged()?;
    let cured = stuck.cure(context.rig, bench);
    scene::clear(context.rig, bench)?;
    cured?;
    served(bench)
}

impl Stuck {
    /// A site's cause is told in the words that the scene expects.
    fn is_told(&self, site: &str) -> Result<()> {
        let told = self.told.get(site).with_context(|| format!("nothing is said of {site}"))?;
        let lacks: Vec<_> = causes::words(site).iter().filter(|word| !told.contains(**word)).collect();
        ensure!(lacks.is_empty(), "{site}: {lacks:?} is not said:\n{told}");
        Ok(())
    }
}
