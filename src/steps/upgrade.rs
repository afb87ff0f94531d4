//! When a helm release is as it must be, and what mends it if not. A release is unchanged when chart, version and values equal what its
//! release Secret stores and its live objects match: then helm is not called.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::model::{
    Action, ApiAction, ApiQuestion, Condition, Finding, HostAction, LiveRelease, Manifest, Missing, Note, OperatorQuestion, Plan, Planned,
    Question, ROLLED_BACK, ReleaseAction, ReleaseUpgrade, View, Why,
};

use super::artifact::short;
use super::autoscaler;
use super::difference::Difference;
use super::drift;
use super::moment;
use super::rendered;

/// How long a helm of somebody else's takes at most, unless the release asks for more: its own `--timeout`, seconds.
const TIMEOUT: u64 = 300;
/// What it may take beyond that, seconds.
const SLACK: u64 = 120;

/// A release as it must be.
pub struct Wanted {
    /// What helm would be told.
    pub upgrade: ReleaseUpgrade,
    /// The chart's version.
    pub version: String,
    /// Whether one of somebody else's is taken over.
    pub adopts: bool,
}

/// What must be known of a release: its newest revision, then a dry run of each of its objects, and, if it is not as `wanted` (none: that
/// can't be told yet), what helm would make of it.
pub fn questions(seen: &View<'_>, namespace: &str, name: &str, wanted: Option<Wanted>) -> Vec<Question> {
    let mut questions = vec![Question::Api(question(namespace, name))];
    if let Ok(Some(live)) = seen.release(namespace, name) {
        questions.extend(manifests(live).map(|manifest| Question::Api(ApiQuestion::DryRun(manifest))));
        questions.extend(autoscaler::questions(seen, manifests(live)));
        if live.is_pending() && !live.is_begun_by_us() {
            questions.extend([Question::Operator(OperatorQuestion::Clock), moment::QUESTION]);
        }
        let wanted = wanted.filter(|wanted| !live.is_pending() && !wanted.stale(live).is_empty());
        questions.extend(wanted.map(|wanted| Question::HelmDryRun(seen.host().clone(), Box::new(wanted.upgrade))));
    }
    questions
}

/// The newest revision of a release.
pub fn question(namespace: &str, name: &str) -> ApiQuestion {
    ApiQuestion::Release { namespace: namespace.into(), name: name.into() }
}

/// A release that must be there before what it brought can be judged.
///
/// # Errors
/// It is not there yet, or can't be seen.
pub fn released<'a>(seen: &View<'a>, namespace: &str, name: &str) -> Result<&'a LiveRelease, Missing> {
    let why = Why::Unreadable(format!("release {name} is not there yet"));
    seen.release(namespace, name)?.ok_or_else(|| Missing { question: Question::Api(question(namespace, name)), why })
}

/// The release's objects as its manifest has them.
pub fn manifests(live: &LiveRelease) -> impl Iterator<Item = Manifest> {
    rendered::manifests(&live.objects)
}

impl Wanted {
    /// What mends the release. One of somebody else's keeps its chart and its values until it is given to us.
    ///
    /// # Errors
    /// The release or one of its objects can't be seen.
    pub fn plan(self, seen: &View<'_>) -> Result<Planned, Missing> {
        let (namespace, name) = (self.upgrade.namespace.clone(), self.upgrade.name.clone());
        let is_theirs = !self.adopts && seen.release(&namespace, &name)?.is_some_and(|live| live.foreign);
        let planned = self.mended(seen)?;
        match planned.plan {
            Plan::Act(_) if is_theirs => Ok(Plan::Unmet(vec![foreign(&namespace, &name, &planned.reasons)]).into()),
            _ => Ok(planned),
        }
    }

