//! The fake world of the golden cases against the real one: the same actions, the same answers, or the fake proves nothing.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::Context;
use super::flow::ended;
use crate::bench::{Bench, Kind, built};
use crate::run::finish;

/// One part; half of it is the end of a namespace.
const LIMIT: Duration = Duration::from_secs(240);

/// Files and units on a bare host, objects and Secrets on a converged one.
pub fn fake(context: &Context) -> Result<()> {
    let bare = Bench::fresh(context.rig, 2)?;
    context.rig.operator.install(&built(Kind::Example, "agree")?)?;
    agree(&bare, "host")?;
    agree(context.converged()?, "api")
}

/// Everything that differs is on its standard output.
fn agree(bench: &Bench<'_>, part: &str) -> Result<()> {
    let run = finish(&mut bench.program("agree", &[part, "inventory.toml"]), LIMIT)?;
    ended(&run, 0).with_context(|| format!("agree {part}"))
}
