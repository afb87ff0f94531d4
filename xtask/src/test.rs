//! The whole suite: what needs no rig, then what does.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde::Serialize;

use crate::e2e::{Context, TESTS, Test};
use crate::packages;
use crate::rig::{Rig, clone};

/// One test's outcome, as `target/e2e/report.json` has it.
#[derive(Serialize)]
struct Row {
    name: String,
    result: Verdict,
    seconds: f64,
    /// Empty, or why it failed.
    note: String,
}

#[derive(Serialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Passed,
    Failed,
}

/// Runs everything, or with `only` the tests on the rig whose name begins so or so. Prints a row a test and writes the report.
///
/// # Errors
/// A test failed, `only` names none, or this is not root: nothing is left out in silence.
pub fn test(only: &[String], source: Option<&Path>) -> Result<()> {
    ensure!(rustix::process::geteuid().is_root(), "the suite boots hosts: run it as root");
    if let Some(unknown) = only.iter().find(|only| !TESTS.iter().any(|(name, _)| name.starts_with(only.as_str()))) {
        bail!("no test on the rig begins with {unknown}");
    }
    let wanted = |name: &str| only.is_empty() || only.iter().any(|only| name.starts_with(only.as_str()));
    let chosen: Vec<&Test> = TESTS.iter().filter(|(name, _)| wanted(name)).collect();
    let mut rows = Vec::new();
    if only.is_empty() {
        packages::ensure(packages::TESTS)?;
        // `cargo fmt` finds no module that a macro declares.
        rows.push(row("rustfmt", || program("sh", &["-ec", "git ls-files -z '*.rs' | xargs -0 rustfmt --check"], ".")));
        rows.push(row("cargo_test", || program("cargo", &["test", "--workspace", "--quiet"], ".")));
        // The flags of the build, so that Kubernetes is not compiled a second time.
        rows.push(row("go_vet", || program("go", &["vet", "-trimpath", "./..."], "tests/rig")));
        rows.push(row("go_test", || program("go", &["test", "-trimpath", "./..."], "tests/rig")));
    }
    rows.extend(on_the_rig(&chosen, source)?);
    report(&rows)?;
    let failed: Vec<&str> = rows.iter().filter(|row| row.result == Verdict::Failed).map(|row| row.name.as_str()).collect();
    ensure!(failed.is_empty(), "{} of {} failed: {}", failed.len(), rows.len(), failed.join(", "));
    println!("all {} passed", rows.len());
    Ok(())
}

/// Starts from no rig and leaves none.
fn on_the_rig(tests: &[&Test], source: Option<&Path>) -> Result<Vec<Row>> {
    Rig::down()?;
    let rig = Rig::up(source)?;
    let context = Context::new(&rig);
    let rows = tests.iter().map(|(name, test)| row(name, || test(&context))).collect();
    drop(context);
    drop(rig);
    Rig::down()?;
    Ok(rows)
}

fn row(name: &str, test: impl FnOnce() -> Result<()>) -> Row {
    let started = Instant::now();
    let ended = catch_unwind(AssertUnwindSafe(test)).unwrap_or_else(|_| Err(anyhow!("panicked: see above")));
    let seconds = (started.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    let (result, note) = match ended {
        Ok(()) => (Verdict::Passed, String::new()),
        Err(error) => (Verdict::Failed, format!("{error:#}")),
    };
    let word = if result == Verdict::Passed { "passed" } else { "FAILED" };
    println!("{word}  {seconds:>6.1} s  {name}");
    if !note.is_empty() {
        println!("    {}", note.replace('\n', "\n    "));
    }
    Row { name: name.to_owned(), result, seconds, note }
}

fn program(name: &str, arguments: &[&str], folder: &str) -> Result<()> {
    let mut command = Command::new(name);
    let status = command.args(arguments).current_dir(clone().join(folder)).status()?;
    ensure!(status.success(), "{name} {}: {status}", arguments.join(" "));
    Ok(())
}

fn report(rows: &[Row]) -> Result<()> {
    let folder: PathBuf = clone().join("target/e2e");
    fs::create_dir_all(&folder)?;
    let path = folder.join("report.json");
    fs::write(&path, serde_json::to_string_pretty(rows)?).with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let mut names: Vec<&str> = TESTS.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TESTS.len());
    }

    #[test]
    fn a_panic_is_a_failure() {
        let row = row("boom", || panic!("on purpose"));
        assert_eq!(serde_json::to_value(&row.result).unwrap(), "failed");
        assert!(row.note.contains("panicked"));
    }

    #[test]
    fn an_error_is_noted_with_its_cause() {
        let row = row("cause", || Err(anyhow!("cause")).context("what"));
        assert_eq!((row.result == Verdict::Failed, row.note.as_str()), (true, "what: cause"));
    }
}
