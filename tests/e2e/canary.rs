//! Secret values show nowhere but where a pod needs them.

mod files;
mod needles;
mod processes;
mod sources;
mod terminal;

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};

use super::Context;
use super::flow::{bedplate, ended};
use crate::bench::Bench;
use crate::run::run;
pub use needles::{Needles, canary};
pub use processes::{Seen, Watch};
use sources::{Sources, jwt_key, kubeconfig_key, made_up};
use terminal::typed;

/// From a bare host to changed Secrets and another key pair, by every command that meets them, at `-vv`: no value of any source, no sudo password
/// and no private key in a command line, an environment, the journal, what the tool says, or a file that is not a pod's own.
pub fn shows_nowhere(context: &Context) -> Result<()> {
    let mut bench = Bench::fresh(context.rig, 1)?;
    let mut needles = Needles::default();
    let mut sources = Sources::make(&mut bench, &mut needles)?;
    let pay = [canary(), canary()];
    needles.add("what was typed", &pay[0]);
    needles.add("what was typed later", &pay[1]);

    let watch = Watch::start();
    let controls = controls(&bench)?;
    let mut said = vec![typed(&bench, "bootstrap -vv", &pay[0])?];
    sources.change(&bench, &mut needles)?;
    said.push(tool(&bench, &["plan", "-vv"], 2)?);
    said.push(tool(&bench, &["plan", "-vv", "--json"], 2)?);
    said.push(tool(&bench, &["bootstrap", "-vv", "--json"], 0)?);
    said.push(typed(&bench, "bootstrap -vv --ask PAY_KEY", &pay[1])?);
    for verb in [["verify"].as_slice(), &["plan"], &["diagnose"], &["images", "ls"]] {
        said.push(tool(&bench, &[verb, &["-vv"]].concat(), 0)?);
        said.push(tool(&bench, &[verb, &["-vv", "--json"]].concat(), 0)?);
    }
    said.push(tool(&bench, &["images", "push", "-vv"], 0)?);
    said.push(tool(&bench, &["tunnel", "-vv", "--", "echo", "open"], 0)?);
    needles.add("the JWT key that went", &jwt_key(&bench)?);
    said.push(tool(&bench, &["rotate", "jwt", "-vv", "--yes"], 0)?);
    let seen = watch.stop()?;
    println!("secrets_canary: {} looks, {} command lines, {} environments", seen.looks, seen.arguments.len(), seen.environments.len());

    needles.add("the JWT key", &jwt_key(&bench)?);
    needles.add("a made-up key", &made_up(&bench)?);
    // The operator and the host have a file with this one.
    let mut filed = Needles::default();
    filed.add("the kubeconfig's key", &kubeconfig_key(&bench)?);
    let mut judged = vec![files::host(&bench, &needles), files::operator(&bench, &needles)];
    for needles in [&needles, &filed] {
        let (arguments, environments) = (joined(&seen.arguments), joined(&seen.environments));
        judged.extend([
            needles.absent(said.concat().as_bytes(), "the tool's output"),
            controls.arguments.present(&arguments, "a command line").and_then(|()| needles.absent(&arguments, "a command line")),
            controls.environments.present(&environments, "an environment").and_then(|()| needles.absent(&environments, "an environment")),
            journal(&bench, needles),
        ]);
    }
    let faults: Vec<String> = judged.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// Runs the tool and returns all that it said.
fn tool(bench: &Bench<'_>, arguments: &[&str], code: i32) -> Result<String> {
    let run = bedplate(bench, arguments)?;
    ended(&run, code).with_context(|| arguments.join(" "))?;
    ensure!(!run.stdout.is_empty(), "{} says nothing", arguments.join(" "));
    Ok(run.stdout + &run.stderr)
}

/// What the watch must see, or it watches nothing.
struct Controls {
    arguments: Needles,
    environments: Needles,
}

/// Runs programs on both sides that do what must not be done.
fn controls(bench: &Bench<'_>) -> Result<Controls> {
    let mut controls = Controls { arguments: Needles::default(), environments: Needles::default() };
    for (side, mut shell) in [("the host", bench.host.exec()?), ("the operator", bench.rig.operator.command("env"))] {
        let (argument, variable) = (canary(), canary());
        run(shell.args([&format!("PLANTED={variable}"), "sh", "-c", "sleep 0.5; true", &argument]))?;
        controls.arguments.add(side, &argument);
        controls.environments.add(side, &variable);
    }
    Ok(controls)
}

/// A line each.
pub fn joined(texts: &BTreeSet<Vec<u8>>) -> Vec<u8> {
    texts.iter().flat_map(|text| [text.as_slice(), b"\n"]).collect::<Vec<_>>().concat()
}

/// The host's journal with all its fields; `_CMDLINE` is one of them.
fn journal(bench: &Bench<'_>, needles: &Needles) -> Result<()> {
    let mut planted = Needles::default();
    let value = canary();
    planted.add("a planted line", &value);
    let journal = bench.look(&format!("logger {value}; journalctl --sync; journalctl --no-pager --all --output=export"))?;
    planted.present(journal.as_bytes(), "the journal")?;
    needles.absent(journal.as_bytes(), "the journal")
}
