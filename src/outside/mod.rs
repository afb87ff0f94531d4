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

use crate::model::{Answer, Failure, OutsideQuestion, Trusted};

pub use trust::Trust;

use chain::Roots;
use dns::Resolvers;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a host may take to reach itself. The first packet that was lost is sent again after a second, the next two seconds later.
const HAIRPIN: Duration = Duration::from_secs(4);
/// Questions in flight at once.
const ABREAST: usize = 16;
/// Knocks in flight at once, beside them: most cost nothing, and those that meet silence should wait together.
const KNOCKS: usize = 128;
/// Where a site's certificate is served.
pub const HTTPS: u16 = 443;

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

    /// The certificate served for `name` where `socket` leads, judged as a visitor's. Absent: none comes back in time.
    pub async fn through(&self, socket: &Path, name: &str, trusted: &Trusted) -> Answer {
        match self.roots(trusted) {
            Ok(roots) => tokio::time::timeout(HAIRPIN, served::through(&roots, name, socket)).await.unwrap_or(Answer::Absent),
            Err(why) => Answer::Unreadable(why),
        }
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
            OutsideQuestion::Served { name, address, trusted } => match self.roots(trusted) {
                Ok(roots) => served::served(&roots, name, SocketAddr::new(*address, HTTPS)).await,
                Err(why) => Answer::Unreadable(why),
            },
            OutsideQuestion::Get { url, address, trusted } => match self.roots(trusted) {
                Ok(roots) => get::get(&roots, url, *address).await,
                Err(why) => Answer::Unreadable(why),
            },
            OutsideQuestion::OldTls { name, address } => old_tls::taken(name, SocketAddr::new(*address, HTTPS)).await,
            OutsideQuestion::Knock { address, port } => knock::knock(SocketAddr::new(*address, *port)).await,
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
