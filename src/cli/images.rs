//! `bedplate images`: the inventory's images by themselves.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};

use super::bootstrap::converged;
use super::session::Session;
use super::{Only, Target};
use crate::engine::Ground as _;
use crate::model::{Answer, ApiQuestion, Event, Exit, Failure, HostId, HostQuestion, ObjectRef, Question, Reply, Scope, Sink};
use crate::report::{self, Form, Images as Listed, clean, progress};

/// What to do with images.
#[derive(Subcommand)]
pub enum Images {
    /// Send the hosts what they lack of the inventory's images, and restart workloads that run an older one
    Push(Push),
    /// Show which images are on which nodes, and which pods use them; changes nothing
    Ls(Target),
}

/// What to send.
#[derive(Args)]
pub struct Push {
    #[command(flatten)]
    target: Target,
    /// Names of [images]; all of them if none is given
    names: Vec<String>,
}

impl Images {
    /// Does it: what changes something under the lock.
    ///
    /// # Errors
    /// The first thing that bedplate could not mend or look at.
    pub async fn run(&self, form: Form, sink: &Sink) -> Result<Exit, Failure> {
        match self {
            Self::Push(Push { target, names }) => {
                let session = Session::to_push(target, names)?;
                session.build().await?;
                session.live.lock().await?;
                converged(&session, form, sink).await
            }
            Self::Ls(target) => list(target, form, sink).await,
        }
    }
}

/// A node that can't be looked at is told; the others are shown.
async fn list(target: &Target, form: Form, sink: &Sink) -> Result<Exit, Failure> {
    let session = Session::open(target, &Only::default())?;
    session.live.meet().await;
    let hosts = session.steps.iter().filter_map(|step| match step.scope() {
        Scope::Host(host) => Some(host),
        Scope::Cluster | Scope::Operator => None,
    });
    let hosts: BTreeSet<HostId> = hosts.collect();
    let pods = ApiQuestion::List { of: ObjectRef::every("v1", "Pod"), selector: String::new() };
    let asked = hosts.into_iter().map(|host| Question::Host(host, HostQuestion::Images)).chain([Question::Api(pods)]);
    let answers = session.live.ask(asked.collect()).await;
    sink(Event::Done);
    let mut images = Listed::default();
    let mut used = Vec::new();
    let mut lost = false;
    for (question, answer) in answers {
        match (question, answer) {
            (Question::Host(host, _), Answer::Present(Reply::Images(found))) => images.on(&host, &found),
            (_, Answer::Present(Reply::Objects(pods))) => used = pods,
            (Question::Host(host, _), Answer::Absent) => progress(&format!("{host}: containerd does not run yet")),
            (Question::Host(host, _), Answer::Lost(failure)) if host != session.server => {
                progress(&clean(&failure.to_string()));
                lost = true;
            }
            (_, Answer::Lost(failure)) => return Err(failure.as_ref().clone()),
            (_, Answer::Unreadable(why)) => return Err(Failure::new("list images", why, "see that k3s runs, then run again")),
            _ => {}
        }
    }
    images.used(&used);
    report::result(&clean(&match form {
        Form::Text => images.text(),
        Form::Json => images.json(),
    }));
    Ok(if lost { Exit::Partly } else { Exit::Done })
}
