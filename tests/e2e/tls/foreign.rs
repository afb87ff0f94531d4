//! A cert-manager of the user's own: refused with what would change, left as it is, and taken over by consent.

use anyhow::{Result, ensure};

use super::super::flow::{bedplate, ended};
use crate::bench::Bench;

/// What bedplate knows its releases by.
const FORGET: &str = "k3s kubectl -n cert-manager label secret -l owner=helm,name=cert-manager bedplate.dev/chart-";
/// The newest revision, and what we wrote on it.
const NEWEST: &str = "k3s kubectl -n cert-manager get secret -l owner=helm,name=cert-manager,status=deployed \
                      -o jsonpath='{.items[0].metadata.labels.version} {.items[0].metadata.labels.bedplate\\.dev/chart}'";

/// On a host whose cert-manager is made to look like somebody else's. Its certificates stay.
pub fn taken_over(bench: &Bench<'_>) -> Result<()> {
    bench.look(FORGET)?;
    let before = bench.look(NEWEST)?;
    let refused = bedplate(bench, &["bootstrap", "inventory.toml"])?;
    ended(&refused, 1)?;
    for word in ["release cert-manager of cert-manager is there, and bedplate did not make it", "run with --adopt to take it over"] {
        ensure!(refused.stderr.contains(word), "`{word}` is not said:\n{}", refused.stderr);
    }
    ensure!(bench.look(NEWEST)? == before, "a refusal changed {before}");
    ended(&bedplate(bench, &["bootstrap", "--adopt", "inventory.toml"])?, 0)?;
    let after = bench.look(NEWEST)?;
    let ours = after.split_once(' ').is_some_and(|(revision, label)| label.ends_with(&format!(".{revision}")));
    ensure!(ours && after != before, "it was {before}, and is {after}");
    ended(&bedplate(bench, &["plan", "inventory.toml"])?, 0)
}
