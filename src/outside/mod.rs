//! DNS, TCP, TLS and HTTP as a visitor sees them, from the operator's side.

mod chain;
mod dns;
mod get;
mod knock;
mod old_tls;
mod refusal;
mod served;
mod trust;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;

use crate::model::{Answer, Failure, OutsideQuestion, Trusted, Visit};

pub use trust::Trust;

use chain::Roots;
use dns::Resolvers;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a host may take to shake hands with itself. The first packet that was lost is sent again after a second, the next two seconds later.
const HAIRPIN: Duration = Duration::from_secs(4);
/// Questions in flight at once.
const ABREAST: usize = 16;
/// Knocks in flight at once, beside them: most cost nothing, and those that meet silence should wait together.
const KNOCKS: usize = 128;
/// Where a site's certificate is served.
const HTTPS: u16 = 443;

/// Where a visit goes; none: its URL names no port.
pub fn goal(visit: &Visit) -> Option<SocketAddr> {
    match visit {
        Visit::Served { address, .. } => Some(SocketAddr::new(*address, HTTPS)),
        Visit::Get { url, address, .. } => Some(SocketAddr::new(*address, url::Url::parse(url).ok()?.port_or_known_default()?)),
    }
}

/// The operator's view of the world.
pub struct Outside {
    roots: Arc<Roots>,
    resolvers: Resolvers,
}

impl Outside {
    /// Reads the roots that `trust` names and the system's, and `/etc/resolv.conf`.
    ///
    /// # Errors
    /// A file of roots that can't be read or holds none. That the system has no roots or resolver of its own is told by the
    /// answers that would need them.
    pub fn new(trust: &Trust) -> Result<Self, Failure> {
        Ok(Self { roots: Arc::new(Roots::load(trust)?), resolvers: Resolvers::new() })
    }

    /// Asks all of them side by side. Answers come in the order in which they arrive.
    pub async fn ask(&self, questions: Vec<OutsideQuestion>) -> Vec<(OutsideQuestion, Answer)> {
        let (knocks, others) = questions.into_iter().partition(|question| matches!(question, OutsideQuestion::Knock { .. }));
        let (mut answers, knocked) = tokio::join!(self.abreast(others, ABREAST), self.abreast(knocks, KNOCKS));
        answers.extend(knocked);
        answers
    }

    /// The same visit as from here, from where `socket` sets out. Absent: nothing comes back in time.
    pub async fn through(&self, socket: &Path, visit: &Visit) -> Answer {
        let patience = match visit {
            Visit::Served { .. } => HAIRPIN,
            // A page takes as long from there as from here.
            Visit::Get { .. } => PATIENCE,
        };
        tokio::time::timeout(patience, self.visit(visit, Some(socket))).await.unwrap_or(Answer::Absent)
    }

    async fn abreast(&self, questions: Vec<OutsideQuestion>, most: usize) -> Vec<(OutsideQuestion, Answer)> {
        futures::stream::iter(questions)
            .map(|question| async move {
                let answer = match tokio::time::timeout(PATIENCE, self.answer(&question)).await {
                    Ok(answer) => answer,
                    Err(_) => Answer::Unreadable(refusal::silence()),
                };
                (question, answer)
            })
            .buffer_unordered(most)
            .collect()
            .await
    }

    async fn answer(&self, question: &OutsideQuestion) -> Answer {
        match question {
            OutsideQuestion::Dns { name, kind, resolver } => self.resolvers.records(name, *kind, *resolver).await,
            OutsideQuestion::Visit(visit) => self.visit(visit, None).await,
            OutsideQuestion::OldTls { name, address } => old_tls::taken(name, SocketAddr::new(*address, HTTPS)).await,
            OutsideQuestion::Knock { address, port } => knock::knock(SocketAddr::new(*address, *port)).await,
        }
    }

    /// A visitor like any other, or one who sets out where a socket leads.
    async fn visit(&self, visit: &Visit, through: Option<&Path>) -> Answer {
        let (Visit::Served { trusted, .. } | Visit::Get { trusted, .. }) = visit;
        let roots = match self.roots(trusted) {
            Ok(roots) => roots,
            Err(why) => return Answer::Unreadable(why),
        };
        match (visit, through) {
            (Visit::Served { name, address, .. }, None) => served::served(&roots, name, SocketAddr::new(*address, HTTPS)).await,
            (Visit::Served { name, .. }, Some(socket)) => served::through(&roots, name, socket).await,
            (Visit::Get { url, address, .. }, through) => get::get(&roots, url, *address, through).await,
        }
    }

    fn roots(&self, trusted: &Trusted) -> Result<Arc<Roots>, String> {
        match trusted {
            Trusted::World => Ok(Arc::clone(&self.roots)),
            Trusted::Only(pem) => Roots::only(pem).map(Arc::new),
        }
    }
}

#[cfg(test)]
pub(crate) mod stand;
