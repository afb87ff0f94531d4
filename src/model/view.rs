//! The part of what is known that a step may see.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;

use super::{
    Answer, ApiQuestion, ArtifactRef, ChartFacts, DatabaseLogin, DryRun, EnvSource, Exchange, Failure, FileMeta, FormerImage, HostFacts,
    HostId, HostQuestion, ImageArchive, ImageOnHost, ImageSource, Listener, LiveRelease, LiveSecret, Manifest, Missing, ObjectRef,
    OperatorQuestion, OutsideQuestion, PasswordRef, Pin, Program, Provider, Question, RecordKind, ReleaseUpgrade, Reply, Resolver, Rules,
    Secret, Served, SshdFacts, Tool, UnitState, Why, World,
};

/// A step's window: one host, the API, the outside, the operator's side. No other host's answers.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub(super) world: &'a World,
    pub(super) host: &'a HostId,
    /// The first server, of which an agent sees how to join and nothing else.
    pub(super) server: &'a HostId,
}

/// What a look brings: `None` is absent; an error is not asked or unreadable.
pub type Seen<T> = Result<Option<T>, Missing>;

macro_rules! look {
    ($self:ident, $question:expr, $variant:ident) => {
        $self.look($question, |reply| match reply {
            Reply::$variant(value) => Some(value),
            _ => None,
        })
    };
}

