//! What came back. "I could not look" is never "it is not there".

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{
    ChartFacts, DryRun, Exchange, Failure, FileMeta, FormerImage, HostFacts, ImageArchive, ImageOnHost, Listener, LiveRelease, LiveSecret,
    Pin, Provider, Rules, Secret, Served, SshdFacts, UnitState,
};

/// A question's answer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Looked, and it is not there.
    Absent,
    /// Looked, and this is it.
    Present(Reply),
    /// Could not look, and why.
    Unreadable(String),
    /// The host can't be reached, or not any more. Says which host, why, and the cure.
    #[serde(skip)]
    Lost(Arc<Failure>),
}

/// What was found. Which variant answers which question stands at the question.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// Of `HostQuestion::Facts`.
    Facts(Box<HostFacts>),
    /// Of `HostQuestion::Listeners`.
    Listeners(Vec<Listener>),
    /// Of `HostQuestion::Stat`.
    File(FileMeta),
    /// Of `HostQuestion::Unit`.
    Unit(UnitState),
    /// Of `HostQuestion::Rules`.
    Rules(Rules),
    /// Of `HostQuestion::Encryption`.
    Encryption(Vec<Provider>),
    /// Of `HostQuestion::Sshd`.
    Sshd(SshdFacts),
    /// Of `HostQuestion::Images`.
    Images(Vec<ImageOnHost>),
    /// Of `HostQuestion::Blobs`.
    Blobs(BTreeSet<String>),
    /// Of `HostQuestion::Former`.
    Former(Vec<FormerImage>),
    /// A line or a few.
    Text(String),
    /// A file's content, which may hold secrets.
    Bytes(Secret),
    /// A point in time, since the epoch.
    Seconds(i64),
    /// IP addresses.
    Addresses(Vec<IpAddr>),
    /// One object.
    Object(Value),
    /// Many objects.
    Objects(Vec<Value>),
    /// Of `ApiQuestion::Secret`.
    Secret(LiveSecret),
    /// Of `ApiQuestion::Release`.
    Release(Box<LiveRelease>),
    /// Of `ApiQuestion::DryRun`.
    DryRun(DryRun),
    /// Of `OutsideQuestion::Dns`.
    Records(Vec<String>),
    /// Of `Visit::Served`.
    Served(Served),
    /// Of `Visit::Get`.
    Exchange(Exchange),
    /// Of `OutsideQuestion::Knock` and `ApiQuestion::Login`.
    Open,
    /// Of `OperatorQuestion::Image`.
    Archive(ImageArchive),
    /// Of `OperatorQuestion::Chart`.
    Chart(ChartFacts),
    /// Of `OperatorQuestion::EnvFiles`.
    Env(BTreeMap<String, Secret>),
    /// Of `OperatorQuestion::Pin`.
    Pin(Pin),
}
