//! Which artifact a host needs, and what it is pinned to.

use crate::inventory::Inventory;
use crate::model::{ArtifactRef, HostFacts, HostQuestion, Missing, OperatorQuestion, Pin, Question, View, Why};

/// The vendors' word for a machine (contract §1.2), by its `uname -m`; none: they build nothing for it.
pub fn arch(machine: &str) -> Option<&'static str> {
    match machine {
        "x86_64" | "amd64" => Some("amd64"),
        "aarch64" | "arm64" => Some("arm64"),
        "armv7l" | "armv8l" => Some("arm"),
        _ => None,
    }
}

/// Enough of a digest to know it by.
pub fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// The vendors' word for the machine of the host that is seen.
///
/// # Errors
/// The host's facts are missing, or nobody builds `what` for it.
pub fn machine(seen: &View<'_>, what: &str) -> Result<&'static str, Missing> {
    let facts: &HostFacts = seen.facts()?;
    arch(&facts.machine).ok_or_else(|| Missing {
        question: seen.ask(HostQuestion::Facts),
        why: Why::Unreadable(format!("there is no {what} for {}", facts.machine)),
    })
}

/// An artifact for the host that is seen.
///
/// # Errors
/// The host's facts are missing, or nobody builds for its machine.
pub fn for_host(seen: &View<'_>, name: &str, version: &str) -> Result<ArtifactRef, Missing> {
    let arch = machine(seen, name)?;
    Ok(ArtifactRef { name: name.into(), version: version.into(), arch: Some(arch.into()) })
}

/// k3s for the host that is seen.
///
/// # Errors
/// As `for_host`.
pub fn k3s(inventory: &Inventory, seen: &View<'_>) -> Result<ArtifactRef, Missing> {
    for_host(seen, "k3s", &inventory.versions.k3s)
}

/// k3s' images, where the host can't be expected to pull them from upstream.
///
/// # Errors
/// As `for_host`.
pub fn airgap(inventory: &Inventory, seen: &View<'_>) -> Result<Option<ArtifactRef>, Missing> {
    if inventory.source == "upstream" { Ok(None) } else { for_host(seen, "k3s-airgap", &inventory.versions.k3s).map(Some) }
}

/// cert-manager's chart, if a site wants a certificate by ACME.
pub fn cert_manager(inventory: &Inventory) -> Option<ArtifactRef> {
    let version = inventory.versions.cert_manager.clone().filter(|_| inventory.wants_acme())?;
    Some(ArtifactRef { name: "cert-manager".into(), version, arch: None })
}

/// Asks for an artifact's pin.
pub fn pin_question(artifact: &ArtifactRef) -> Question {
    Question::Operator(OperatorQuestion::Pin(artifact.clone()))
}

/// What an artifact is pinned to.
///
/// # Errors
/// It is not pinned yet: the `pins` step sees to that.
pub fn pinned<'a>(seen: &View<'a>, artifact: &ArtifactRef) -> Result<&'a Pin, Missing> {
    let unpinned = || Missing { question: pin_question(artifact), why: Why::Unreadable(format!("{artifact} is not pinned yet")) };
    seen.pin(artifact)?.ok_or_else(unpinned)
}