    fn mended(self, seen: &View<'_>) -> Result<Planned, Missing> {
        let helm = |action| Action::Host(seen.host().clone(), HostAction::Release(action));
        let Some(live) = seen.release(&self.upgrade.namespace, &self.upgrade.name)? else {
            let first = ReleaseAction::Upgrade { release: Box::new(self.upgrade), revision: 1 };
            return Ok(Planned::act(vec![helm(first)], vec!["the release is absent".into()]));
        };
        let next = live.revision + 1;
        let differs = self.differs(live);
        // A helm that was killed leaves such a state, and refuses to go on from it.
        if live.is_pending() {
            if let Some(wait) = self.another(live, seen)? {
                return Ok(Plan::Wait(wait).into());
            }
            // What was killed on its way to what is wanted goes on from there: a rollback would put a site that is on production by now
            // back on staging, and roll healthy pods to and fro.
            let deployed = live.deployed.filter(|_| !differs.is_empty());
            let ReleaseUpgrade { namespace, name, .. } = self.upgrade;
            let clear = ReleaseAction::ClearPending { namespace, name, revision: live.revision, deployed };
            return Ok(Planned::act(vec![helm(clear)], vec![format!("revision {} is {}: a helm was killed", live.revision, live.status)]));
        }
        let stale = self.stale(live);
        if !stale.is_empty() {
            let (rendered, note) = rendered::changes(seen, live, &self.upgrade);
            // The upgrade mends drift as well; what can't be looked at for that blocks nothing.
            let (drift, scaled) = drifted(seen, live).unwrap_or_default();
            let drift = drift.into_iter().flat_map(|drifted| drifted.reasons);
            let reasons = stale.into_iter().chain(rendered).chain(drift.map(|reason| format!("live {reason}"))).collect();
            let upgrade = helm(ReleaseAction::Upgrade { release: Box::new(self.upgrade), revision: next });
            return Ok(Planned::act(vec![upgrade], reasons).with_notes(note.into_iter().chain(scaled).collect()));
        }
        let (drifted, scaled) = drifted(seen, live)?;
        let mut actions = Vec::new();
        if drifted.iter().any(|drifted| drifted.mended_by == MendedBy::Helm) {
            actions.push(helm(ReleaseAction::Upgrade { release: Box::new(self.upgrade), revision: next }));
        }
        let reasons = drifted.iter().flat_map(|drifted| drifted.reasons.clone()).collect();
        let applied = drifted.into_iter().filter(|drifted| drifted.mended_by == MendedBy::Apply);
        actions.extend(applied.map(|drifted| Action::Api(ApiAction::Apply(drifted.manifest))));
        Ok(Planned::act(actions, reasons).with_notes(scaled))
    }

    /// A helm that may be at it still. Ours is dead: we hold the lock, which is free only once what its holder began has ended. Anybody
    /// else's, here or elsewhere, is given its time.
    fn another(&self, live: &LiveRelease, seen: &View<'_>) -> Result<Option<Condition>, Missing> {
        if live.is_begun_by_us() {
            return Ok(None);
        }
        let within = self.upgrade.timeout.max(TIMEOUT) + SLACK;
        let until = live.changed.saturating_add_unsigned(within);
        let (since, then) = (moment::told(live.changed, seen), moment::told(until, seen));
        Ok((seen.clock()? < until).then(|| Condition {
            what: format!("helm is done with revision {} of {}", live.revision, self.upgrade.name),
            seen: format!("{} since {since}, and not by bedplate; taken for killed from {then} on", live.status),
            cure: format!("see who runs helm; `helm history {} -n {}`", self.upgrade.name, self.upgrade.namespace),
            within: Duration::from_secs(within + SLACK),
        }))
    }

    /// Why an upgrade is due.
    fn stale(&self, live: &LiveRelease) -> Vec<String> {
        let undone = (live.status != "deployed").then(|| format!("revision {} is {}", live.revision, live.status));
        undone.into_iter().chain(self.differs(live)).collect()
    }

    /// How the stored release differs from the wanted one.
    fn differs(&self, live: &LiveRelease) -> Vec<String> {
        let mut reasons = Vec::new();
        if plain(&live.chart_version) != plain(&self.version) {
            reasons.push(format!("chart {} -> {}", live.chart_version, self.version));
        } else if live.chart_digest != self.upgrade.chart_digest {
            let (from, to) = (short(&live.chart_digest), short(&self.upgrade.chart_digest));
            reasons.push(match live.chart_digest.as_str() {
                "" => format!("revision {} was not made by bedplate: it may be of another chart than {to}", live.revision),
                ROLLED_BACK => format!("revision {} was rolled back to", live.revision),
                _ => format!("the files of chart {} changed: {from} -> {to}", self.version),
            });
        }
        changed("", &live.values, &self.upgrade.values, &mut reasons);
        reasons
    }
}

