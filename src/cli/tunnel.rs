//! `bedplate tunnel`: makes the kubeconfig's `https://127.0.0.1:6443` reach the cluster behind a closed 6443.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::Target;
use super::session;
use crate::inventory::Connection;
use crate::model::{API_PORT, Event, Exit, Failure, Sink};
use crate::remote::{Prompt, Remote};
use crate::report::progress;

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
/// The inventory is wrong, the host can't be reached, the port is taken, or the command can't be started.
pub async fn run(tunnel: &Tunnel, sink: &Sink) -> Result<Exit, Failure> {
    let inventory = session::load(&Target { inventory: tunnel.inventory.clone(), consents: BTreeSet::new() })?;
    let server = session::server(&inventory)?;
    let remote = Remote::connect(server, &Prompt::of_environment()).await?;
    remote.api_port(API_PORT).await?;
    sink(Event::Done);
    let Some((program, args)) = tunnel.command.split_first() else {
        if server.connection == Connection::Local {
            progress(&format!("{} is this machine: https://127.0.0.1:{API_PORT} reaches it without a tunnel", server.name));
            return Ok(Exit::Done);
        }
        progress(&format!("https://127.0.0.1:{API_PORT} reaches {}; Ctrl-C closes it", server.name));
        return std::future::pending().await;
    };
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
