//! `prune`: what bears our label and left the inventory. It is told, and removed only when the user allows it. A namespace may hold what
//! others put there: it is never removed. Images keep no sign of who pinned them, so none is told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{cert_manager, issuers, jwt_keys, namespaces, redirects, solver_policy, tls_secret};
use crate::inventory::{Consent, Inventory};
use crate::model::{
    Action, ApiAction, ApiQuestion, CHART_LABEL, Finding, HostAction, KEY_ID, MADE_UP, MANAGED_BY, Missing, Note, ObjectRef, Plan, Planned,
    Question, ReleaseAction, Scope, Step, StepId, View, marked,
};

/// Kinds of which we make objects, in the order in which they go.
const KINDS: [(&str, &str); 7] = [
    ("cert-manager.io/v1", "ClusterIssuer"),
    redirects::ROUTE,
    redirects::MIDDLEWARE,
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "Namespace"),
];

/// helm's storage driver keeps each revision in a Secret with this label (helm: pkg/storage/driver).
const RELEASES: &str = "owner=helm";

/// What it is called.
const PRUNE: &str = "prune";

struct Prune {
    wanted: BTreeSet<ObjectRef>,
    /// Namespace and name.
    releases: BTreeSet<(String, String)>,
    allowed: bool,
}

/// One for the whole cluster.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let secrets = inventory.secrets.iter().map(|secret| (&secret.namespace, &secret.name));
    let keys = inventory.jwt_keys.iter().map(|keys| (&keys.namespace, &keys.secret));
    let secrets = secrets.chain(keys).map(|(namespace, name)| ObjectRef::new("v1", "Secret", namespace, name));
    let own = secrets.chain(jwt_keys::objects(inventory)).chain(namespaces::objects(inventory)).chain(issuers::objects(inventory));
    let own = own.chain(solver_policy::objects(inventory)).chain(redirects::objects(inventory)).chain(tls_secret::objects(inventory));
    let releases = inventory.releases.iter().map(|release| (release.namespace.clone(), release.name.clone()));
    let prune = Prune {
        wanted: own.collect(),
        releases: releases.chain(cert_manager::release(inventory)).collect(),
        allowed: inventory.consents.contains(&Consent::Prune),
    };
    vec![Box::new(prune)]
}

/// Something that is left over.
struct Leftover {
    what: String,
    /// What is lost with it beside itself.
    loss: Option<&'static str>,
    removal: Action,
}

impl Leftover {
    fn told(self) -> Note {
        let verb = if matches!(self.removal, Action::Host(..)) { "uninstalls it" } else { "removes it" };
        let loss = self.loss.map(|loss| format!(": {loss}")).unwrap_or_default();
        Note::Warning(Finding::new(format!("{} left the inventory", self.what), format!("`bedplate bootstrap --prune` {verb}{loss}")))
    }

    fn reason(&self) -> String {
        let loss = self.loss.map(|loss| format!("; {loss}")).unwrap_or_default();
        format!("{} left the inventory{loss}", self.what)
    }
}

fn selector() -> String {
    format!("{}={}", MANAGED_BY.0, MANAGED_BY.1)
}

/// Which object the metadata of one of this kind is.
fn object((api_version, kind): (&str, &str), metadata: &Value) -> ObjectRef {
    let text = |key: &str| metadata["metadata"][key].as_str().unwrap_or_default();
    ObjectRef::new(api_version, kind, text("namespace"), text("name"))
}