fn foreign(namespace: &str, name: &str, reasons: &[String]) -> Finding {
    let changes: String = reasons.iter().map(|reason| format!("\n    {reason}")).collect();
    let cure = format!("run with --adopt to take it over; what that would change:{changes}");
    Finding::new(format!("release {name} of {namespace} is there, and bedplate did not make it"), cure)
}

/// `v1.2.3` and `1.2.3` are the same version: charts differ in how they write it.
fn plain(version: &str) -> &str {
    version.trim_start_matches('v')
}

/// How values differ, by path; null and absent are the same, as in a chart.
fn changed(path: &str, one: &Value, other: &Value, reasons: &mut Vec<String>) {
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let map = |value: &Value| value.is_object() || value.is_null();
    if map(one) && map(other) {
        let (one, other) = (fields(one), fields(other));
        for key in one.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
            let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            changed(&below, one.get(key).unwrap_or(&Value::Null), other.get(key).unwrap_or(&Value::Null), reasons);
        }
    } else if one != other {
        reasons.push(Difference::of(path, one, other).told(&format!("value {path}"), ""));
    }
}

#[derive(PartialEq)]
enum MendedBy {
    /// An upgrade merges old manifest, new manifest and live object.
    Helm,
    /// Helm 3 compares only the manifests of custom resources, so an edit by hand stays: we apply the release's own manifest.
    Apply,
}

struct Drifted {
    manifest: Manifest,
    mended_by: MendedBy,
    reasons: Vec<String>,
}

/// What differs, and what is said of what may.
fn drifted(seen: &View<'_>, live: &LiveRelease) -> Result<(Vec<Drifted>, Vec<Note>), Missing> {
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    for manifest in manifests(live) {
        let dry_run = seen.dry_run(&manifest)?;
        let there = dry_run.is_some_and(|dry_run| dry_run.live.is_some());
        if !there && goes_by_itself(&manifest) {
            continue;
        }
        let scaled = dry_run.map(|dry_run| autoscaler::left_out(seen, &manifest, dry_run)).transpose()?.flatten();
        let (left, note) = scaled.unzip();
        notes.extend(note);
        let reasons = drift::differences(manifest.object(), left.as_ref().or(dry_run));
        if reasons.is_empty() {
            continue;
        }
        let mended_by = if there && custom(&manifest.object().api_version) { MendedBy::Apply } else { MendedBy::Helm };
        found.push(Drifted { manifest, mended_by, reasons });
    }
    Ok((found, notes))
}

/// A Job that Kubernetes removes some time after its end: made anew it would run again.
fn goes_by_itself(manifest: &Manifest) -> bool {
    manifest.object().kind == "Job" && manifest.body().pointer("/spec/ttlSecondsAfterFinished").is_some_and(Value::is_number)
}

/// Kubernetes' own groups have no dot, or end in `.k8s.io`.
fn custom(api_version: &str) -> bool {
    api_version.split_once('/').is_some_and(|(group, _)| group.contains('.') && !group.ends_with(".k8s.io"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(one: Value, other: Value) -> Vec<String> {
        let mut reasons = Vec::new();
        changed("", &one, &other, &mut reasons);
        reasons
    }

    #[test]
    fn values_differ_by_path_and_secret_ones_are_not_shown() {
        let one = json!({ "a": { "b": 1, "c": 2, "password": "hunter2" } });
        let other = json!({ "a": { "b": 1, "c": 3, "password": "hunter3" }, "d": true });
        let secret = "value a.password differs (not shown: it may hold secrets)";
        assert_eq!(told(one, other), ["value a.c 2 -> 3", secret, "value d nothing -> true"]);
    }

    #[test]
    fn null_and_absent_are_the_same_value() {
        assert_eq!(told(Value::Null, json!({})), Vec::<String>::new());
        assert_eq!(told(json!({ "a": null }), json!({})), Vec::<String>::new());
    }

    #[test]
    fn kubernetes_own_groups_are_not_custom() {
        for own in ["v1", "apps/v1", "networking.k8s.io/v1", "apiextensions.k8s.io/v1"] {
            assert!(!custom(own), "{own}");
        }
        assert!(custom("traefik.io/v1alpha1") && custom("cert-manager.io/v1"));
    }
}
