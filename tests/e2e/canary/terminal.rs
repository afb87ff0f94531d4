//! The tool at a terminal, where somebody types a value.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::bench::Bench;
use crate::run::{run, until};

/// To the question, which comes once the host is known.
const ASKED: Duration = Duration::from_secs(120);
/// From the answer to the end, on a bare host.
const ENDED: Duration = Duration::from_secs(600);

/// Runs the tool at a terminal of its own, where it must ask for a value, once, and end well. All that the terminal showed.
pub fn typed(bench: &Bench<'_>, arguments: &str, value: &str) -> Result<String> {
    let (shown, tty) = (bench.project.path("shown"), bench.project.path("tty"));
    let line = format!("stty rows 24 cols 200; tty >tty; exec bedplate {arguments}");
    let mut script = bench.program("script", &["-qefc", &line, "/dev/null"]);
    let mut child = script.stdin(Stdio::piped()).stdout(File::create(&shown)?).stderr(Stdio::null()).spawn()?;
    let mut keyboard = child.stdin.take().context("somebody types")?;
    let seen = || Ok::<_, anyhow::Error>(String::from_utf8_lossy(&fs::read(&shown)?).into_owned());
    let ended = (|| {
        // Nobody types before he is asked, and before it is sure that it does not show.
        until("the tool to ask", ASKED, || Ok((seen()?.contains("(not shown): ") && hidden(&tty)?).then_some(())))?;
        writeln!(keyboard, "{value}")?;
        until("the tool to end", ENDED, || Ok(child.try_wait()?))
    })();
    // One that has ended can't be killed, and need not be.
    let _ = child.kill();
    child.wait()?;
    let seen = seen()?;
    let ended = ended.with_context(|| seen.clone())?;
    ensure!(ended.success(), "{arguments}: {ended}\n{seen}");
    ensure!(seen.matches("(not shown): ").count() == 1, "{arguments} asked again:\n{seen}");
    Ok(seen)
}

/// Whether the terminal shows nothing of what is typed.
fn hidden(tty: &std::path::Path) -> Result<bool> {
    let name = fs::read_to_string(tty)?;
    Ok(run(Command::new("stty").args(["-a", "-F", name.trim()]))?.contains(" -echo "))
}
