//! An issuer that is not Ready: held up by it, or told of it.

use std::time::Duration;

use serde_json::Value;

use super::super::object::{condition, is_stale};
use super::super::ratchet::Issuer;
use super::object;
use crate::model::{Condition, Finding, Note, Plan};

/// Why an issuer is not Ready for the spec that it has now.
pub enum Unready {
    /// cert-manager has not come to it yet.
    Unseen(&'static str),
    /// cert-manager says why.
    Failing(String),
}

impl Unready {
    /// None if it is Ready.
    pub fn of(live: Option<&Value>) -> Option<Self> {
        let Some(live) = live else { return Some(Self::Unseen("it is absent")) };
        let Some(ready) = condition(live, "Ready") else {
            return Some(Self::Unseen("it says nothing of itself yet"));
        };
        let text = |field: &str| ready[field].as_str().unwrap_or_default();
        if is_stale(ready, live) {
            return Some(Self::Unseen("it has not seen its new spec yet"));
        }
        (text("status") != "True").then(|| Self::Failing(format!("{}: {}", text("reason"), text("message"))))
    }

    /// Of one that a site is given next.
    pub fn waiting(self, issuer: Issuer) -> Plan {
        let seen = match self {
            Self::Unseen(what) => what.into(),
            Self::Failing(why) => why,
        };
        Plan::Wait(Condition { what: format!("{} is Ready", object(issuer)), seen, cure: cure(issuer), within: Duration::from_secs(60) })
    }

    /// Of one that no site waits for. Both are made at once, and one comes to be Ready after the other: that is not worth a line.
    pub fn idle(self, issuer: Issuer) -> Option<Note> {
        let Self::Failing(why) = self else { return None };
        Some(Note::Warning(Finding::new(format!("{} is not Ready: {why}; no site needs it now", object(issuer)), cure(issuer))))
    }
}

fn cure(issuer: Issuer) -> String {
    let server = match issuer {
        Issuer::Staging => "acme.staging",
        Issuer::Production => "acme.production",
    };
    format!("check acme.email, {server}.server and {server}.server_ca; pods must reach that server by name")
}
