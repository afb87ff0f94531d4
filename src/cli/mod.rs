//! The command line: one file a subcommand.

mod allowed;
mod bootstrap;
mod confirm;
mod diagnose;
mod images;
mod memory;
mod only;
mod plan;
mod rotate;
mod session;
mod tunnel;
mod typed;
mod verify;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

pub use self::only::Only;
pub use self::rotate::Begun;
pub use self::session::Session;
pub use self::typed::lacking;

use crate::inventory::Consent;
use crate::model::{Event, Exit, Failure, Sink};
use crate::report::{Detail, Form, clean, fresh_line, progress, sink};

/// Turns bare hosts into k3s clusters that serve verified HTTPS.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON event a line on stdout.
    #[arg(long, global = true)]
    json: bool,
    /// Print results and failures only.
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more: every look, every reason.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Subcommand)]
enum Command {
    /// Converge: change what differs, leave the rest, then verify
    Bootstrap(bootstrap::Bootstrap),
    /// Show what would change, and why; changes nothing
    Plan(plan::Plan),
    /// Check from outside and inside that all is as it should be; changes nothing unless told to --probe
    Verify(verify::Verify),
    /// Send images only, or list them
    #[command(subcommand)]
    Images(images::Images),
    /// Say why a certificate does not arrive, and what to do; changes nothing
    Diagnose(Target),
    /// Replace keys and passwords
    #[command(subcommand)]
    Rotate(rotate::Rotate),
    /// Make the API server reachable while a command runs, or until Ctrl-C
    Tunnel(tunnel::Tunnel),
}

/// What to work on.
#[derive(Args, Clone)]
pub struct Target {
    /// The inventory
    #[arg(default_value = "inventory.toml")]
    pub inventory: PathBuf,
    /// What the user allows there.
    #[arg(skip)]
    pub consents: BTreeSet<Consent>,
}

/// What to look at.
#[derive(Args, Clone)]
pub struct Look {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    only: Only,
}

/// Runs a command line and says how it ended.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to be done if even this can't be printed.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let form = if cli.json { Form::Json } else { Form::Text };
    let detail = match (cli.quiet, cli.verbose) {
        (true, _) => Detail::Quiet,
        (false, 0) => Detail::Normal,
        (false, _) => Detail::Verbose,
    };
    let sink = sink(form, detail);
    if let Err(error) = memory::never_dumped() {
        return fail(Failure::new("switch core dumps off", error.to_string(), ""), form, &sink);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(Failure::new("start", error.to_string(), ""), form, &sink),
    };
    let ended = runtime.block_on(async {
        match &cli.command {
            Command::Bootstrap(bootstrap) => interruptible(bootstrap.run(form, &sink)).await,
            Command::Plan(plan) => interruptible(plan.run(form, &sink)).await,
            Command::Verify(verify) => interruptible(verify.run(form, &sink)).await,
            Command::Images(images) => interruptible(images.run(form, &sink)).await,
            Command::Diagnose(target) => interruptible(diagnose::run(target, form, &sink)).await,
            Command::Rotate(rotate) => interruptible(rotate.run(form, &sink)).await,
            // Once it is open, an interruption is what closes it.
            Command::Tunnel(tunnel) => tunnel::run(tunnel, &sink).await,
        }
    });
    // A question that still stands on the terminal must not keep an interrupted run alive.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match ended {
        Ok(exit) => exit,
        Err(failure) => fail(failure, form, &sink),
    }
}

/// Ends with 130 on Ctrl-C or a termination. Dropping the run closes the lines; the host's keeper ends what still runs there.
async fn interruptible<T>(run: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        // A Ctrl-C reaches `ssh` as well: that its lines end is no failure then.
        biased;
        seen = interruption() => {
            seen?;
            Err(Failure::new("finish", "interrupted", "the state is safe; run it again").exiting(Exit::Interrupted))
        }
        ended = run => ended,
    }
}

/// Waits for Ctrl-C or a termination.
async fn interruption() -> Result<(), Failure> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|error| Failure::new("listen for signals", error.to_string(), ""))?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

fn fail(failure: Failure, form: Form, sink: &Sink) -> Exit {
    let exit = failure.exit;
    let failure = Arc::new(failure);
    if exit == Exit::Interrupted {
        fresh_line();
    }
    sink(Event::Failed(Arc::clone(&failure)));
    if form == Form::Text {
        progress(&format!("error: {}", clean(&failure.to_string())));
    }
    exit
}
