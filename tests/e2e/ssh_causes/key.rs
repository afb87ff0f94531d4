//! Keys: none, the wrong ones, too many, and the right one locked away.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{Config, edit};
use crate::bench::Bench;
use crate::e2e::Context;
use crate::e2e::bad_input::{broken, refusal, refused};
use crate::run::run;

/// No key file and no agent; an agent that is not there any more.
pub fn no_key(context: &Context) -> Result<()> {
    let bench = broken(context)?;
    let _config = Config::write(&bench, "IdentityFile ~/.ssh/none\n")?;
    refused(
        &bench,
        "plan",
        77,
        &["ssh has no key to offer: no file, and no agent\n", "cure: set `identity_file` in the inventory, or make a key"],
    )?;
    let words = ["ssh has no key to offer: the agent at SSH_AUTH_SOCK does not answer\n", "cure: start the agent again"];
    let mut command = bench.bedplate(&["plan", "inventory.toml"]);
    refusal(command.env("SSH_AUTH_SOCK", bench.project.path("gone")), 77, &words).map(drop)
}

/// An agent that holds nothing.
pub fn agent_empty(context: &Context) -> Result<()> {
    let bench = broken(context)?;
    let _config = Config::write(&bench, "IdentityFile ~/.ssh/none\n")?;
    let agent = Agent::start(&bench)?;
    let words = ["ssh has no key to offer: the agent is empty or locked\n", "cure: add the key with `ssh-add`"];
    refusal(bench.bedplate(&["plan", "inventory.toml"]).env("SSH_AUTH_SOCK", &agent.socket), 77, &words).map(drop)
}

/// A key that the host does not know, and a user whom it does not know: sshd tells them apart for nobody.
pub fn key_refused(context: &Context) -> Result<()> {
    let mut bench = broken(context)?;
    let key = key(&bench, "other", "")?;
    let user = |host: &mut toml::Table| drop(host.insert("user".into(), "nobody-here".into()));
    let words = [
        "could not connect to nobody-here@",
        "sshd accepted none of the keys offered: ",
        "/.ssh/id_ed25519\n",
        "cure: check `user` and `identity_file`",
    ];
    edit(&mut bench, user)?;
    refused(&bench, "plan", 77, &words)?;
    edit(&mut bench, |host| {
        host.insert("user".into(), "appuser".into());
        host.insert("identity_file".into(), key.to_string_lossy().into_owned().into());
    })?;
    let offered = format!("sshd accepted none of the keys offered: {}\n", key.display());
    refused(&bench, "plan", 77, &["could not connect to appuser@", &offered, "in that user's ~/.ssh/authorized_keys"]).map(drop)
}

/// The right key, with a passphrase that nobody is asked for; and one that everybody can read, which ssh does not use.
pub fn key_locked(context: &Context) -> Result<()> {
    let mut bench = broken(context)?;
    let locked = key(&bench, "locked", "a passphrase")?;
    let public = std::fs::read_to_string(locked.with_extension("pub"))?;
    bench.look(&format!("echo '{}' >>/home/appuser/.ssh/authorized_keys", public.trim()))?;
    edit(&mut bench, |host| drop(host.insert("identity_file".into(), locked.to_string_lossy().into_owned().into())))?;
    let seen = format!("sshd would take the key {}, but it is locked by a passphrase\n", locked.display());
    refused(&bench, "plan", 77, &[&seen, &format!("cure: unlock it for this session: `ssh-add {}`", locked.display())])?;
    run(Command::new("ssh-keygen").args(["-q", "-p", "-P", "a passphrase", "-N", "", "-f"]).arg(&locked))?;
    bench.rig.operator.own(&locked, 0o644)?;
    let ended = refused(
        &bench,
        "plan",
        77,
        &["but ssh does not use a key file that others can read\n", &format!("cure: `chmod 600 {}`", locked.display())],
    );
    bench.look(&format!("sed -i '\\|{}|d' /home/appuser/.ssh/authorized_keys", public.split(' ').nth(1).context("a key has a body")?))?;
    ended.map(drop)
}

/// More keys in the agent than sshd lets anybody try.
pub fn too_many(context: &Context) -> Result<()> {
    let bench = broken(context)?;
    let _config = Config::write(&bench, "IdentityFile ~/.ssh/none\n")?;
    let agent = Agent::start(&bench)?;
    for number in 0..7 {
        let key = key(&bench, &format!("key-{number}"), "")?;
        run(bench.rig.operator.command("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &agent.socket))?;
    }
    let words = ["sshd hung up after 6 keys were offered", "cure: set `identity_file` in the inventory, so that only that key is offered"];
    refusal(bench.bedplate(&["plan", "inventory.toml"]).env("SSH_AUTH_SOCK", &agent.socket), 77, &words).map(drop)
}

/// Makes a key in the project, the operator's own.
fn key(bench: &Bench<'_>, name: &str, passphrase: &str) -> Result<PathBuf> {
    let file = bench.project.path("rig").join(name);
    run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-C", "", "-N", passphrase, "-f"]).arg(&file))?;
    bench.rig.operator.own(&file, 0o600)?;
    bench.rig.operator.own(&file.with_extension("pub"), 0o644)?;
    Ok(file)
}

/// An ssh-agent of the operator's.
struct Agent {
    socket: PathBuf,
    process: i32,
}

impl Agent {
    fn start(bench: &Bench<'_>) -> Result<Self> {
        let socket = bench.project.path("agent");
        let said = run(bench.rig.operator.command("ssh-agent").arg("-a").arg(&socket))?;
        let process = said.split_once("SSH_AGENT_PID=").and_then(|(_, rest)| rest.split(';').next()?.parse().ok());
        ensure!(Path::new(&socket).exists(), "no agent: {said}");
        Ok(Self { socket, process: process.context("ssh-agent says its number")? })
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = run(Command::new("kill").arg(self.process.to_string()));
    }
}
