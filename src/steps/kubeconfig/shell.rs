//! The login user's shell finds the kubeconfig: k3s' kubectl would otherwise read /etc/rancher/k3s/k3s.yaml, which is root's.

use crate::model::{Content, FileKind, FileWrite, HostAction, HostFacts, Missing, Owner, Question, Secret, View};
use crate::steps::changes::{Changes, file_questions};

/// One line, known again by its text.
const LINE: &str = "export KUBECONFIG=\"$HOME/.kube/config\" # Written by bedplate";

fn path(facts: &HostFacts) -> String {
    format!("{}/.bashrc", facts.home)
}

fn sets(line: &str) -> bool {
    let line = line.trim_start();
    line.strip_prefix("export ").unwrap_or(line).trim_start().starts_with("KUBECONFIG=")
}

/// What must be known: nothing for root, who may read k3s.yaml.
pub fn questions(seen: &View<'_>, facts: &HostFacts) -> Vec<Question> {
    if facts.uid == 0 { Vec::new() } else { file_questions(seen, &path(facts)).to_vec() }
}

/// Adds the line at the end of a .bashrc that sets no KUBECONFIG, ours or another. A user without one has another shell.
///
/// # Errors
/// The file was not asked or can't be read.
pub fn export(changes: &mut Changes, seen: &View<'_>, facts: &HostFacts) -> Result<(), Missing> {
    if facts.uid == 0 {
        return Ok(());
    }
    let path = path(facts);
    let (Some(meta), Some(content)) = (seen.stat(&path)?, seen.content(&path)?) else { return Ok(()) };
    let Some(text) = content.expose_str().filter(|text| meta.kind == FileKind::File && !text.lines().any(sets)) else {
        return Ok(());
    };
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    // Hidden: people keep tokens in there.
    let content = Content::Hidden(Secret::new(format!("{text}{end}{LINE}\n")));
    let owner = Owner::User { uid: meta.uid, gid: meta.gid };
    let file = FileWrite { path, content, mode: meta.mode, owner };
    changes.on_host(seen, format!("{} does not name the kubeconfig", file.path), HostAction::WriteFile(file));
    Ok(())
}
