//! Secret values show nowhere but where a pod needs them.

mod files;
mod needles;
mod processes;

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result, ensure};
use toml::{Table, Value};

use super::Context;
use super::flow::{bedplate, ended};
use crate::bench::Bench;
use crate::run::run;
pub use needles::{Needles, canary};
pub use processes::Watch;

/// Keys of `.env` that hold a secret. The last two are not for the cluster at all.
const KEYS: [&str; 5] = ["GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "RESEND_API_KEY", "DATABASE_URL", "POSTGRES_PASSWORD"];

/// From a bare host to a changed Secret and another key pair, at `-vv`: no value of `.env`, no sudo password and no private key in a command line, an
/// environment, the journal, what the tool says, or a file that is not a pod's own.
pub fn shows_nowhere(context: &Context) -> Result<()> {
    let mut bench = Bench::fresh(context.rig, 1)?;
    let mut needles = Needles::default();
    needles.add("the sudo password", &bench.host.sudo_password()?);
    other_sources(&mut bench, &mut needles)?;
    let mut values = KEYS.map(|key| (key, canary()));
    write_env(&bench, &values, &mut needles)?;

    let watch = Watch::start();
    let controls = controls(&bench)?;
    let mut said = vec![tool(&bench, &["bootstrap", "-vv"], 0)?];
    values[1].1 = canary();
    write_env(&bench, &values, &mut needles)?;
    said.push(tool(&bench, &["plan", "-vv"], 2)?);
    said.push(tool(&bench, &["plan", "-vv", "--json"], 2)?);
    said.push(tool(&bench, &["bootstrap", "-vv", "--json"], 0)?);
    for verb in ["bootstrap", "verify", "plan"] {
        said.push(tool(&bench, &[verb, "-vv"], 0)?);
        said.push(tool(&bench, &[verb, "-vv", "--json"], 0)?);
    }
    needles.add("the JWT key that went", &jwt_key(&bench)?);
    said.push(tool(&bench, &["rotate", "jwt", "-vv", "--yes"], 0)?);
    let seen = watch.stop()?;
    println!("canary: {} looks, {} command lines, {} environments", seen.looks, seen.arguments.len(), seen.environments.len());

    needles.add("the JWT key", &jwt_key(&bench)?);
    needles.add("a made-up key", &made_up(&bench)?);
    let (arguments, environments) = (joined(&seen.arguments), joined(&seen.environments));
    let judged = [
        needles.absent(said.concat().as_bytes(), "the tool's output"),
        controls.arguments.present(&arguments, "a command line").and_then(|()| needles.absent(&arguments, "a command line")),
        controls.environments.present(&environments, "an environment").and_then(|()| needles.absent(&environments, "an environment")),
        journal(&bench, &needles),
        files::host(&bench, &needles),
        files::operator(&bench, &needles),
    ];
    let faults: Vec<String> = judged.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

fn write_env(bench: &Bench<'_>, values: &[(&str, String)], needles: &mut Needles) -> Result<()> {
    let mut text = String::from("EMAIL_FROM=Shop <no-reply@shop.example>\nADMIN_EMAILS=ops@shop.example\n");
    for (key, value) in values {
        text += &format!("{key}={value}\n");
        needles.add(key, value);
    }
    fs::write(bench.project.path(".env"), text)?;
    bench.project.save(&bench.rig.operator)
}

/// Programs that say a `.env` and a value, and a value that is made up.
fn other_sources(bench: &mut Bench<'_>, needles: &mut Needles) -> Result<()> {
    let (token, key) = (canary(), canary());
    needles.add("a program's .env", &token);
    needles.add("a program's value", &key);
    fs::write(bench.project.path("vault.env"), format!("VAULT_TOKEN='{token}'\n"))?;
    fs::write(bench.project.path("vault-key"), format!("{key}\n"))?;
    let more: Table = toml::from_str(
        "env_file = ['.env', { command = ['cat', 'vault.env'] }]\ncommands = { VAULT_KEY = ['cat', 'vault-key'] }\n\
         generate = { SESSION_KEY = 'password:32' }\n",
    )?;
    let secrets = bench.project.inventory.get_mut("secrets").and_then(Value::as_array_mut);
    let secret = secrets.and_then(|secrets| secrets.first_mut()?.as_table_mut()).context("the example has a Secret")?;
    secret.get_mut("allow").and_then(Value::as_array_mut).context("it allows keys")?.push("VAULT_TOKEN".into());
    secret.extend(more);
    Ok(())
}

/// What the tool made up, as the cluster has it.
fn made_up(bench: &Bench<'_>) -> Result<String> {
    let value = bench.look("k3s kubectl -n shop get secret shop-secrets -o jsonpath='{.data.SESSION_KEY}' | base64 -d")?;
    ensure!(value.len() == 32, "SESSION_KEY has {} characters", value.len());
    Ok(value)
}

/// Runs the tool and returns all that it said.
fn tool(bench: &Bench<'_>, arguments: &[&str], code: i32) -> Result<String> {
    let run = bedplate(bench, arguments)?;
    ended(&run, code).with_context(|| arguments.join(" "))?;
    ensure!(!run.stdout.is_empty(), "{} says nothing", arguments.join(" "));
    Ok(run.stdout + &run.stderr)
}

/// A line of the private key's text, which is base64 itself.
fn jwt_key(bench: &Bench<'_>) -> Result<String> {
    let line = bench.look(r"k3s kubectl -n shop get secret jwt-keys -o jsonpath='{.data.jwt_private\.pem}' | base64 -d | sed -n 5p")?;
    ensure!(line.trim().len() == 64, "the JWT key is not the PEM that it should be");
    Ok(line.trim().to_owned())
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

fn joined(texts: &BTreeSet<Vec<u8>>) -> Vec<u8> {
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
