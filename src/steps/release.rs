//! Helm releases. The inventory names the one value that takes the issuer; the ratchet supplies it, nothing else writes it. Promotion is
//! this step acting a second time, with the other issuer.

use serde_json::{Map, Value, json};

use crate::inventory::{self, Consent, Inventory};
use crate::model::{
    ChartFacts, ChartSource, LiveRelease, Missing, OperatorQuestion, Plan, Planned, Question, ReleaseUpgrade, Scope, Step, StepId, View,
    Why,
};

use super::acme_site::AcmeSite;
use super::carrier;
use super::ratchet::{self, Issuer};
use super::upgrade::{self, Wanted};

struct Release {
    config: inventory::Release,
    sites: Vec<AcmeSite>,
    adopts: bool,
}

/// One step a `[[releases]]`.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let adopts = inventory.consents.contains(&Consent::Adopt);
    let step = |config: &inventory::Release| {
        let own = inventory.sites.iter().filter(|site| site.release == config.name);
        let sites = own.filter_map(|site| AcmeSite::of(inventory, site)).collect();
        Box::new(Release { config: config.clone(), sites, adopts }) as Box<dyn Step>
    };
    inventory.releases.iter().map(step).collect()
}

impl Step for Release {
    fn id(&self) -> StepId {
        StepId::named("release", &self.config.name)
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = vec![
            Question::Operator(OperatorQuestion::Chart(self.config.chart.clone())),
            Question::Operator(OperatorQuestion::Values(self.config.values.clone())),
        ];
        questions.extend(self.sites.iter().flat_map(AcmeSite::questions));
        let wanted = self.wanted(seen).ok().map(|(wanted, _)| wanted);
        questions.extend(upgrade::questions(seen, &self.config.namespace, &self.config.name, wanted));
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let live = seen.release(&self.config.namespace, &self.config.name)?;
        let (wanted, issuer) = self.wanted(seen)?;
        let mut planned = wanted.plan(seen)?;
        if let (Plan::Act(_), Some(issuer)) = (&planned.plan, issuer) {
            planned.reasons.extend(self.turn(live, issuer));
        }
        Ok(planned)
    }
}

impl Release {
    /// The release as it must be, and the issuer that it is given.
    fn wanted(&self, seen: &View<'_>) -> Result<(Wanted, Option<Issuer>), Missing> {
        let live = seen.release(&self.config.namespace, &self.config.name)?;
        let issuer = self.issuer(live, seen)?;
        let chart = self.chart(seen)?;
        let mut values = seen.values(&self.config.values)?.cloned().unwrap_or_else(|| json!({}));
        if let (Some(path), Some(issuer)) = (&self.config.issuer_value, issuer) {
            set(&mut values, path, issuer.name());
        }
        let upgrade = ReleaseUpgrade {
            namespace: self.config.namespace.clone(),
            name: self.config.name.clone(),
            chart: ChartSource::Path(self.config.chart.clone()),
            chart_digest: chart.digest.clone(),
            values,
            timeout: self.config.within().as_secs(),
        };
        Ok((Wanted { upgrade, version: chart.version.clone(), adopts: self.adopts }, issuer))
    }

    /// The issuer that the ratchet gives; none if the release takes none.
    fn issuer(&self, live: Option<&LiveRelease>, seen: &View<'_>) -> Result<Option<Issuer>, Missing> {
        if self.config.issuer_value.is_none() || self.sites.is_empty() {
            return Ok(None);
        }
        let evidence = self.sites.iter().map(|site| site.evidence(seen)).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(ratchet::issuer(live.and_then(|live| self.stored(live)), &evidence, seen.clock()?)))
    }

    fn stored<'a>(&self, live: &'a LiveRelease) -> Option<&'a str> {
        carrier::stored(live, self.config.issuer_value.as_deref()?)
    }

    /// A line on the issuer, where it changes.
    fn turn(&self, live: Option<&LiveRelease>, issuer: Issuer) -> Option<String> {
        let stored = live.and_then(|live| self.stored(live));
        let why = match issuer {
            Issuer::Staging => "until the staging certificate is served",
            Issuer::Production => "a certificate is served already, or was",
        };
        (stored != Some(issuer.name())).then(|| format!("the issuer becomes {}: {why}", issuer.name()))
    }

    fn chart<'a>(&self, seen: &View<'a>) -> Result<&'a ChartFacts, Missing> {
        seen.chart(&self.config.chart)?.ok_or_else(|| Missing {
            question: Question::Operator(OperatorQuestion::Chart(self.config.chart.clone())),
            why: Why::Unreadable(format!("there is no chart at {}", self.config.chart.display())),
        })
    }
}

/// Sets the value at a dotted path, making the tables on the way.
fn set(values: &mut Value, path: &str, text: &str) {
    let mut place = values;
    for key in path.split('.') {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[key];
    }
    *place = json!(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dotted_path_is_set_beside_what_is_there() {
        let mut values = json!({ "ingress": { "host": "shop.example" } });
        set(&mut values, "ingress.clusterIssuer", "letsencrypt-staging");
        assert_eq!(values, json!({ "ingress": { "host": "shop.example", "clusterIssuer": "letsencrypt-staging" } }));
        let mut empty = Value::Null;
        set(&mut empty, "a.b", "c");
        assert_eq!(empty, json!({ "a": { "b": "c" } }));
    }
}
