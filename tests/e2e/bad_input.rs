//! What a user gets wrong, on real parts: the words, the exit code, and that nothing was done.

mod artifact;
mod first_meeting;
mod inventories;

pub use artifact::{altered, truncated};
pub use first_meeting::first_meeting;
pub use inventories::inventories;

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Context;
use crate::bench::Bench;
use crate::project::Project;
use crate::rig::Host;
use crate::run::finish;

/// A refusal comes at the first look, or at the first step.
const LIMIT: Duration = Duration::from_secs(120);

/// The shared host with a project of its own, so that what is broken there is broken for nobody else.
pub(super) fn broken<'a>(context: &Context<'a>) -> Result<Bench<'a>> {
    let host = Host::named(&context.rig.place, &context.shared()?.host.name)?;
    let project = Project::scratch(context.rig, &host, "broken")?;
    Ok(Bench { rig: context.rig, host, project })
}

/// Runs `bedplate` and demands that it ends with `code` and says all of `words` on stderr, which is returned from the error on.
pub(super) fn refused(bench: &Bench<'_>, verb: &str, code: i32, words: &[&str]) -> Result<String> {
    refusal(&mut bench.bedplate(&[verb, "inventory.toml"]), code, words)
}

/// The same of a command that is more than a verb.
pub(super) fn refusal(command: &mut Command, code: i32, words: &[&str]) -> Result<String> {
    let run = finish(command, LIMIT)?;
    let seen = run.status.and_then(|status| status.code());
    ensure!(seen == Some(code), "exit {seen:?} instead of {code}\n{}\n{}", run.stdout, run.stderr);
    let error = run.stderr.find("error: ").map(|at| run.stderr[at..].to_owned()).unwrap_or_default();
    for word in words {
        ensure!(error.contains(word), "`{word}` is not said:\n{}", run.stderr);
    }
    Ok(error)
}
