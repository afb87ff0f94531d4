//! `kubeconfig`: `kubectl` works for the login user on the server, and for the operator through `bedplate tunnel` (or directly).

mod credentials;
mod merge;
mod shell;

use std::path::{Path, PathBuf};

use super::changes::{Changes, file_questions};
use super::k3s::api_port;
use crate::inventory::{Access, Connection, Inventory};
use crate::model::{
    Action, Content, FileKind, FileWrite, Finding, HostAction, HostFacts, HostId, HostQuestion, K3S_KUBECONFIG, KubeconfigMerge, Missing,
    OperatorAction, OperatorQuestion, Owner, Plan, Planned, Question, Scope, Secret, Step, StepId, View, Why,
};
use credentials::Credentials;
use merge::{Entry, merge};

struct Kubeconfig {
    host: HostId,
    connection: Connection,
    name: String,
    path: PathBuf,
    port: u64,
    /// How the operator reaches the API.
    server: String,
}

/// One, for the first server.
pub fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let port = api_port(&inventory.k3s);
    let step = inventory.server().map(|host| Kubeconfig {
        host: HostId(host.name.clone()),
        connection: host.connection,
        name: inventory.name.clone(),
        path: inventory.kubeconfig.path.clone(),
        port,
        server: match inventory.kubeconfig.access {
            Access::Tunnel => format!("https://127.0.0.1:{port}"),
            Access::Direct => match host.direct() {
                ip if ip.contains(':') => format!("https://[{ip}]:{port}"),
                place => format!("https://{place}:{port}"),
            },
        },
    });
    step.into_iter().map(|step| Box::new(step) as Box<dyn Step>).collect()
}

/// The login user's folder and file.
fn paths(facts: &HostFacts) -> (String, String) {
    (format!("{}/.kube", facts.home), format!("{}/.kube/config", facts.home))
}

impl Kubeconfig {
    fn entry<'a>(&'a self, server: String, credentials: &'a Credentials) -> Entry<'a> {
        Entry { name: &self.name, server, credentials }
    }

    /// Whether the login user's file is the operator's own, which says how the operator reaches the API: they are one on this very machine.
    fn is_operators(&self, file: &str) -> bool {
        self.connection == Connection::Local && Path::new(file) == self.path
    }

    fn credentials(&self, seen: &View<'_>) -> Result<Credentials, Missing> {
        let missing = |reason: &str| Missing {
            question: seen.ask(HostQuestion::Content(K3S_KUBECONFIG.into())),
            why: Why::Unreadable(reason.into()),
        };
        let source = seen.content(K3S_KUBECONFIG)?.ok_or_else(|| missing("k3s has not written k3s.yaml yet"))?;
        credentials::read(source).ok_or_else(|| missing("k3s.yaml lacks inline certificates"))
    }

    /// The login user's own file, in a folder of its own. Some: what forbids it.
    fn on_host(&self, changes: &mut Changes, seen: &View<'_>, credentials: &Credentials) -> Result<Option<Finding>, Missing> {
        let facts = seen.facts()?;
        let (folder, file) = paths(facts);
        let owner = Owner::User { uid: facts.uid, gid: facts.gid };
        match seen.stat(&folder)? {
            Some(meta) if meta.kind != FileKind::Folder => {
                return Ok(Some(Finding::new(format!("{folder} is not a folder"), "move it away; bedplate follows no links there")));
            }
            Some(meta) if (meta.mode, meta.uid, meta.gid) == (0o700, facts.uid, facts.gid) => {}
            Some(_) => changes.on_host(seen, format!("{folder} is not {}'s alone", facts.user), make(folder, owner)),
            None => changes.on_host(seen, format!("{folder} is absent"), make(folder, owner)),
        }
        if self.is_operators(&file) {
            shell::export(changes, seen, facts)?;
            return Ok(None);
        }
        let before = seen.content(&file)?;
        let entry = self.entry(format!("https://127.0.0.1:{}", self.port), credentials);
        let content = match merge(&file, before, &entry) {
            Ok(merged) => merged.or_else(|| before.cloned()).unwrap_or_else(|| Secret::new("")),
            Err(finding) => return Ok(Some(finding)),
        };
        changes.file(seen, FileWrite { path: file, content: Content::Hidden(content), mode: 0o600, owner })?;
        shell::export(changes, seen, facts)?;
        Ok(None)
    }

    /// The operator's file: nothing of it but our context is touched. Some: what forbids it.
    fn on_operator(&self, changes: &mut Changes, seen: &View<'_>, credentials: &Credentials) -> Result<Option<Finding>, Missing> {
        let before = seen.kubeconfig(&self.path)?;
        let shown = self.path.display().to_string();
        match merge(&shown, before, &self.entry(self.server.clone(), credentials)) {
            Ok(None) => {}
            Ok(Some(content)) => {
                let reason = format!("{shown} does not hold the context {} as it must be", self.name);
                let merge = KubeconfigMerge { path: self.path.clone(), base: before.cloned(), content };
                changes.add(reason, Action::Operator(OperatorAction::MergeKubeconfig(merge)));
            }
            Err(finding) => return Ok(Some(finding)),
        }
        Ok(None)
    }
}

fn make(path: String, owner: Owner) -> HostAction {
    HostAction::MakeFolder { path, mode: 0o700, owner }
}

impl Step for Kubeconfig {
    fn id(&self) -> StepId {
        StepId::of("kubeconfig")
    }

    fn scope(&self) -> Scope {
        Scope::Host(self.host.clone())
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = vec![
            seen.ask(HostQuestion::Facts),
            seen.ask(HostQuestion::Content(K3S_KUBECONFIG.into())),
            Question::Operator(OperatorQuestion::Kubeconfig(self.path.clone())),
        ];
        if let Ok(facts) = seen.facts() {
            let (folder, file) = paths(facts);
            questions.push(seen.ask(HostQuestion::Stat(folder)));
            if !self.is_operators(&file) {
                questions.extend(file_questions(seen, &file));
            }
            questions.extend(shell::questions(seen, facts));
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let credentials = self.credentials(seen)?;
        let mut changes = Changes::default();
        let on_host = self.on_host(&mut changes, seen, &credentials)?;
        let on_operator = self.on_operator(&mut changes, seen, &credentials)?;
        let refused: Vec<_> = [on_host, on_operator].into_iter().flatten().collect();
        Ok(if refused.is_empty() { changes.into() } else { Plan::Unmet(refused).into() })
    }
}