impl Step for Prune {
    fn id(&self) -> StepId {
        StepId::of(PRUNE)
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        let labelled = KINDS.map(|(version, kind)| ApiQuestion::Metadata { of: ObjectRef::every(version, kind), selector: selector() });
        let releases = ApiQuestion::Metadata { of: ObjectRef::every("v1", "Secret"), selector: RELEASES.into() };
        labelled.into_iter().chain([releases]).map(Question::Api).collect()
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let mut leftovers = self.left_releases(seen)?;
        let mut notes = Vec::new();
        for kind in KINDS {
            for metadata in seen.metadata(&ObjectRef::every(kind.0, kind.1), &selector())?.into_iter().flatten() {
                let object = object(kind, metadata);
                if self.wanted.contains(&object) || metadata["metadata"].get("deletionTimestamp").is_some() {
                    continue;
                }
                if kind.1 == "Namespace" {
                    let name = &object.name;
                    notes.push(Note::Manual(format!(
                        "namespace {name} left the inventory; once nothing in it is needed: kubectl delete namespace {name}"
                    )));
                } else {
                    leftovers.push(leftover(object, metadata));
                }
            }
        }
        if self.allowed {
            let reasons = leftovers.iter().map(Leftover::reason).collect();
            return Ok(Planned::act(leftovers.into_iter().map(|leftover| leftover.removal).collect(), reasons).with_notes(notes));
        }
        notes.splice(0..0, leftovers.into_iter().map(Leftover::told));
        Ok(Planned::act(Vec::new(), Vec::new()).with_notes(notes))
    }
}

/// `prune` that removes these and nothing else; every other step as it is. What left the inventory after it was shown is told by the next run.
#[must_use]
pub fn bounded(step: Box<dyn Step>, shown: &[Action]) -> Box<dyn Step> {
    if step.id() == StepId::of(PRUNE) { Box::new(Bounded { step, shown: shown.to_vec() }) } else { step }
}

struct Bounded {
    step: Box<dyn Step>,
    shown: Vec<Action>,
}

impl Step for Bounded {
    fn id(&self) -> StepId {
        self.step.id()
    }

    fn scope(&self) -> Scope {
        self.step.scope()
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        self.step.questions(seen)
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let planned = self.step.plan(seen)?;
        let Plan::Act(actions) = planned.plan else { return Ok(planned) };
        let actions: Vec<Action> = actions.into_iter().filter(|action| self.shown.contains(action)).collect();
        let reasons = if actions.is_empty() { Vec::new() } else { planned.reasons };
        Ok(Planned::act(actions, reasons).with_notes(planned.notes))
    }
}

impl Prune {
    /// Releases whose newest revision is ours.
    fn left_releases(&self, seen: &View<'_>) -> Result<Vec<Leftover>, Missing> {
        let mut newest: BTreeMap<(String, String), (u32, &Value)> = BTreeMap::new();
        for secret in seen.metadata(&ObjectRef::every("v1", "Secret"), RELEASES)?.into_iter().flatten() {
            let labels = &secret["metadata"]["labels"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let revision = text(&labels["version"]).parse().unwrap_or_default();
            let at = newest.entry((text(&secret["metadata"]["namespace"]), text(&labels["name"]))).or_insert((revision, labels));
            if revision > at.0 {
                *at = (revision, labels);
            }
        }
        // helm carries our label over to revisions that others make: such a release is somebody else's by now.
        let ours = |revision: u32, labels: &Value| labels[CHART_LABEL].as_str().is_some_and(|label| marked(label, revision).is_some());
        newest.retain(|release, (revision, labels)| {
            !self.releases.contains(release) && ours(*revision, labels) && labels["status"] != "uninstalled"
        });
        let leftover = |(namespace, name): (String, String)| Leftover {
            what: format!("release {namespace}/{name}"),
            loss: Some("its chart's volume claims go with it"),
            removal: Action::Host(seen.host().clone(), HostAction::Release(ReleaseAction::Uninstall { namespace, name })),
        };
        Ok(newest.into_keys().map(leftover).collect())
    }
}

fn leftover(object: ObjectRef, metadata: &Value) -> Leftover {
    // Nothing but the cluster holds a key that was made there.
    let key = metadata["metadata"]["annotations"].get(KEY_ID).is_some();
    let made_up = metadata["metadata"]["annotations"].get(MADE_UP).is_some();
    Leftover {
        what: if key { format!("the key pair in {object}") } else { object.to_string() },
        loss: match (key, made_up) {
            (true, _) => Some("it can't be had again, and all that it signed ends"),
            (false, true) => Some("what was made up in it can't be had again"),
            (false, false) => None,
        },
        removal: Action::Api(ApiAction::Delete(object)),
    }
}