impl<'a> View<'a> {
    /// The host that is seen.
    #[must_use]
    pub fn host(&self) -> &'a HostId {
        self.host
    }

    /// A question to this view's host.
    #[must_use]
    pub fn ask(&self, question: HostQuestion) -> Question {
        Question::Host(self.host.clone(), question)
    }

    pub(super) fn look<T>(&self, question: Question, pick: impl Fn(&'a Reply) -> Option<T>) -> Seen<T> {
        let unreadable = |question, reason: &str| Missing { question, why: Why::Unreadable(reason.to_owned()) };
        let lost = |question, failure: &Arc<Failure>| Missing { question, why: Why::Lost(Arc::clone(failure)) };
        if let Some(failure) = self.world.set_aside(&question) {
            return Err(lost(question, failure));
        }
        match self.world.answer(&question) {
            None => Err(Missing { question, why: Why::NotAsked }),
            Some(Answer::Absent) => Ok(None),
            Some(Answer::Unreadable(reason)) => Err(unreadable(question, reason)),
            Some(Answer::Lost(failure)) => Err(lost(question, failure)),
            Some(Answer::Present(reply)) => match pick(reply) {
                Some(value) => Ok(Some(value)),
                None => Err(unreadable(question, "the answer is of another kind than the question")),
            },
        }
    }

    /// `HostQuestion::Facts`. Never absent.
    pub fn facts(&self) -> Result<&'a HostFacts, Missing> {
        let question = self.ask(HostQuestion::Facts);
        let missing = Missing { question: question.clone(), why: Why::Unreadable("the host told nothing of itself".into()) };
        look!(self, question, Facts)?.map(AsRef::as_ref).ok_or(missing)
    }

    /// `HostQuestion::Listeners`.
    pub fn listeners(&self) -> Seen<&'a Vec<Listener>> {
        look!(self, self.ask(HostQuestion::Listeners), Listeners)
    }

    /// `HostQuestion::Stat`.
    pub fn stat(&self, path: &str) -> Seen<&'a FileMeta> {
        look!(self, self.ask(HostQuestion::Stat(path.into())), File)
    }

    /// `HostQuestion::Digest`.
    pub fn digest(&self, path: &str) -> Seen<&'a String> {
        look!(self, self.ask(HostQuestion::Digest(path.into())), Text)
    }

    /// `HostQuestion::Content`.
    pub fn content(&self, path: &str) -> Seen<&'a Secret> {
        look!(self, self.ask(HostQuestion::Content(path.into())), Bytes)
    }

    /// `HostQuestion::Unit`.
    pub fn unit(&self, unit: &str) -> Seen<&'a UnitState> {
        look!(self, self.ask(HostQuestion::Unit(unit.into())), Unit)
    }

    /// `HostQuestion::Version`.
    pub fn version(&self, tool: Tool) -> Seen<&'a String> {
        look!(self, self.ask(HostQuestion::Version(tool)), Text)
    }

    /// `HostQuestion::Images`.
    pub fn images(&self) -> Seen<&'a Vec<ImageOnHost>> {
        look!(self, self.ask(HostQuestion::Images), Images)
    }

    /// `HostQuestion::Blobs`.
    pub fn blobs(&self) -> Seen<&'a BTreeSet<String>> {
        look!(self, self.ask(HostQuestion::Blobs), Blobs)
    }

    /// `HostQuestion::Former`.
    pub fn former(&self, ids: &[String]) -> Seen<&'a Vec<FormerImage>> {
        look!(self, self.ask(HostQuestion::Former(ids.to_vec())), Former)
    }

    /// `HostQuestion::Journal`.
    pub fn journal(&self, unit: &str) -> Seen<&'a String> {
        look!(self, self.ask(HostQuestion::Journal(unit.into())), Text)
    }

    /// `HostQuestion::Rules`.
    pub fn rules(&self, path: &str) -> Seen<Rules> {
        Ok(look!(self, self.ask(HostQuestion::Rules(path.into())), Rules)?.copied())
    }

    /// `HostQuestion::Encryption`.
    pub fn encryption(&self) -> Seen<&'a Vec<Provider>> {
        look!(self, self.ask(HostQuestion::Encryption), Encryption)
    }

    /// `HostQuestion::Sshd`.
    pub fn sshd(&self) -> Seen<&'a SshdFacts> {
        look!(self, self.ask(HostQuestion::Sshd), Sshd)
    }

    /// `HostQuestion::Resolve`.
    pub fn resolved(&self, name: &str) -> Seen<&'a Vec<IpAddr>> {
        look!(self, self.ask(HostQuestion::Resolve(name.into())), Addresses)
    }

    /// `HostQuestion::Get`.
    pub fn host_exchange(&self, url: &str, address: IpAddr) -> Seen<&'a Exchange> {
        look!(self, self.ask(HostQuestion::Get { url: url.into(), address }), Exchange)
    }

    /// `ApiQuestion::Ready`.
    pub fn api_ready(&self) -> Seen<&'a String> {
        look!(self, Question::Api(ApiQuestion::Ready), Text)
    }

    /// `ApiQuestion::Object`.
    pub fn object(&self, object: &ObjectRef) -> Seen<&'a Value> {
        look!(self, Question::Api(ApiQuestion::Object(object.clone())), Object)
    }

    /// `ApiQuestion::List`.
    pub fn list(&self, of: &ObjectRef, selector: &str) -> Seen<&'a Vec<Value>> {
        look!(self, Question::Api(ApiQuestion::List { of: of.clone(), selector: selector.into() }), Objects)
    }

    /// `ApiQuestion::Metadata`.
    pub fn metadata(&self, of: &ObjectRef, selector: &str) -> Seen<&'a Vec<Value>> {
        look!(self, Question::Api(ApiQuestion::Metadata { of: of.clone(), selector: selector.into() }), Objects)
    }

    /// `ApiQuestion::Secret`.
    pub fn secret(&self, namespace: &str, name: &str) -> Seen<&'a LiveSecret> {
        let question = ApiQuestion::Secret { namespace: namespace.into(), name: name.into() };
        look!(self, Question::Api(question), Secret)
    }

    /// `ApiQuestion::Release`.
    pub fn release(&self, namespace: &str, name: &str) -> Seen<&'a LiveRelease> {
        let question = ApiQuestion::Release { namespace: namespace.into(), name: name.into() };
        Ok(look!(self, Question::Api(question), Release)?.map(AsRef::as_ref))
    }

    /// `ApiQuestion::Login`: whether it is let in.
    pub fn logs_in(&self, login: &DatabaseLogin, password: &PasswordRef) -> Result<bool, Missing> {
        let open = |reply: &Reply| matches!(reply, Reply::Open).then_some(());
        let question = ApiQuestion::Login { login: login.clone(), password: password.clone() };
        self.look(Question::Api(question), open).map(|open| open.is_some())
    }

    /// `ApiQuestion::AnyPassword`: whether it is let in.
    pub fn takes_any_password(&self, login: &DatabaseLogin) -> Result<bool, Missing> {
        let open = |reply: &Reply| matches!(reply, Reply::Open).then_some(());
        self.look(Question::Api(ApiQuestion::AnyPassword(login.clone())), open).map(|open| open.is_some())
    }

    /// `ApiQuestion::DryRun`.
    pub fn dry_run(&self, manifest: &Manifest) -> Seen<&'a DryRun> {
        look!(self, Question::Api(ApiQuestion::DryRun(manifest.clone())), DryRun)
    }

    /// `Question::HelmDryRun`.
    pub fn helm_dry_run(&self, upgrade: &ReleaseUpgrade) -> Seen<&'a Vec<Value>> {
        look!(self, Question::HelmDryRun(self.host.clone(), Box::new(upgrade.clone())), Objects)
    }

    /// `OutsideQuestion::Dns`.
    pub fn records(&self, name: &str, kind: RecordKind, resolver: Resolver) -> Seen<&'a Vec<String>> {
        look!(self, Question::Outside(OutsideQuestion::Dns { name: name.into(), kind, resolver }), Records)
    }

    /// `Visit::Served`.
    pub fn served(&self, name: &str, address: IpAddr) -> Seen<&'a Served> {
        self.served_of(Question::Outside(OutsideQuestion::served(name, address)))
    }

    /// The same, to the visitor who asks so.
    pub fn served_of(&self, asked: Question) -> Seen<&'a Served> {
        look!(self, asked, Served)
    }

    /// `OutsideQuestion::OldTls`.
    pub fn old_tls(&self, name: &str, address: IpAddr) -> Seen<&'a String> {
        look!(self, Question::Outside(OutsideQuestion::OldTls { name: name.into(), address }), Text)
    }

    /// `Visit::Get`.
    pub fn exchange(&self, url: &str, address: IpAddr) -> Seen<&'a Exchange> {
        self.exchange_of(Question::Outside(OutsideQuestion::get(url, address)))
    }

    /// The same, with the visitor who asks so.
    pub fn exchange_of(&self, asked: Question) -> Seen<&'a Exchange> {
        look!(self, asked, Exchange)
    }

    /// `OutsideQuestion::Knock`: whether it is open.
    pub fn knocked(&self, address: IpAddr, port: u16) -> Result<bool, Missing> {
        let open = |reply: &Reply| matches!(reply, Reply::Open).then_some(());
        self.look(Question::Outside(OutsideQuestion::Knock { address, port }), open).map(|open| open.is_some())
    }

    /// `OperatorQuestion::Kubeconfig`.
    pub fn kubeconfig(&self, path: &std::path::Path) -> Seen<&'a Secret> {
        look!(self, Question::Operator(OperatorQuestion::Kubeconfig(path.into())), Bytes)
    }

    /// `OperatorQuestion::Image`.
    pub fn image(&self, source: &ImageSource, arch: &str) -> Seen<&'a ImageArchive> {
        look!(self, Question::Operator(OperatorQuestion::Image(source.clone(), arch.into())), Archive)
    }

    /// `OperatorQuestion::Chart`.
    pub fn chart(&self, path: &std::path::Path) -> Seen<&'a ChartFacts> {
        look!(self, Question::Operator(OperatorQuestion::Chart(path.into())), Chart)
    }

    /// `OperatorQuestion::Values`.
    pub fn values(&self, paths: &[std::path::PathBuf]) -> Seen<&'a Value> {
        look!(self, Question::Operator(OperatorQuestion::Values(paths.to_vec())), Object)
    }

    /// `OperatorQuestion::EnvFiles`.
    pub fn env_files(&self, sources: &[EnvSource]) -> Seen<&'a BTreeMap<String, Secret>> {
        look!(self, Question::Operator(OperatorQuestion::EnvFiles(sources.to_vec())), Env)
    }

    /// `OperatorQuestion::Output`.
    pub fn output(&self, program: &Program) -> Seen<&'a Secret> {
        look!(self, Question::Operator(OperatorQuestion::Output(program.clone())), Bytes)
    }

    /// `OperatorQuestion::Pin`.
    pub fn pin(&self, artifact: &ArtifactRef) -> Seen<&'a Pin> {
        look!(self, Question::Operator(OperatorQuestion::Pin(artifact.clone())), Pin)
    }

    /// `OperatorQuestion::File`.
    pub fn file(&self, path: &std::path::Path) -> Seen<&'a Secret> {
        look!(self, Question::Operator(OperatorQuestion::File(path.into())), Bytes)
    }

    /// `OperatorQuestion::Zone`.
    pub fn zone(&self) -> Seen<&'a String> {
        look!(self, Question::Operator(OperatorQuestion::Zone), Text)
    }

    /// `OperatorQuestion::Clock`, seconds since the epoch. Never absent.
    pub fn clock(&self) -> Result<i64, Missing> {
        let question = Question::Operator(OperatorQuestion::Clock);
        let missing = Missing { question: question.clone(), why: Why::Unreadable("the operator's clock told nothing".into()) };
        look!(self, question, Seconds)?.copied().ok_or(missing)
    }
}
