//! `bedplate tunnel`: makes the kubeconfig's `https://127.0.0.1:6443` reach the cluster behind a closed 6443.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::Target;
use super::{interruptible, interruption, session};
use crate::inventory::{Connection, Inventory};
use crate::model::{API_PORT, Event, Exit, Failure, Sink};
use crate::remote::{Prompt, Remote};
use crate::report::{fresh_line, progress};

/// How soon it shows that the line broke.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// What to do while the way is open.
#[derive(Args, Clone)]
pub struct Tunnel {
    /// The inventory
    #[arg(default_value = "inventory.toml")]
    inventory: PathBuf,
    /// A command to run meanwhile, e.g. `-- kubectl get pods`; without one the tunnel stays open until Ctrl-C
    #[arg(last = true)]
    command: Vec<OsString>,
}

/// Opens the tunnel and runs the command, or waits.
///
/// # Errors
/// The inventory is wrong, the host can't be reached, the port is taken, the command can't be started, or the line breaks meanwhile.
pub async fn run(tunnel: &Tunnel, sink: &Sink) -> Result<Exit, Failure> {
    let inventory = session::load(&Target { inventory: tunnel.inventory.clone(), consents: BTreeSet::new() })?;
    let server = session::server(&inventory)?;
    let remote = interruptible(async {
        let remote = Remote::connect(server, &Prompt::of_environment()).await?;
        remote.api_port(API_PORT).await?;
        Ok(remote)
    });
    let remote = remote.await?;
    sink(Event::Done);
    if !tunnel.command.is_empty() {
        return interruptible(meanwhile(&tunnel.command, &inventory)).await;
    }
    if server.connection == Connection::Local {
        progress(&format!("{} is this machine: https://127.0.0.1:{API_PORT} reaches it without a tunnel", server.name));
        return Ok(Exit::Done);
    }
    progress(&format!("https://127.0.0.1:{API_PORT} reaches {}; Ctrl-C closes it", server.name));
    tokio::select! {
        biased;
        seen = interruption() => {
            seen?;
            fresh_line();
            progress("the tunnel is closed");
            Ok(Exit::Done)
        }
        broken = breaks(&remote) => Err(broken),
    }
}

/// Waits for the line to break.
async fn breaks(remote: &Remote) -> Failure {
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        if let Err(failure) = remote.stands("keep the tunnel open").await {
            return failure;
        }
    }
}

async fn meanwhile(command: &[OsString], inventory: &Inventory) -> Result<Exit, Failure> {
    let Some((program, args)) = command.split_first() else { return Ok(Exit::Done) };
    let tried = || format!("run {}", program.display());
    let failed = |error: std::io::Error| Failure::new(tried(), error.to_string(), "make the folder for temporary files writable");
    let context = context(&inventory.name).map_err(failed)?;
    let files = std::env::join_paths([context.path(), &inventory.kubeconfig.path])
        .map_err(|error| Failure::new(tried(), error.to_string(), "choose a kubeconfig.path without a colon"))?;
    let status = tokio::process::Command::new(program).args(args).env("KUBECONFIG", files).status().await;
    match status {
        Ok(status) if status.success() => Ok(Exit::Done),
        Ok(status) => Err(Failure::new(tried(), status.to_string(), "")),
        Err(error) => Err(Failure::new(tried(), error.to_string(), "is it installed, and in PATH?")),
    }
}

/// A kubeconfig that names the context and nothing else. It goes before the operator's own: of several files the first that names one
/// decides, so the command can't reach another cluster that happens to be the current one there.
fn context(name: &str) -> std::io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new()?;
    writeln!(file, "{}", serde_json::json!({ "apiVersion": "v1", "kind": "Config", "current-context": name }))?;
    Ok(file)
}
