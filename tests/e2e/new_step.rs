//! A new kind of step is one file and one word.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Context;
use super::flow::ended;
use crate::rig::clone;
use crate::run::{finish, run, run_within};

/// The tool and its library once more, their dependencies being there.
const BUILD: Duration = Duration::from_secs(600);
/// What the program is called that has the step.
const PROGRAM: &str = "bedplate-greeting";

/// Puts the file and the word into a copy of the source, builds it, and sees the step in `plan`: its verdict, its difference, its place in
/// JSON and behind `--step`, on a bare host.
pub fn new_step(context: &Context) -> Result<()> {
    let bench = context.shared()?;
    let copy = tempfile::tempdir()?;
    run(Command::new("sh").args(["-c", "git ls-files -z | xargs -0 cp --parents -t \"$0\""]).arg(copy.path()).current_dir(clone()))?;
    add(copy.path())?;
    let target = clone().join("target");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "bedplate", "--bin", "bedplate", "--target-dir"]).arg(&target);
    run_within(cargo.current_dir(copy.path()), BUILD)?;
    let program = copy.path().join(PROGRAM);
    fs::copy(target.join("debug/bedplate"), &program)?;
    context.rig.operator.install(&program)?;

    let plan = |arguments: &[&str]| finish(&mut bench.program(PROGRAM, &[&["plan"], arguments, &["inventory.toml"]].concat()), BUILD);
    let all = plan(&[])?;
    ended(&all, 2)?;
    ensure!(all.stdout.contains("greeting: act") && all.stdout.contains("+Well met by moonlight"), "{}", all.stdout);
    let alone = plan(&["--step", "greeting", "--json"])?;
    ended(&alone, 2)?;
    ensure!(alone.stdout.contains(r#""step":"greeting""#) && !alone.stdout.contains(r#""step":"helm""#), "{}", alone.stdout);
    Ok(())
}

fn add(copy: &Path) -> Result<()> {
    fs::copy(copy.join("tests/fixtures/greeting.rs"), copy.join("src/steps/greeting.rs"))?;
    let list = copy.join("src/steps/mod.rs");
    let text = fs::read_to_string(&list)?;
    let (before, flow) = text.split_once("\nflow![").context("src/steps/mod.rs has no flow")?;
    let (steps, after) = flow.split_once("\n];").context("the flow has no end")?;
    Ok(fs::write(list, format!("{before}\nflow![{steps}\n    greeting,\n];{after}"))?)
}
