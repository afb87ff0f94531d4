//! An issuance that failed: asked for anew, or told why not yet. What stands before this step in the flow has been judged by then: DNS, port 80,
//! issuers, policies.

use crate::model::{Action, ApiAction, Finding, Missing, Plan, Planned, View};

use super::super::acme_site::AcmeSite;
use super::super::attempt::{Failed, Next};
use super::super::moment;
use super::super::object::said;
use super::super::renewal::span;
use super::order;

/// What to do about it.
///
/// # Errors
/// The orders can't be seen.
pub fn plan(seen: &View<'_>, site: &AcmeSite, failed: &Failed<'_>, now: i64) -> Result<Planned, Missing> {
    let orders = seen.list(&order::orders(site.carrier.namespace()), "")?.map(Vec::as_slice).unwrap_or_default();
    let times = if failed.times == 1 { "once".to_owned() } else { format!("{} times", failed.times) };
    let what = format!("{} failed {times}, {} ago: {}", site.object(), span(now - failed.at), said(failed.said));
    let unmet = |cure: String| Plan::Unmet(vec![Finding::new(what.clone(), cure)]).into();
    Ok(match failed.next(orders, &site.names, now) {
        Next::Now => {
            let ask = ApiAction::Renew { namespace: site.carrier.namespace().into(), name: site.certificate.clone() };
            let alone = format!("by itself cert-manager tries again at {}", moment::told(failed.retry(), seen));
            Planned::act(vec![Action::Api(ask)], vec![what, alone])
        }
        Next::Failing => unmet("`bedplate diagnose` says why; once that is cured, `bedplate bootstrap` asks anew".into()),
        Next::From(at, why) => {
            unmet(format!("nothing to do now: {why}; `bedplate bootstrap` asks anew from {} on", moment::told(at, seen)))
        }
    })
}
