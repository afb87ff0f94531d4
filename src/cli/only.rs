//! `--host` and `--step`: a look at a part of the flow.

use clap::Args;

use crate::model::{Exit, Failure, Scope, Step};

/// Which part of the flow is looked at; all of it if nothing is named.
#[derive(Args, Clone, Default)]
pub struct Only {
    /// Only the steps of this host; may be repeated
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// Only this step, or all of a kind, e.g. `k3s`, `secret`, `release/shop`; may be repeated
    #[arg(long = "step", value_name = "STEP")]
    steps: Vec<String>,
}

impl Only {
    /// The steps that are meant, in their order.
    ///
    /// # Errors
    /// 64: a name is unknown, or nothing bears both.
    pub fn of(&self, steps: Vec<Box<dyn Step>>) -> Result<Vec<Box<dyn Step>>, Failure> {
        for host in &self.hosts {
            if !steps.iter().any(|step| step.scope().is_host(host)) {
                let known = steps.iter().filter_map(|step| host_of(step.as_ref()));
                return Err(unknown(format!("no host is called {host}"), known));
            }
        }
        for word in &self.steps {
            if !steps.iter().any(|step| step.id().is_called(word)) {
                return Err(unknown(format!("no step is called {word}"), steps.iter().map(|step| step.id().to_string())));
            }
            if !steps.iter().any(|step| self.is_meant(step.as_ref(), std::slice::from_ref(word))) {
                let seen = format!("no step {word} concerns host {}", self.hosts.join(", "));
                return Err(wrong(seen, "leave --host away, or name a step of that host".into()));
            }
        }
        Ok(steps.into_iter().filter(|step| self.is_meant(step.as_ref(), &self.steps)).collect())
    }

    fn is_meant(&self, step: &dyn Step, words: &[String]) -> bool {
        let host = self.hosts.is_empty() || self.hosts.iter().any(|host| step.scope().is_host(host));
        host && (words.is_empty() || words.iter().any(|word| step.id().is_called(word)))
    }
}

fn host_of(step: &dyn Step) -> Option<String> {
    match step.scope() {
        Scope::Host(host) => Some(host.0),
        Scope::Cluster | Scope::Operator => None,
    }
}

/// The known names, each once, in their order.
fn unknown(seen: String, names: impl Iterator<Item = String>) -> Failure {
    let mut known: Vec<String> = Vec::new();
    for name in names {
        if !known.contains(&name) {
            known.push(name);
        }
    }
    wrong(seen, format!("known are: {}", known.join(", ")))
}

fn wrong(seen: String, cure: String) -> Failure {
    Failure::new("look at a part", seen, cure).exiting(Exit::Usage)
}
