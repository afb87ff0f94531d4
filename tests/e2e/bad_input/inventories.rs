//! Broken inventories, each refused before a single packet leaves the operator.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::broken;
use crate::bench::Bench;
use crate::e2e::Context;
use crate::rig::clone;
use crate::run::{Ended, finish};

/// Every inventory in `tests/inventories/bad`: exit 65, in the words of its `.txt`, and nothing contacted.
pub fn inventories(context: &Context) -> Result<()> {
    let bench = broken(context)?;
    let usual = fs::read_to_string(bench.project.path(".env"))?;
    let cases = cases()?;
    ensure!(cases.len() >= 30, "only {} cases", cases.len());
    let operator = &bench.rig.operator;
    let before = operator.packets()?;
    for case in &cases {
        let name = case.file_stem().unwrap_or_default().to_string_lossy();
        let run = run(&bench, case, &usual)?;
        // The expected words know no folder; an empty line stands between problems.
        let said = run.stderr.replace(&format!("{}/", bench.project.folder.display()), "").replace("\n\n", "\n");
        judge(&run, &said, &fs::read_to_string(case.with_extension("txt"))?).with_context(|| format!("case {name}"))?;
        let sent = operator.packets()? - before;
        ensure!(sent == 0, "case {name} sent {sent} packets");
    }
    // Else the silence would prove nothing.
    bench.project.save(operator)?;
    fs::write(bench.project.path(".env"), usual)?;
    finish(&mut bench.bedplate(&["plan", "inventory.toml"]), Duration::from_secs(60))?;
    ensure!(operator.packets()? > before, "a plan of a good inventory sent no packet: the count counts nothing");
    Ok(())
}

fn cases() -> Result<Vec<PathBuf>> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(clone().join("tests/inventories/bad"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            cases.push(path);
        }
    }
    cases.sort();
    Ok(cases)
}

/// Puts a case into the project, with its own `.env` if it has one, whose first line may be a rule for `.gitignore`.
fn run(bench: &Bench<'_>, case: &Path, usual: &str) -> Result<Ended> {
    let own = case.with_extension("env");
    let env = if own.exists() { fs::read_to_string(own)? } else { usual.to_owned() };
    let rule = env.lines().next().and_then(|line| line.strip_prefix("# .gitignore: ")).unwrap_or(".env");
    fs::write(bench.project.path(".gitignore"), format!("{rule}\n"))?;
    fs::write(bench.project.path(".env"), &env)?;
    fs::copy(case, bench.project.file())?;
    finish(&mut bench.bedplate(&["bootstrap", "inventory.toml"]), Duration::from_secs(20))
}

fn judge(run: &Ended, said: &str, expected: &str) -> Result<()> {
    let code = run.status.and_then(|status| status.code());
    ensure!(code == Some(65), "exit {code:?}\n{said}");
    ensure!(run.stdout.is_empty(), "a refusal is no result: {}", run.stdout);
    ensure!(said.starts_with(expected), "expected\n{expected}\nsaid\n{said}");
    ensure!(expected.starts_with("inventory.toml:") || expected.starts_with(".env:"), "it has no place:\n{expected}");
    ensure!(expected.contains("\n  cure: "), "it has no cure:\n{expected}");
    Ok(())
}
